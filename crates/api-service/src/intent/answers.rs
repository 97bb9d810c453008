//! Reads answers in plain language to questions that are open: “8 seconds, vertical”.

use serde_json::{Map, Value};

use super::{
    Answers, Context, Request,
    lexicon::Phrase,
    message::Message,
    parameters::Named,
    request::{self, subject_in},
    talk,
};
use crate::generations::clarification::{ClarificationQuestion, QuestionKind, id};

/// The answers in a message, if it holds any. A message that asks for another video does not answer.
pub(super) fn find(text: &str, context: Context<'_>) -> Option<Answers> {
    let questions = context.open_questions;
    if questions.is_empty() {
        return None;
    }
    let mut message = Message::expected_in(context.language, text);
    let language = message.lexicon.language;
    if let Some(responses) = short_answer(&message, questions) {
        let further = Request { language, ..Request::default() };
        return Some(Answers { responses, further, scene: None });
    }
    let asks = |id: &str| questions.iter().any(|question| question.id == id);
    let mut further = named_in(&mut message, asks(id::DURATION));
    if !asks(id::SUBJECT) {
        // To the other questions it is an answer, or a wish for what is settled; to that one it may be a scene.
        further.relative = talk::take_relative(&mut message).or(further.relative);
    }
    let mut scene = None;
    let rest = if asks(id::SUBJECT) {
        match request::find(&mut message, &Named::default()) {
            Some(request) => request.subject,
            None => rest_of(&mut message),
        }
    } else {
        match request::asked(&mut message, &Named::default()) {
            Some(Request { subject: Some(_), .. }) => return None,
            Some(_) => None,
            None => {
                scene = request::described(&mut message);
                if scene.is_none() { rest_of(&mut message) } else { None }
            }
        }
    };
    let mut responses = Map::new();
    for question in questions {
        if let Some(value) = take_value(&mut further, &question.id) {
            responses.insert(question.id.clone(), value);
        }
    }
    match rest {
        Some(subject) if asks(id::SUBJECT) => {
            responses.insert(id::SUBJECT.to_owned(), subject.into());
        }
        rest => further.subject = rest,
    }
    // Words alone answer nothing unless the subject is asked for, or they say it anew.
    let nothing_named =
        Request { subject: further.subject.clone(), language, ..Request::default() } == further;
    let says_nothing = responses.is_empty() && scene.is_none() && nothing_named;
    (!says_nothing).then_some(Answers { responses, further, scene })
}

/// Reads one answer that was given as text, for example `8 seconds` to the question for the duration.
#[must_use]
pub fn read_answer(text: &str, question: &str) -> Option<Value> {
    take_value(&mut named_in(&mut Message::new(text), question == id::DURATION), question)
}

/// “Whatever you like” and “yes” leave it to the defaults; “no” answers those that take a no.
fn short_answer(message: &Message<'_>, questions: &[ClarificationQuestion]) -> Option<Map<String, Value>> {
    let is = |kind: Phrase, also: &[Phrase]| talk::consists_of(message, kind, also);
    if is(Phrase::Whatever, &[Phrase::Confirm, Phrase::Agree, Phrase::Padding])
        || is(Phrase::Confirm, &[Phrase::Agree, Phrase::Padding])
    {
        return Some(Map::new());
    }
    if !is(Phrase::Refuse, &[Phrase::Padding]) {
        return None;
    }
    let booleans = questions.iter().filter(|question| question.kind == QuestionKind::Boolean);
    let responses: Map<_, _> = booleans.map(|question| (question.id.clone(), false.into())).collect();
    (!responses.is_empty()).then_some(responses)
}

/// The parameters that an answer names; where a length is asked for, a bare number is one.
fn named_in(message: &mut Message<'_>, bare_numbers: bool) -> Request {
    let mut named = Named::take_from(message, true).request(message);
    if bare_numbers && named.parameters.duration.is_none() {
        named.parameters.duration = take_bare_number(message);
    }
    named
}

fn take_bare_number(message: &mut Message<'_>) -> Option<u32> {
    for i in 0..message.tokens.len() {
        let Some((length, value)) = message.number(i) else { continue };
        // “A new one: …” is no length.
        if message.before(Phrase::Again, i + length) > 0 {
            continue;
        }
        let mut start = i;
        loop {
            let glue = message.before(Phrase::Change, start).max(message.before(Phrase::GlueBefore, start));
            if glue == 0 {
                break;
            }
            start -= glue;
        }
        let alone = message.begins_clause(start) && message.ends_clause(i + length);
        if alone && value.fract() == 0.0 && value < 1e6 {
            message.take(start..i + length);
            return Some(value as u32);
        }
    }
    None
}

/// Moves the value that answers a question out of what was named.
pub(super) fn take_value(named: &mut Request, question: &str) -> Option<Value> {
    let parameters = &mut named.parameters;
    match question {
        id::DURATION => parameters.duration.take().map(Value::from),
        id::ASPECT_RATIO => parameters.aspect_ratio.take().map(Value::from),
        id::RESOLUTION => parameters.resolution.take().map(Value::from),
        id::AUDIO => parameters.audio.take().map(Value::from),
        _ => None,
    }
}

/// The words that are left, if they say something about the video and are no question.
fn rest_of(message: &mut Message<'_>) -> Option<String> {
    let all = 0..message.tokens.len();
    let glue = [
        Phrase::Change,
        Phrase::GlueBefore,
        Phrase::GlueAfter,
        Phrase::Padding,
        Phrase::Confirm,
        Phrase::Agree,
    ];
    let question = message.at(Phrase::Opener, 0) > 0 || message.rest(all.clone()).any(|t| t.is_sign("?"));
    if question || message.consists_of(all.clone(), &glue) {
        return None;
    }
    let first = all.clone().find(|i| !message.is_edge(*i)).unwrap_or(0);
    let lead = message.at(Phrase::SubjectLead, first);
    message.take(first..first + lead);
    subject_in(message, all)
}
