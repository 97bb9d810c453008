//! Finds how the video shall look, and what must not be seen in it.

use std::ops::Range;

use super::{lexicon::Phrase, message::Message, parameters::Named, text::Kind};

/// The longest style in words, and the longest thing to leave out.
const LONGEST_STYLE: usize = 6;
const LONGEST_THING: usize = 5;

impl Named {
    /// Takes styles and negatives from the message.
    pub(super) fn take_looks(&mut self, message: &mut Message<'_>) {
        let mut styles: Vec<(usize, String)> = Vec::new();
        for find in [style_of, style_before_word, known_style] {
            for i in 0..message.tokens.len() {
                if let Some((range, words)) = find(message, i) {
                    styles.push((words.start, message.quote(words)));
                    message.take_with_glue(range);
                }
            }
        }
        styles.sort();
        let styles: Vec<_> = styles.into_iter().map(|(_, words)| words).collect();
        self.parameters.style = (!styles.is_empty()).then(|| styles.join(", "));
        let mut negatives: Vec<String> = Vec::new();
        let mut i = 0;
        while i < message.tokens.len() {
            match negative(message, i) {
                Some((range, things)) => {
                    negatives.extend(things.into_iter().map(|thing| message.quote(thing)));
                    i = range.end;
                    message.take_with_glue(range);
                }
                None => i += 1,
            }
        }
        self.parameters.negative_prompt = (!negatives.is_empty()).then(|| negatives.join(", "));
    }
}

/// What was found: everything that belongs to it, and the words that say it.
type Found = (Range<usize>, Range<usize>);

/// “in the style of Wes Anderson”.
fn style_of(message: &Message<'_>, i: usize) -> Option<Found> {
    let start = i + Some(message.at(Phrase::StyleOf, i)).filter(|length| *length > 0)?;
    let mut end = start;
    while end < start + LONGEST_STYLE && !message.is_edge(end) {
        let stop = [Phrase::StyleEnd, Phrase::Without, Phrase::Tail];
        if end > start && stop.iter().any(|kind| message.at(*kind, end) > 0) {
            break;
        }
        end += 1;
    }
    (end > start).then_some((i..end, start..end))
}

/// “in a dreamy pastel style”, “anime style”, “, 90s VHS look,”: the words before “style”.
fn style_before_word(message: &Message<'_>, i: usize) -> Option<Found> {
    let end = i + Some(message.at(Phrase::StyleWord, i)).filter(|length| *length > 0)?;
    let speaks_of_video = message.ends_clause(end)
        || message.names_video(message.next_noun(end))
        || [Phrase::Connect, Phrase::StyleEnd, Phrase::Tail].iter().any(|kind| message.at(*kind, end) > 0);
    if !speaks_of_video {
        return None;
    }
    let mut start = i;
    while start > 0 && i - start < LONGEST_THING {
        let begins = message.begins_clause(start) || message.before(Phrase::StyleIn, start) > 0;
        if start < i && begins {
            return Some((start..end, start..i));
        }
        let stops = message.is_edge(start - 1) || message.tokens[start - 1].kind == Kind::Opaque;
        if stops || start < i && message.before(Phrase::Stop, start) > 0 {
            break;
        }
        start -= 1;
    }
    if start < i && message.begins_clause(start) {
        return Some((start..end, start..i));
    }
    let known = message.before(Phrase::Style, i);
    (known > 0).then_some((i - known..end, i - known..i))
}

/// “a cinematic video”, “in black and white”, “, watercolor”; not “a cyberpunk city”.
fn known_style(message: &Message<'_>, i: usize) -> Option<Found> {
    let length = Some(message.at(Phrase::Style, i)).filter(|length| *length > 0)?;
    let range = i..i + length;
    if message.at(Phrase::Footage, message.next_noun(range.end)) > 0 {
        // “a cinematic shot of …” is part of the scene.
        return None;
    }
    let names_video =
        message.before(Phrase::Video, range.end) + message.before(Phrase::Videos, range.end) > 0;
    if names_video && (message.at(Phrase::Connect, range.end) > 0 || !message.begins_clause(i)) {
        // “a 3D animation of …”: what is asked for, and its look at once; the request takes it.
        return None;
    }
    let start = i - message.before(Phrase::StyleIn, i);
    let after_video =
        start > 0 && message.before(Phrase::Video, start) > 0 && message.at(Phrase::Connect, range.end) > 0;
    (after_video || message.speaks_of_video(&range)).then(|| (range.clone(), range))
}

/// “without people, text or logos”: everything that belongs to it, and each thing.
fn negative(message: &Message<'_>, i: usize) -> Option<(Range<usize>, Vec<Range<usize>>)> {
    let begins_clause = message.begins_clause(i);
    let without = message.at(Phrase::Without, i);
    let no = message.at(Phrase::No, i);
    let mut at = i + match (without, no) {
        (0, 0) => return None,
        (0, no) if begins_clause && message.at(Phrase::NotThing, i + no) == 0 => no,
        (0, _) => return None,
        (without, _) => without,
    };
    let mut things: Vec<Range<usize>> = Vec::new();
    let at_end = loop {
        at += usize::from(message.tokens.get(at).is_some_and(|token| token.is_sign(":")));
        while message.at(Phrase::Any, at) > 0 {
            at += message.at(Phrase::Any, at);
        }
        let thing = at..end_of_thing(message, at);
        if thing.is_empty()
            || thing.len() > LONGEST_THING
            || message.tokens[thing.clone()].iter().skip(1).any(|token| message.lexicon.is_participle(token))
        {
            return None;
        }
        at = thing.end;
        things.push(thing);
        let or = message.at(Phrase::Or, at);
        if or > 0 && !message.is_edge(at + or) {
            at += or;
        } else if message.tokens.get(at).is_some_and(|token| token.is_sign(","))
            && list_goes_on(message, at + 1)
        {
            at += 1;
            at += message.at(Phrase::Or, at);
        } else {
            break or == 0 && message.at(Phrase::Preposition, at) == 0 || message.ends_clause(at);
        }
    };
    // In the midst of a sentence only what is surely a thing alone counts: “a street without cars at night”.
    let longest = if begins_clause { 3 } else { 1 };
    (at_end || things.iter().all(|thing| thing.len() <= longest)).then_some((i..at, things))
}

fn end_of_thing(message: &Message<'_>, start: usize) -> usize {
    let stop = [Phrase::Or, Phrase::Tail, Phrase::Preposition];
    let mut end = start;
    while !message.is_edge(end) {
        let background = message.at(Phrase::Background, end);
        if background == 0 && stop.iter().any(|kind| message.at(*kind, end) > 0) {
            break;
        }
        end += background.max(1);
    }
    end
}

/// Whether another thing follows a comma: the list must still come to its “or”.
fn list_goes_on(message: &Message<'_>, mut at: usize) -> bool {
    loop {
        if message.at(Phrase::Or, at) > 0 {
            return true;
        }
        let end = end_of_thing(message, at);
        if end == at || end - at > 2 {
            return false;
        }
        if message.at(Phrase::Or, end) > 0 {
            return true;
        }
        if !message.tokens.get(end).is_some_and(|token| token.is_sign(",")) {
            return false;
        }
        at = end + 1;
    }
}
