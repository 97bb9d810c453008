//! Better prompts: a model is asked for one where a user's words are new, and what it says is checked before it
//! stands anywhere. That there is none is never an error.

use contract::{ConversationId, Parameters};

use super::{Flow, wording};
use crate::{catalogue::Model, intent::model::Enhanced};

impl Flow {
    /// A better prompt for these words, made for this model. `heard` is what was said of one already; only otherwise
    /// somebody is asked, which takes as long as an answer may take. No transaction may be open.
    pub(crate) async fn better(
        &self,
        conversation: &ConversationId,
        model: &Model,
        prompt: &str,
        parameters: &Parameters,
        heard: Enhanced,
    ) -> Option<String> {
        if prompt.is_empty() || !self.analyst.enhances() {
            return None;
        }
        let said = match heard {
            Enhanced::Asked(said) => said,
            Enhanced::Unasked => self.analyst.enhance(conversation, prompt, parameters).await,
        }?;
        match wording::suggestion(&said, prompt, model) {
            Ok(text) => Some(text),
            Err(reason) => {
                telemetry::event!(
                    INFO, INTENT_PROMPT_NOT_ENHANCED,
                    conversationId = %conversation, reason = reason
                );
                None
            }
        }
    }
}
