//! Recognises what is said around videos: yes and no, greetings, thanks, questions about the service.

use contract::Parameters;

use super::{
    Context, Intent, Relative,
    lexicon::Phrase,
    message::Message,
    parameters::Named,
    text::{Kind, Token},
};
use crate::generations::clarification::QuestionKind;

/// What a message wants that consists of nothing but such talk. “Yes, but make it longer” is no yes.
pub(super) fn whole_message(message: &Message<'_>, context: Context<'_>) -> Option<Intent> {
    let asked = context.awaiting_confirmation;
    let waits = asked || !context.open_questions.is_empty();
    let yes_or_no_is_an_answer = context.open_questions.iter().any(|q| q.kind == QuestionKind::Boolean);
    let is = |kind: Phrase, also: &[Phrase]| consists_of(message, kind, also);
    let question = message.tokens.iter().any(|token| token.is_sign("?"));
    // Before the yes and the no: with one of them it is still a wish, and what comes of it has to be seen.
    let own_words = [Phrase::Confirm, Phrase::Agree, Phrase::Refuse, Phrase::Reserve, Phrase::Padding];
    if asked && is(Phrase::OwnWords, &own_words) {
        return Some(Intent::OwnWords);
    }
    if is(Phrase::Cancel, &[Phrase::Refuse, Phrase::Confirm, Phrase::Padding, Phrase::Excuse]) {
        return Some(Intent::Cancel);
    }
    if waits && !yes_or_no_is_an_answer && !question && is(Phrase::Refuse, &[Phrase::Padding]) {
        return Some(Intent::Cancel);
    }
    if asked && !question && is(Phrase::Agree, &[Phrase::Confirm, Phrase::Padding]) {
        return Some(Intent::Confirm);
    }
    if is(Phrase::Thanks, &[Phrase::Greeting, Phrase::Padding]) {
        return Some(Intent::Thanks);
    }
    // With questions open and nothing to confirm, a yes takes their defaults: see `answers`.
    if (asked || !waits) && !question && is(Phrase::Confirm, &[Phrase::Agree, Phrase::Padding]) {
        return Some(Intent::Confirm);
    }
    if is(Phrase::Help, &[Phrase::Greeting, Phrase::Thanks, Phrase::Padding]) {
        return Some(Intent::Help);
    }
    is(Phrase::Greeting, &[Phrase::Padding]).then_some(Intent::Greeting)
}

/// Whether the message consists of phrases of these kinds, at least one of the first kind among them.
pub(super) fn consists_of(message: &Message<'_>, kind: Phrase, also: &[Phrase]) -> bool {
    let (mut i, mut seen) = (0, false);
    while let Some(token) = message.tokens.get(i) {
        let own = message.at(kind, i);
        let other = also.iter().map(|kind| message.at(*kind, i)).max().unwrap_or(0);
        if own > 0 && message.before(Phrase::Negation, i) > 0 {
            // “don't cancel it”.
            return false;
        }
        seen |= own > 0 && own >= other;
        i += match own.max(other) {
            0 if token.kind == Kind::Sign && !denies(message, i) => 1,
            0 => return false,
            length => length,
        };
    }
    seen
}

/// Whether a sign says no without a word: “👎 yes” is no yes.
fn denies(message: &Message<'_>, i: usize) -> bool {
    [Phrase::Refuse, Phrase::Negation, Phrase::Cancel].iter().any(|kind| message.at(*kind, i) > 0)
}

/// “Can you make videos?” asks whether, not for one.
pub(super) fn asks_for_ability(message: &Message<'_>) -> bool {
    const BETWEEN: usize = 3;
    let view: Vec<Token> = message.rest(0..message.tokens.len()).cloned().collect();
    let lexicon = message.lexicon;
    let starts =
        |i: usize| i == 0 || view[i - 1].is_boundary() || lexicon.ends(Phrase::Greeting, &view[..i]) > 0;
    (0..view.len()).filter(|i| starts(*i)).any(|i| {
        let ability = lexicon.starts(Phrase::Ability, &view[i..]);
        ability > 0
            && (i + ability..view.len())
                .take(BETWEEN + 1)
                .find(|k| {
                    view[*k].is_boundary()
                        || lexicon.starts(Phrase::Video, &view[*k..]) > 0
                        || lexicon.starts(Phrase::Videos, &view[*k..]) > 0
                })
                .is_some_and(|k| lexicon.starts(Phrase::Videos, &view[k..]) > 0)
    })
}

/// What may stand around a wish to have something otherwise.
const CHANGE: [Phrase; 6] =
    [Phrase::Change, Phrase::GlueBefore, Phrase::GlueAfter, Phrase::Padding, Phrase::Longer, Phrase::Shorter];

/// Whether the message names parameters and beyond them only says that it shall be so.
pub(super) fn wants_change(message: &Message<'_>, named: &Named) -> bool {
    let names = named.parameters != Parameters::default()
        || !named.unclear.is_empty()
        || relative(message, named).is_some();
    names && !asks(message) && message.consists_of(0..message.tokens.len(), &CHANGE)
}

/// Whether the message, beyond parameters, only says that the last video is wanted once more.
pub(super) fn wants_again(message: &Message<'_>) -> bool {
    let all = 0..message.tokens.len();
    let again = all.clone().any(|i| message.at(Phrase::Again, i) > 0);
    let kinds = [&CHANGE[..], &[Phrase::Again, Phrase::Thanks]].concat();
    again && !asks(message) && !names_new_video(message) && message.consists_of(all, &kinds)
}

/// “A bit longer, please.”
pub(super) fn relative(message: &Message<'_>, named: &Named) -> Option<Relative> {
    let says = |kind| (0..message.tokens.len()).any(|i| message.at(kind, i) > 0);
    match (says(Phrase::Longer), says(Phrase::Shorter)) {
        (true, false) => Some(Relative::Longer),
        (false, true) => Some(Relative::Shorter),
        _ => named.relative,
    }
}

/// Takes “make it longer” from a message that says other things as well, where it is a clause of its own.
pub(super) fn take_relative(message: &mut Message<'_>) -> Option<Relative> {
    if message.tokens.iter().any(|token| token.is_sign("?")) {
        return None;
    }
    let end = message.tokens.len();
    let mut start = 0;
    let mut found = None;
    for i in 0..=end {
        if i < end && !message.is_edge(i) {
            continue;
        }
        let clause = start..i;
        start = i + 1;
        let says = |kind| clause.clone().any(|k| message.at(kind, k) > 0);
        let wish = match (says(Phrase::Longer), says(Phrase::Shorter)) {
            (true, false) => Relative::Longer,
            (false, true) => Relative::Shorter,
            _ => continue,
        };
        if message.consists_of(clause.clone(), &CHANGE) {
            message.take(clause);
            found = Some(wish);
        }
    }
    found
}

/// Whether a video is named that is not one that was spoken of: “a video”, not “the video”.
pub(super) fn names_new_video(message: &Message<'_>) -> bool {
    // “más corto” is shorter, and “un corto” is a short film.
    let compares =
        |i: usize| message.before(Phrase::Longer, i + 1) + message.before(Phrase::Shorter, i + 1) > 0;
    (0..message.tokens.len()).any(|i| {
        message.names_video(i)
            && !compares(i)
            && message.before(Phrase::Definite, i) + message.before(Phrase::Video, i) == 0
    })
}

/// Whether the message begins like a question and ends like one.
fn asks(message: &Message<'_>) -> bool {
    message.tokens.iter().any(|token| token.is_sign("?")) && message.at(Phrase::Opener, 0) > 0
}

/// “How much does a video cost?”, but not “What is a video codec?”.
pub(super) fn asks_about_service(message: &Message<'_>) -> bool {
    let tokens = &message.tokens;
    let opens = |i: usize| i == 0 || tokens[i - 1].ends_sentence() || tokens[i - 1].is_sign(",");
    let asks = tokens.iter().any(|token| token.is_sign("?"))
        || (0..tokens.len()).any(|i| opens(i) && message.lexicon.starts(Phrase::Opener, &tokens[i..]) > 0);
    asks && (0..tokens.len()).any(|i| {
        let topic = message.lexicon.starts(Phrase::HelpTopic, &tokens[i..]);
        topic > 0 && message.lexicon.starts(Phrase::Compound, &tokens[i + topic..]) == 0
    })
}
