//! What is right of answers of which others are wrong, and what is left to ask then.

use contract::{Parameters, problem::FieldError};
use serde_json::{Map, Value};

use super::{ClarificationQuestion, Draft, Settled, draft, id};
use crate::{
    catalogue::Model,
    intent::{Language, Parameter, Unclear},
};

impl Parameter {
    /// The id of the question that asks for it.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Duration => id::DURATION,
            Self::AspectRatio => id::ASPECT_RATIO,
            Self::Resolution => id::RESOLUTION,
            Self::Seed => id::SEED,
        }
    }
}

/// Takes over what is right of answers that [`apply`](super::apply) refused with these errors, or that said something
/// unclear along with them. What was not answered, or not rightly, stays a question, with what there is to choose by
/// now. What was said beyond the questions and is unclear or does not go together becomes one. `None` if no question
/// would be left, or if something is wrong that no question asks for.
#[must_use]
pub fn keep(
    language: Language,
    responses: &Map<String, Value>,
    errors: &[FieldError],
    asked: Draft,
    unclear: &[Unclear],
    model: &Model,
) -> Option<Draft> {
    let is_wrong = |id: &str| errors.iter().any(|error| error.field.strip_prefix("responses.") == Some(id));
    let is_resolution_asked = asked.questions.iter().any(|question| question.id == id::RESOLUTION);
    let mut settled = Settled { prompt: asked.prompt, parameters: asked.parameters };
    let (mut answered, mut open) = (Vec::new(), Vec::new());
    for question in asked.questions {
        let given = responses.get(&question.id).filter(|given| !given.is_null() && !is_wrong(&question.id));
        let answer = given.and_then(|given| question.read(language, given).ok());
        let taken = answer.and_then(|answer| settled.take(language, &question.id, answer, model).ok());
        if taken.is_some() {
            answered.push(question.id);
        } else {
            open.push(question);
        }
    }
    let is_answered = |id: &str| answered.iter().any(|answered| answered == id);
    settled.reconcile(model, is_answered(id::DURATION), is_answered(id::RESOLUTION), is_resolution_asked);
    let Settled { prompt, parameters } = settled;
    let anew = draft(language, model, Some(prompt.as_str()), &parameters, unclear);
    let (parameters, questions) = together(open, anew, parameters, unclear);
    if questions.is_empty() || !model.check_in(language, &parameters).is_empty() {
        return None;
    }
    Some(Draft { prompt, parameters, questions })
}

/// The open questions of a draft, where there is more to choose by now with that choice. Where there is less, what was
/// to choose before may be said, and is told not to go together with the rest.
#[must_use]
pub fn widened(language: Language, model: &Model, asked: Draft) -> Vec<ClarificationQuestion> {
    let Draft { prompt, parameters, questions } = asked;
    let anew = draft(language, model, Some(prompt.as_str()), &parameters, &[]).questions;
    let widened = |question: ClarificationQuestion| {
        let has_more = |other: &&ClarificationQuestion| other.options.len() > question.options.len();
        let other = anew.iter().filter(has_more).find(|other| other.id == question.id);
        other.cloned().unwrap_or(question)
    };
    questions.into_iter().map(widened).collect()
}

/// The resolution that was named, where the open question is whether to have it or the length that was named: the one
/// that would be asked about in the same words.
#[must_use]
pub fn resolution_in_question(language: Language, model: &Model, asked: &Draft) -> Option<String> {
    let question = asked.questions.iter().find(|question| question.id == id::RESOLUTION)?;
    let would_ask = |name: &String| {
        let named = Parameters { resolution: Some(name.clone()), ..asked.parameters.clone() };
        draft(language, model, Some(asked.prompt.as_str()), &named, &[]).questions.contains(question)
    };
    model.resolutions.iter().map(|resolution| &resolution.name).find(|name| would_ask(name)).cloned()
}

/// The open questions and what would be asked anew, each once. What is not settled yet has lost the values that are
/// asked for again.
fn together(
    open: Vec<ClarificationQuestion>,
    anew: Draft,
    settled: Parameters,
    unclear: &[Unclear],
) -> (Parameters, Vec<ClarificationQuestion>) {
    // A draft with nothing to ask has the defaults in it, which are still to be chosen.
    let parameters = if anew.questions.is_empty() { settled } else { anew.parameters };
    let is_unclear = |id: &str| unclear.iter().any(|unclear| unclear.parameter.question() == id);
    let mut anew = anew.questions;
    let mut questions = Vec::new();
    for question in open {
        let other = anew.iter().position(|other| other.id == question.id).map(|at| anew.remove(at));
        let by_now = other.filter(|other| other.options != question.options || is_unclear(&other.id));
        questions.push(by_now.unwrap_or(question));
    }
    questions.extend(anew);
    (parameters, questions)
}
