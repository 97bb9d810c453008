//! Finds the parameters that a message names: length, shape, resolution, sound and seed. Style and what must
//! not be seen are in [`super::looks`].
//!
//! A word counts only where it speaks of the video: “vertical” in “a vertical video” or “…, vertical”, not
//! in “a vertical farm”; “4 seconds” in “4 seconds long”, not in “after 4 seconds the door opens”.

use std::ops::Range;

use contract::Parameters;

use super::{
    Parameter, Relative, Request, Unclear,
    lexicon::Phrase,
    message::Message,
    text::{Kind, Token},
};

/// What a message names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) parameters: Parameters,
    pub(super) unclear: Vec<Unclear>,
    /// Whether a length was named by how much longer or shorter it shall be.
    pub(super) relative: Option<Relative>,
}

/// A value that was found, and the words that named it.
type Found<T> = Vec<(T, String)>;

/// Ratios that people name; others are taken for ratios only beside a label (“aspect ratio 7:5”).
const RATIOS: [&str; 16] = [
    "16:9", "9:16", "1:1", "4:3", "3:4", "4:5", "5:4", "3:2", "2:3", "21:9", "9:21", "2:1", "1:2", "18:9",
    "2.35:1", "2.39:1",
];

const UPRIGHT: &str = "9:16";
const WIDE: &str = "16:9";

/// Words for a shape, and the ratio that each is taken for.
const SHAPES: [(Phrase, &str); 11] = [
    (Phrase::UprightAlways, UPRIGHT),
    (Phrase::WideAlways, WIDE),
    (Phrase::UprightFor, UPRIGHT),
    (Phrase::WideFor, WIDE),
    (Phrase::UprightKind, UPRIGHT),
    (Phrase::WideKind, WIDE),
    (Phrase::UprightAdjective, UPRIGHT),
    (Phrase::WideAdjective, WIDE),
    (Phrase::Upright, UPRIGHT),
    (Phrase::Wide, WIDE),
    (Phrase::Square, "1:1"),
];

impl Named {
    /// Finds what is named and takes its words from the message. In an answer to a question every word
    /// counts, wherever it stands.
    pub(super) fn take_from(message: &mut Message<'_>, answering: bool) -> Self {
        let mut named = Self::default();
        named.take_seed(message);
        let sizes = take_sizes(message);
        named.take_shape(message, &sizes, answering);
        named.take_resolution(message, sizes);
        named.take_duration(message, answering);
        named.take_sound(message);
        named.take_looks(message);
        message.take_emptied_clauses();
        named
    }

    /// A request for what is named, without a subject.
    pub(super) fn request(&self, message: &Message<'_>) -> Request {
        Request {
            subject: None,
            parameters: self.parameters.clone(),
            unclear: self.unclear.clone(),
            relative: self.relative,
            language: message.lexicon.language,
        }
    }

    fn take_seed(&mut self, message: &mut Message<'_>) {
        for i in 0..message.tokens.len() {
            let label = message.at(Phrase::Seed, i);
            let at = i + label + message.at(Phrase::Is, i + label);
            let Some(token) = message.tokens.get(at) else { return };
            if label == 0 || token.kind != Kind::Number {
                continue;
            }
            match token.text.parse() {
                Ok(seed) => self.parameters.seed = Some(seed),
                Err(_) => self.unclear(Parameter::Seed, token.text.clone()),
            }
            message.take_with_glue(i..at + 1);
        }
    }

    fn take_duration(&mut self, message: &mut Message<'_>, answering: bool) {
        take_turned_down(message, |message, i| duration_at(message, i, answering).map(|(range, _)| range));
        let mut found: Found<Option<u32>> = Vec::new();
        let mut i = 0;
        while i < message.tokens.len() {
            let Some((range, seconds)) = duration_at(message, i, answering) else {
                i += 1;
                continue;
            };
            i = range.end;
            match difference(message, &range) {
                // “The door opens 2 seconds longer than before” is about the scene.
                Some((_, whole)) if !message.ends_clause(whole.end) => {}
                Some((wish, whole)) => {
                    self.relative = Some(wish);
                    message.take_with_glue(whole);
                }
                None => {
                    found.push((seconds, message.quote(range.clone())));
                    message.take_with_glue(range);
                }
            }
        }
        let (clear, odd): (Vec<_>, Vec<_>) = found.into_iter().partition(|(seconds, _)| seconds.is_some());
        if odd.is_empty() {
            let clear = clear.into_iter().filter_map(|(seconds, words)| Some((seconds?, words))).collect();
            self.parameters.duration = self.one_of(Parameter::Duration, clear);
        } else {
            let words: Vec<_> = odd.into_iter().map(|(_, words)| words).collect();
            self.unclear(Parameter::Duration, words.join(", "));
        }
    }

    fn take_resolution(&mut self, message: &mut Message<'_>, sizes: Found<(u32, u32)>) {
        take_turned_down(message, |message, i| resolution_at(message, i).map(|(length, _)| i..i + length));
        let mut found: Found<String> =
            sizes.into_iter().map(|((w, h), words)| (lines(w.min(h)), words)).collect();
        let mut generic = Vec::new();
        let mut i = 0;
        while i < message.tokens.len() {
            let Some((length, name)) = resolution_at(message, i) else {
                i += 1;
                continue;
            };
            let range = i..i + length;
            let words = message.quote(range.clone());
            match name {
                Some(name) => found.push((name, words)),
                None => generic.push(("720p".to_owned(), words)),
            }
            message.take_with_glue(range);
            i += length;
        }
        // “1080p HD” names one resolution: HD alone says only that it is not less than 720p.
        let found = if found.is_empty() { generic } else { found };
        self.parameters.resolution = self.one_of(Parameter::Resolution, found);
    }

    /// A ratio or a word for one outranks the place where the video shall be shown.
    fn take_shape(&mut self, message: &mut Message<'_>, sizes: &Found<(u32, u32)>, answering: bool) {
        take_turned_down(message, shape_at);
        let mut named: Found<String> =
            sizes.iter().map(|((w, h), words)| (reduced(*w, *h), words.clone())).collect();
        let mut places: Found<String> = Vec::new();
        for i in 0..message.tokens.len() {
            if let Some(length) = ratio_at(message, i) {
                let range = i..i + length;
                let words = message.quote(range.clone());
                let value: String = message.tokens[range.clone()]
                    .iter()
                    .map(|token| {
                        if token.kind == Kind::Number { token.text.replace(',', ".") } else { ":".to_owned() }
                    })
                    .collect();
                named.push((value, words));
                message.take_with_glue(range);
            }
        }
        for (kind, value) in SHAPES {
            for i in 0..message.tokens.len() {
                let range = i..i + message.at(kind, i);
                if range.is_empty() || !answering && !counts_as_shape(message, kind, &range) {
                    continue;
                }
                let words = message.quote(range.clone());
                let place = matches!(
                    kind,
                    Phrase::UprightFor | Phrase::WideFor | Phrase::UprightKind | Phrase::WideKind
                );
                if place { &mut places } else { &mut named }.push((value.to_owned(), words));
                message.take_with_glue(range);
            }
        }
        let found = if named.is_empty() { places } else { named };
        self.parameters.aspect_ratio = self.one_of(Parameter::AspectRatio, found);
    }

    fn take_sound(&mut self, message: &mut Message<'_>) {
        for i in 0..message.tokens.len() {
            let silence = message.at(Phrase::Silence, i);
            let silent = message.at(Phrase::Silent, i);
            let sound = message.at(Phrase::Sound, i);
            if silence > 0 {
                self.parameters.audio = Some(false);
                message.take_with_glue(i..i + silence);
            } else if silent > 0 && message.speaks_of_video(&(i..i + silent)) {
                self.parameters.audio = Some(false);
                message.take_with_glue(i..i + silent);
            } else if sound > 0 && message.ends_clause(i + sound) {
                self.parameters.audio = Some(true);
                message.take_with_glue(i..i + sound);
            }
        }
    }

    /// The one value that was found; if there are several that differ, none, and it is unclear.
    fn one_of<T: PartialEq>(&mut self, parameter: Parameter, found: Found<T>) -> Option<T> {
        let (first, others) = found.split_first()?;
        if others.iter().all(|(value, _)| *value == first.0) {
            return found.into_iter().next().map(|(value, _)| value);
        }
        let words: Vec<_> = found.into_iter().map(|(_, words)| words).collect();
        self.unclear(parameter, words.join(", "));
        None
    }

    fn unclear(&mut self, parameter: Parameter, named: String) {
        self.unclear.push(Unclear { parameter, named });
    }
}

/// Takes the values that are named only to be turned down: “horizontal, not vertical”. Where no other one is named,
/// only at the very end: before that, it may be about the scene.
fn take_turned_down(
    message: &mut Message<'_>,
    value_at: impl Fn(&Message<'_>, usize) -> Option<Range<usize>>,
) {
    let mut turned_down: Vec<Range<usize>> = Vec::new();
    let mut is_one_wanted = false;
    let mut i = 0;
    while i < message.tokens.len() {
        let Some(range) = value_at(message, i) else {
            i += 1;
            continue;
        };
        i = range.end;
        match message.before(Phrase::NotValue, range.start) {
            0 => is_one_wanted = true,
            length => turned_down.push(range.start - length..range.end),
        }
    }
    // The last one first: what was taken is not in the way of those before it.
    for range in turned_down.into_iter().rev() {
        let ends_all = message.begins_clause(range.start)
            && message.consists_of(range.end..message.tokens.len(), &[Phrase::Tail]);
        if message.ends_clause(range.end) && (is_one_wanted || ends_all) {
            message.take(range);
        }
    }
}

/// Whether a length says how much longer or shorter the video shall be, and not how long: “2 seconds longer”, “add 2
/// seconds”. Gives all the words that say so.
fn difference(message: &Message<'_>, range: &Range<usize>) -> Option<(Relative, Range<usize>)> {
    let after = |one: Phrase, other: Phrase| message.at(one, range.end).max(message.at(other, range.end));
    let (more, less) = (after(Phrase::More, Phrase::Longer), after(Phrase::Less, Phrase::Shorter));
    let length = more.max(less);
    // “8 seconds more or less” is how long.
    if length > 0 && message.at(Phrase::GlueAfter, range.end) <= length {
        let wish = if more > less { Relative::Longer } else { Relative::Shorter };
        return Some((wish, range.start..range.end + length));
    }
    let (add, cut) = (message.before(Phrase::Add, range.start), message.before(Phrase::Cut, range.start));
    let wish = if add > cut { Relative::Longer } else { Relative::Shorter };
    let length = add.max(cut);
    (length > 0).then(|| (wish, range.start - length..range.end))
}

/// A length that begins at the token: its range, and the seconds if they are one whole number.
fn duration_at(message: &Message<'_>, i: usize, answering: bool) -> Option<(Range<usize>, Option<u32>)> {
    labelled_duration_at(message, i).or_else(|| {
        let (length, value, one_long) = match message.number(i) {
            Some((length, value)) => (length, value, false),
            None => (Some(message.at(Phrase::OneLong, i)).filter(|length| *length > 0)?, 1.0, true),
        };
        let number_end = i + length;
        let range = message.at(Phrase::Range, number_end);
        let second = message.number(number_end + range).filter(|_| range > 0);
        let (unit_at, several) = match second {
            Some((length, _)) => (number_end + range + length, true),
            None => (number_end, false),
        };
        let seconds = message.at(Phrase::Seconds, unit_at);
        let minutes = message.at(Phrase::Minutes, unit_at);
        let hours = message.at(Phrase::Hours, unit_at);
        let end = unit_at + seconds.max(minutes).max(hours);
        if end == unit_at || one_long && seconds > 0 {
            return None;
        }
        let value = value
            * if seconds > 0 {
                1.0
            } else if minutes > 0 {
                60.0
            } else {
                3600.0
            };
        let found = i..end;
        if !answering && !is_length_of_video(message, &found, several, seconds == 0) {
            return None;
        }
        let whole = !several && value.fract() == 0.0 && value < 1e6;
        Some((found, whole.then_some(value as u32)))
    })
}

/// “duration: 8”, “Länge 8”.
fn labelled_duration_at(message: &Message<'_>, i: usize) -> Option<(Range<usize>, Option<u32>)> {
    let label = Some(message.at(Phrase::LengthLabel, i)).filter(|length| *length > 0)?;
    let at = i + label + message.at(Phrase::Is, i + label);
    let token = message.tokens.get(at).filter(|token| token.kind == Kind::Number)?;
    let seconds = token.text.parse().ok().filter(|_| message.is_edge(at + 1))?;
    Some((i..at + 1, Some(seconds)))
}

/// Whether a length says how long the video shall be, and not when something happens in it.
fn is_length_of_video(message: &Message<'_>, range: &Range<usize>, several: bool, long: bool) -> bool {
    let next = message.tokens.get(range.end);
    let after = message.next_noun(range.end);
    let of_video = message.names_video(after) || message.at(Phrase::Footage, after) > 0;
    let long_after = message.at(Phrase::GlueAfter, range.end) > 0;
    if of_video || long_after {
        return true;
    }
    if several && next.is_some_and(|token| token.is_sign(":")) {
        // The cue of a storyboard: “0-3s: the door opens”.
        return false;
    }
    if is_decade(message, range) && !message.is_edge(range.end) {
        return false;
    }
    let before = message.before(Phrase::NotLengthAfter, range.start);
    // “Not longer than 6 seconds” says more than “than”.
    let is_another = before > 0 && before >= message.before(Phrase::GlueBefore, range.start);
    if is_another || message.at(Phrase::NotLengthBefore, range.end) > 0 {
        return false;
    }
    // Minutes and hours in the midst of a sentence belong to what happens in it.
    !long || message.ends_clause(range.end) || message.at(Phrase::Connect, range.end) > 0
}

/// “the 80s” is no length, unless it stands alone.
fn is_decade(message: &Message<'_>, range: &Range<usize>) -> bool {
    let [.., number, unit] = &message.tokens[range.clone()] else { return false };
    let decade =
        number.text.parse::<u32>().is_ok_and(|n| n % 10 == 0 && (n >= 1900 || (20..100).contains(&n)));
    decade && unit.text == "s" && number.end == unit.start
}

/// A ratio or a word for a shape that begins at the token.
fn shape_at(message: &Message<'_>, i: usize) -> Option<Range<usize>> {
    let words = SHAPES.iter().map(|(kind, _)| message.at(*kind, i)).max().unwrap_or(0);
    let length = words.max(ratio_at(message, i).unwrap_or(0));
    (length > 0).then(|| i..i + length)
}

/// A ratio that begins at the token: the number of its tokens.
fn ratio_at(message: &Message<'_>, i: usize) -> Option<usize> {
    let [width, sign, height] = message.tokens.get(i..i + 3)? else { return None };
    let numbers = width.kind == Kind::Number && height.kind == Kind::Number;
    let by = sign.is_sign(":/") || sign.text == "x" || message.at(Phrase::By, i + 1) == 1;
    if !numbers || !by || !message.free(i..i + 3) || message.at(Phrase::NotRatio, i + 3) > 0 {
        return None;
    }
    let ratio = format!("{}:{}", width.text.replace(',', "."), height.text);
    let label = message.before(Phrase::Is, i);
    let labelled = message.before(Phrase::RatioLabel, i - label) > 0;
    let usual = if sign.is_sign("/") { &RATIOS[..1] } else { &RATIOS[..] };
    (labelled || usual.contains(&ratio.as_str())).then_some(3)
}

/// Takes sizes such as `1920x1080`.
fn take_sizes(message: &mut Message<'_>) -> Found<(u32, u32)> {
    let mut sizes = Vec::new();
    for i in 0..message.tokens.len() {
        let Some([width, sign, height]) = message.tokens.get(i..i + 3) else { break };
        let side = |token: &Token| {
            let number = Some(token).filter(|token| token.kind == Kind::Number)?.text.parse::<u32>().ok()?;
            (100..=9999).contains(&number).then_some(number)
        };
        if let (Some(width), Some(height)) = (side(width), side(height))
            && (sign.text == "x" || sign.is_sign("*"))
        {
            sizes.push(((width, height), message.quote(i..i + 3)));
            let pixels = usize::from(
                message.tokens.get(i + 3).is_some_and(|t| t.is_word("px") || t.is_word("pixels")),
            );
            message.take_with_glue(i..i + 3 + pixels);
        }
    }
    sizes
}

/// A resolution that begins at the token: its length, and its name unless it is only “HD”.
fn resolution_at(message: &Message<'_>, i: usize) -> Option<(usize, Option<String>)> {
    let token = message.tokens.get(i)?;
    let (length, name) = if token.kind == Kind::Number && message.free(i..i + 2) {
        let unit = message.tokens.get(i + 1)?;
        let name = match (token.text.as_str(), unit.text.as_str()) {
            ("2" | "4" | "5" | "6" | "8" | "16", "k") => format!("{}k", token.text),
            (
                lines @ ("144" | "240" | "360" | "480" | "540" | "576" | "720" | "1080" | "1440" | "2160"
                | "4320"),
                "p" | "i",
            ) => self::lines(lines.parse().ok()?),
            _ => return None,
        };
        (2, Some(name))
    } else {
        let (full_hd, uhd, hd) =
            (message.at(Phrase::FullHd, i), message.at(Phrase::Uhd, i), message.at(Phrase::Hd, i));
        match (full_hd, uhd, hd) {
            (0, 0, 0) => return None,
            (0, 0, length) => (length, None),
            (0, length, _) => (length, Some("4k".to_owned())),
            (length, ..) => (length, Some("1080p".to_owned())),
        }
    };
    (message.at(Phrase::NotResolution, i + length) == 0).then_some((length, name))
}

/// What a number of lines is called.
fn lines(lines: u32) -> String {
    if lines == 2160 { "4k".to_owned() } else { format!("{lines}p") }
}

/// A size as a ratio in its lowest terms.
fn reduced(width: u32, height: u32) -> String {
    let (mut a, mut b) = (width, height);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    format!("{}:{}", width / divisor, height / divisor)
}

fn counts_as_shape(message: &Message<'_>, kind: Phrase, range: &Range<usize>) -> bool {
    match kind {
        Phrase::UprightAlways | Phrase::WideAlways | Phrase::UprightFor | Phrase::WideFor => true,
        Phrase::UprightKind | Phrase::WideKind => message.names_video(message.next_noun(range.end)),
        Phrase::UprightAdjective | Phrase::WideAdjective => {
            message.speaks_of_video(range) || message.is_edge(range.end)
        }
        _ => message.speaks_of_video(range),
    }
}
