//! What a message wants, read by built-in rules: no network, no model, the same answer every time.
//!
//! [`analyse`] reads a message in plain language. It finds whether a video is asked for, takes the
//! parameters that are named out of the sentence, and keeps the rest, in the user's own words, as what the
//! video shows. The rules know English (`lexicon/`; the files of other languages wait for their words), never
//! guess a value, and never spend money: a yes is only a yes if nothing else was said with it.
//!
//! Pure: no I/O, and it decides nothing. What follows from an intent is for the services to say.

mod answers;
mod lexicon;
mod looks;
mod message;
mod parameters;
pub mod reply;
mod request;
mod talk;
mod text;

use contract::Parameters;
use serde_json::{Map, Value};

pub use answers::read_answer;

use crate::generations::clarification::ClarificationQuestion;
use message::Message;
use parameters::Named;

/// What a message wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// A new video.
    Video(Request),
    /// It answers the open questions.
    Answers(Answers),
    /// It wants something otherwise (“make it vertical”) and asks no new video. Only values that were named
    /// are in the request, and never a subject.
    Change(Request),
    /// A yes, and nothing else.
    Confirm,
    /// A no, or a call to stop.
    Cancel,
    /// A greeting.
    Greeting,
    /// Thanks or praise.
    Thanks,
    /// A question about what the assistant can do, costs, allows.
    Help,
    /// None of these.
    Other,
}

/// What a message says about a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What the video shows, in the user's own words, without the asking and the parameters: the prompt.
    pub subject: Option<String>,
    /// The parameters that were named, allowed or not: that is for the model's catalogue entry to say.
    pub parameters: Parameters,
    /// Parameters that were named, but not clearly.
    pub unclear: Vec<Unclear>,
}

/// Answers to open questions, as `clarification::apply` takes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Keyed by question id. Empty if the user leaves everything to the defaults.
    pub responses: Map<String, Value>,
    /// What was said beyond the questions: further parameters, and as subject further words about the video.
    pub further: Request,
}

/// A parameter that was named in a way that leaves open which value is meant: two lengths in one message, a
/// length between two, a seed too large to be one. It becomes a question, never a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// Which parameter.
    pub parameter: Parameter,
    /// The words that named it.
    pub named: String,
}

/// The parameters of which a message can name a value that needs a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The length.
    Duration,
    /// Width to height.
    AspectRatio,
    /// The size of the picture.
    Resolution,
    /// The seed.
    Seed,
}

/// What the conversation is waiting for when the message arrives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The questions of the generation in `pending_clarification`; empty if there is none.
    pub open_questions: &'a [ClarificationQuestion],
    /// Whether a generation in `pending_confirmation` waits for a yes.
    pub awaiting_confirmation: bool,
    /// Whether a generation is being made: what is said in passing may be said of that one.
    pub in_the_making: bool,
}

impl Context<'_> {
    /// Whether nothing is open that a few words could speak of.
    const fn is_clear(&self) -> bool {
        self.open_questions.is_empty() && !self.awaiting_confirmation && !self.in_the_making
    }
}

/// Reads what a message wants.
#[must_use]
pub fn analyse(text: &str, context: Context<'_>) -> Intent {
    let mut message = Message::new(text);
    if message.tokens.is_empty() {
        return Intent::Other;
    }
    if let Some(intent) = talk::whole_message(&message, context) {
        return intent;
    }
    if let Some(answers) = answers::find(text, context.open_questions) {
        return Intent::Answers(answers);
    }
    let named = Named::take_from(&mut message, false);
    if talk::asks_for_ability(&message) {
        return Intent::Help;
    }
    if let Some(request) = request::find(&mut message, &named) {
        return Intent::Video(request);
    }
    if talk::wants_change(&message, &named) {
        let Named { parameters, unclear } = named;
        return Intent::Change(Request { subject: None, parameters, unclear });
    }
    if talk::asks_about_service(&message) {
        return Intent::Help;
    }
    if context.is_clear()
        && let Some(request) = request::scene(&mut message, &named)
    {
        return Intent::Video(request);
    }
    Intent::Other
}

/// Reads a text that is known to ask for a video, such as the prompt of a direct request: whatever is not a
/// parameter and not a way of asking is its subject.
#[must_use]
pub fn read_request(text: &str) -> Request {
    let mut message = Message::new(text);
    let named = Named::take_from(&mut message, false);
    request::find(&mut message, &named).unwrap_or_else(|| request::everything(&message, named))
}

#[cfg(test)]
mod tests;
