//! What a message wants, read by built-in rules: no network, no model, the same answer every time.
//!
//! [`analyse`] reads a message in plain language. It finds whether a video is asked for, takes the
//! parameters that are named out of the sentence, and keeps the rest, in the user's own words, as what the
//! video shows. The rules know the languages of [`Language`] (`lexicon/`), never guess a value, and never spend
//! money: a yes is only a yes if nothing else was said with it.
//!
//! Pure: no I/O, and it decides nothing. What follows from an intent is for the services to say.

mod answers;
mod language;
mod lexicon;
mod looks;
mod message;
pub mod model;
mod parameters;
pub mod reply;
mod request;
mod talk;
mod text;
pub(crate) mod words;

use contract::Parameters;
use serde_json::{Map, Value};

pub use answers::read_answer;
pub use language::Language;

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
    /// The last video once more, perhaps otherwise (“another one, but vertical”).
    Again(Request),
    /// A yes, and nothing else.
    Confirm,
    /// A no, or a call to stop.
    Cancel,
    /// Where a price waits for a yes: that the prompt be the user's own words, not an enhanced one.
    OwnWords,
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
    /// Whether it shall last longer or shorter than what it is compared with.
    pub relative: Option<Relative>,
    /// The language that it was said in.
    pub language: Language,
}

/// A wish that only compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relative {
    /// “Make it longer.”
    Longer,
    /// “Make it shorter.”
    Shorter,
}

/// Answers to open questions, as `clarification::apply` takes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Keyed by question id. Empty if the user leaves everything to the defaults.
    pub responses: Map<String, Value>,
    /// What was said beyond the questions: further parameters, and as subject further words about the video.
    pub further: Request,
    /// A whole scene that was described where nobody asked for it: what the video shows, said anew.
    pub scene: Option<String>,
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
    /// Whether there is a finished video, and nothing newer is open: it can be asked for again, otherwise.
    pub has_video: bool,
    /// The language that was spoken last, for messages that do not tell.
    pub language: Option<Language>,
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
    let mut message = Message::expected_in(context.language, text);
    if message.tokens.is_empty() {
        return Intent::Other;
    }
    if let Some(intent) = talk::whole_message(&message, context) {
        return intent;
    }
    if let Some(answers) = answers::find(text, context) {
        return Intent::Answers(answers);
    }
    let named = Named::take_from(&mut message, false);
    if talk::asks_for_ability(&message) {
        return Intent::Help;
    }
    let earlier = context.has_video || context.in_the_making;
    if earlier && talk::wants_again(&message) {
        return Intent::Again(Request {
            relative: talk::relative(&message, &named),
            ..named.request(&message)
        });
    }
    let otherwise = talk::wants_change(&message, &named);
    // What only names parameters speaks of the video that is there, if there is one.
    let of_what_is_there = earlier || context.awaiting_confirmation;
    // While something is asked about a video, a scene alone is no wish for another.
    let find = if context.open_questions.is_empty() { request::find } else { request::asked };
    if !(otherwise && of_what_is_there && !talk::names_new_video(&message))
        && let Some(request) = find(&mut message, &named)
    {
        return Intent::Video(request);
    }
    if otherwise {
        return Intent::Change(Request {
            relative: talk::relative(&message, &named),
            ..named.request(&message)
        });
    }
    if talk::asks_about_service(&message) {
        return Intent::Help;
    }
    if context.is_clear()
        && let Some(request) = request::scene(&mut message, &named, context.has_video)
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
    request::find(&mut message, &named).unwrap_or_else(|| request::everything(&message, &named))
}

/// The language of a text, as far as its words tell; else the expected one.
#[must_use]
pub fn language_of(text: &str, expected: Option<Language>) -> Language {
    Message::expected_in(expected, text).lexicon.language
}

#[cfg(test)]
mod tests;
