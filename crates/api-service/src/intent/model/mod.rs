//! What a message wants, read by a language model, with the rules as the ground to stand on; and, if that is on, a
//! better prompt for it, in the same answer where there is one.
//!
//! What the rules read without doubt is not asked: a yes, a no, a greeting, an answer to a question. For the rest
//! the model is asked, with what the conversation is about. Its answer is untrusted: [`schema`] lets nothing
//! through but the form that was asked for, and [`verdict`] decides what of it counts. A model that is late, away,
//! or says something else is as if there were none; [`breaker`] keeps it from costing every message its patience.
//!
//! It holds no transaction and knows no database. It is to be used on the home runtime.

mod breaker;
mod client;
mod schema;
mod verdict;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use contract::{ConversationId, Parameters};
use foundation::settings::{Environment, Hidden, Live, Setting, SettingError};
use telemetry::metric;
use tokio::sync::Semaphore;
use url::Url;

use self::{
    breaker::Breaker,
    client::{Client, Failure},
};
use super::{Context, Intent, Language, analyse, language_of};
use crate::{conversations::message::Message, generations::generation::Generation};

/// How many messages may wait for the model at the same time; the others are read by the rules.
const MOST_AT_ONCE: usize = 64;

foundation::settings! {
    /// How the intent of a message is found out.
    pub struct IntentSettings {
        /// Who reads messages: rules (built in, no network), gemini (generateContent), or openai (any server that
        /// speaks OpenAI's chat completions). The rules read what a model does not.
        pub provider: Provider = or_default("INTENT_PROVIDER", "rules"),
        /// Where the model is served. Without it, Google's or OpenAI's own address.
        pub base_url: Option<Url> = optional("INTENT_BASE_URL"),
        /// The key for it; it is sent to that host and nowhere else. A server of your own may need none.
        pub api_key: Option<Live<ApiKey>> = optional_live("INTENT_API_KEY"),
        /// The model's name; needed unless the rules do it.
        pub model: Option<ModelName> = optional("INTENT_MODEL"),
        /// How long an answer may take before the rules take over.
        pub timeout: Duration = or_default("INTENT_TIMEOUT", "4s"),
        /// Whether the model also proposes better prompts (on), which users see and can change before the yes, or not
        /// (off). Needs INTENT_PROVIDER gemini or openai.
        pub enhancement: Switch = or_default("PROMPT_ENHANCEMENT", "off"),
    }
}

/// Who reads messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The built-in rules.
    Rules,
    /// Google's generateContent.
    Gemini,
    /// Chat completions as OpenAI has them.
    Openai,
}

impl Setting for Provider {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "rules" => Ok(Self::Rules),
            "gemini" => Ok(Self::Gemini),
            "openai" => Ok(Self::Openai),
            _ => Err("must be rules, gemini or openai".to_owned()),
        }
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Setting for Switch {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("must be on or off".to_owned()),
        }
    }
}

/// A key that can stand in a header, and is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Hidden);

impl Setting for ApiKey {
    fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(Hidden::new(text)))
        } else {
            Err("must be plain characters without spaces".to_owned())
        }
    }
}

/// A model's name, which stands in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName(String);

impl Setting for ModelName {
    fn parse(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@".contains(&b);
        if text.bytes().all(plain) && !text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a model's name".to_owned())
        }
    }
}

impl IntentSettings {
    /// What is missing for a model to be asked, if one shall be.
    pub fn check(&self) -> Result<(), SettingError> {
        match self.provider {
            Provider::Rules if self.enhancement == Switch::On => {
                let reason = "can only be on with a model: INTENT_PROVIDER gemini or openai".to_owned();
                Err(SettingError::Malformed { name: "PROMPT_ENHANCEMENT", reason })
            }
            Provider::Rules => Ok(()),
            _ if self.model.is_none() => Err(SettingError::Missing("INTENT_MODEL")),
            Provider::Gemini if self.api_key.is_none() => Err(SettingError::Missing("INTENT_API_KEY")),
            Provider::Openai if self.api_key.is_none() && self.base_url.is_none() => {
                Err(SettingError::Missing("INTENT_API_KEY"))
            }
            Provider::Gemini | Provider::Openai => Ok(()),
        }
    }

    /// Reads and checks the area.
    pub fn checked(environment: &Environment) -> Result<Self, SettingError> {
        let settings = Self::read(environment)?;
        settings.check()?;
        Ok(settings)
    }
}

/// What a message is said into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialogue<'a> {
    /// What was said last, the oldest first.
    pub said: &'a [Message],
    /// The generation that waits for the user or is being made.
    pub open: Option<&'a Generation>,
    /// The newest finished video.
    pub video: Option<&'a Generation>,
}

/// What a message wants, and in which language it says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What it wants.
    pub intent: Intent,
    /// Its language.
    pub language: Language,
    /// A better prompt for what it wants to see.
    pub enhanced: Enhanced,
}

/// What is known of a better prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enhanced {
    /// No model was asked for one.
    Unasked,
    /// What the model said, unchecked; none if it said nothing, was late or away.
    Asked(Option<String>),
}

/// Who reads the messages.
#[derive(Debug, Default)]
pub struct Analyst {
    model: Option<Model>,
}

#[derive(Debug)]
struct Model {
    client: Client,
    breaker: Mutex<Breaker>,
    room: Semaphore,
    enhances: bool,
}

impl Analyst {
    /// The analyst that the settings name. The process must have installed its TLS provider.
    pub fn new(settings: &IntentSettings) -> Result<Self, SettingError> {
        settings.check()?;
        let Some(client) = Client::new(settings) else { return Ok(Self::default()) };
        let (breaker, room) = (Mutex::default(), Semaphore::new(MOST_AT_ONCE));
        let enhances = settings.enhancement == Switch::On;
        Ok(Self { model: Some(Model { client, breaker, room, enhances }) })
    }

    /// Whether a model would be asked about this message, so that nobody has to look up what it needs to know
    /// otherwise.
    #[must_use]
    pub fn asks_model(&self, text: &str, context: Context<'_>) -> bool {
        self.model.is_some() && !is_certain(&analyse(text, context))
    }

    /// Reads a message. Takes as long as the model may take, and never fails: what the model does not say, the
    /// rules do.
    pub async fn read(
        &self,
        conversation: &ConversationId,
        text: &str,
        context: Context<'_>,
        dialogue: Dialogue<'_>,
    ) -> Reading {
        let ruled = by_rules(text, context);
        let Some(model) = &self.model else { return ruled };
        if is_certain(&ruled.intent) {
            return ruled;
        }
        let asked = Instant::now();
        let question = schema::question(text, context, dialogue, model.enhances);
        let (answer, pause) = model.ask(&question, schema::read).await;
        let failure = match answer {
            Ok(answer) => {
                // It is about the message, whatever else of the answer counts.
                let enhanced = Enhanced::Asked(answer.enhanced.clone());
                return Reading { enhanced, ..verdict::decide(&answer, ruled, text, context, dialogue) };
            }
            Err(failure) => failure,
        };
        if failure.is_news() {
            telemetry::event!(
                WARN, INTENT_MODEL_FAILED,
                conversationId = %conversation,
                reason = %failure,
                durationMs = milliseconds(asked.elapsed()),
                pauseMs = pause.map(milliseconds)
            );
        }
        // Nobody waits for it twice over one message.
        Reading { enhanced: Enhanced::Asked(None), ..ruled }
    }

    /// Whether better prompts are proposed.
    #[must_use]
    pub fn enhances(&self) -> bool {
        self.model.as_ref().is_some_and(|model| model.enhances)
    }

    /// A better prompt than this one, unchecked; none if there is no model for that, or if it says none. Takes as long
    /// as the model may take, and never fails.
    pub async fn enhance(
        &self,
        conversation: &ConversationId,
        prompt: &str,
        parameters: &Parameters,
    ) -> Option<String> {
        let model = self.model.as_ref().filter(|model| model.enhances)?;
        let asked = Instant::now();
        let question = schema::better(prompt, parameters);
        let (answer, pause) = model.ask(&question, schema::read_better).await;
        match answer {
            Ok(better) => better,
            Err(failure) => {
                if failure.is_news() {
                    telemetry::event!(
                        WARN, INTENT_PROMPT_NOT_ENHANCED,
                        conversationId = %conversation,
                        reason = %failure,
                        durationMs = milliseconds(asked.elapsed()),
                        pauseMs = pause.map(milliseconds)
                    );
                }
                None
            }
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Model {
    /// The model's answer, and how long it is left alone if this failure was one too many. Counts what came of it.
    async fn ask<T>(
        &self,
        question: &schema::Question,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> (Result<T, Failure>, Option<Duration>) {
        let (answer, pause) = self.answer(question, read).await;
        let outcome = answer.as_ref().map_or_else(Failure::as_str, |_| "answered");
        metrics::counter!(metric::INTENT_MODEL, "outcome" => outcome).increment(1);
        (answer, pause)
    }

    async fn answer<T>(
        &self,
        question: &schema::Question,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> (Result<T, Failure>, Option<Duration>) {
        let Ok(_room) = self.room.try_acquire() else { return (Err(Failure::Busy), None) };
        if !self.breaker().allows(Instant::now()) {
            return (Err(Failure::Paused), None);
        }
        let answer = match self.client.ask(question).await {
            Ok(answer) => read(&answer).map_err(Failure::Malformed),
            Err(failure) => Err(failure),
        };
        let pause = match &answer {
            Err(failure) if failure.is_the_servers() => self.breaker().failed(Instant::now()),
            _ => {
                self.breaker().succeeded();
                None
            }
        };
        (answer, pause)
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the rules read.
#[must_use]
pub fn by_rules(text: &str, context: Context<'_>) -> Reading {
    Reading {
        intent: analyse(text, context),
        language: language_of(text, context.language),
        enhanced: Enhanced::Unasked,
    }
}

/// Whether the rules leave nothing to ask: they know every word of such a message.
fn is_certain(intent: &Intent) -> bool {
    match intent {
        Intent::Confirm
        | Intent::Cancel
        | Intent::Greeting
        | Intent::Thanks
        | Intent::OwnWords
        | Intent::Change(_)
        | Intent::Again(_) => true,
        Intent::Answers(answers) => answers.further.subject.is_none() && answers.scene.is_none(),
        Intent::Video(_) | Intent::Help | Intent::Other => false,
    }
}

#[cfg(test)]
mod tests;
