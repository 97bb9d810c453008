//! Finds whether a video is asked for, and what it shall show.
//!
//! A request has a form: a way of asking (“could you make me”), a video (“a short clip”), and a subject (“of
//! a cat”). Talk about videos lacks one of them: “I watched a video”, “how do I upload a video?”.

use std::ops::Range;

use super::{
    Request,
    lexicon::{Lexicon, Phrase},
    message::Message,
    parameters::Named,
    text::{Kind, Token},
};

/// How many words may stand between the asking and the video.
const LONGEST_BETWEEN: usize = 8;

/// The request in a message, if it holds one.
pub(super) fn find(message: &mut Message<'_>, named: &Named) -> Option<Request> {
    asked(message, named).or_else(|| {
        let view = View::of(message);
        let found = view.scene_at(view.after_greeting(0), named)?;
        Some(taken(message, &view, found, named))
    })
}

/// The request in a message that says it wants a video, or names one.
pub(super) fn asked(message: &mut Message<'_>, named: &Named) -> Option<Request> {
    let view = View::of(message);
    let asking = view.starts().find_map(|start| view.request_at(start));
    let found = asking.or_else(|| {
        let start = view.after_greeting(0);
        view.fragment_at(start).or_else(|| view.another_at(start))
    })?;
    Some(taken(message, &view, found, named))
}

/// What a message shows that asks for nothing and describes a scene in whole. Less of a scene may be more words about
/// another.
pub(super) fn described(message: &mut Message<'_>) -> Option<String> {
    let view = View::of(message);
    let found = view.whole_scene_at(view.after_lead())?;
    taken(message, &view, found, &Named::default()).subject
}

/// The scene that a short message describes and asks for nothing: “a cat playing piano”. Only for where nothing
/// else is open that it could speak of. What is spoken of as known (“the cat”) may be a video that there is.
pub(super) fn scene(message: &mut Message<'_>, named: &Named, has_video: bool) -> Option<Request> {
    let view = View::of(message);
    let start = view.after_greeting(0);
    let found =
        view.short_scene_at(start).or_else(|| view.definite_scene_at(start).filter(|_| !has_video))?;
    Some(taken(message, &view, found, named))
}

/// Takes what was found out of the message.
fn taken(message: &mut Message<'_>, view: &View, found: Found, named: &Named) -> Request {
    let mut request = named.request(message);
    let place = |range: &Range<usize>| view.places[range.start]..view.places[range.end - 1] + 1;
    if let Some(look) = &found.look {
        let look = message.words(place(look));
        let style = &mut request.parameters.style;
        *style = Some(style.take().map_or(look.clone(), |style| format!("{look}, {style}")));
    }
    if found.upright && request.parameters.aspect_ratio.is_none() {
        request.parameters.aspect_ratio = Some("9:16".to_owned());
    }
    let end = message.tokens.len();
    let subject_start = view.places.get(found.subject).copied().unwrap_or(end);
    let asked_at = view.places.get(found.start).copied().unwrap_or(end);
    take_questions(message, subject_start);
    take_verbs_at_end(message, subject_start);
    let subject = subject_in(message, subject_start..end);
    let say = |range: &Range<usize>| message.words(place(range));
    let mut between = found.between;
    request.subject = match subject {
        Some(subject) => {
            Some(between.iter().fold(subject, |subject, range| format!("{subject}, {}", say(range))))
        }
        None if between.is_empty() => earlier_subject(message, asked_at),
        None => {
            between[0].start = found.article.unwrap_or(between[0].start);
            Some(between.iter().map(say).collect::<Vec<_>>().join(" "))
        }
    };
    request
}

/// A text that is all subject.
pub(super) fn everything(message: &Message<'_>, named: &Named) -> Request {
    Request { subject: subject_in(message, 0..message.tokens.len()), ..named.request(message) }
}

/// The subject that is described in the range: what nobody took, without the politeness around it.
pub(super) fn subject_in(message: &Message<'_>, range: Range<usize>) -> Option<String> {
    let lexicon = message.lexicon;
    let free: Vec<usize> = range.filter(|i| message.free(*i..*i + 1)).collect();
    let tokens: Vec<Token> = free.iter().map(|i| message.tokens[*i].clone()).collect();
    let (mut start, mut end) = (0, tokens.len());
    while end > start {
        let tail = lexicon.ends(Phrase::Tail, &tokens[start..end]);
        // “… of me, please” is politeness; “… of a cat that says thank you” is not to be told from it.
        end -= if tokens[end - 1].is_boundary() {
            1
        } else if tail > 0 {
            tail
        } else {
            break;
        };
    }
    while end > start {
        let lead = lexicon.starts(Phrase::Or, &tokens[start..end]);
        start += if tokens[start].is_boundary() {
            1
        } else if lead > 0 {
            lead
        } else {
            break;
        };
    }
    let tokens = &tokens[start..end];
    if tokens.is_empty() || lexicon.is(Phrase::Pronoun, tokens) {
        return None;
    }
    let says_something = tokens.iter().any(|token| token.kind != Kind::Sign || !token.text.is_ascii());
    let words = message.words(free[start]..free[end - 1] + 1);
    let words = match tokens {
        // A subject that is all in quotation marks is meant without them.
        [only] if only.kind == Kind::Opaque && !words.starts_with('[') => {
            words.trim_matches(['"', '“', '”', '„', '«', '»']).trim().to_owned()
        }
        _ => words,
    };
    (says_something && !words.is_empty()).then_some(words)
}

/// Takes the questions that follow a request: “… of a cat. How much will that cost?”
fn take_questions(message: &mut Message<'_>, from: usize) {
    let mut start = from;
    let mut first = true;
    for end in from..message.tokens.len() {
        if !message.tokens[end].ends_sentence() {
            continue;
        }
        if !first && message.tokens[end].is_sign("?") {
            message.take(start..end + 1);
        }
        first = false;
        start = end + 1;
    }
}

/// “… von einem Drachen machen, der über eine Burg fliegt”: what is made was asked for long before.
fn take_verbs_at_end(message: &mut Message<'_>, from: usize) {
    for i in from + 1..message.tokens.len() {
        let length = message.at(Phrase::VerbAtEnd, i);
        if length > 0 && message.is_edge(i + length) {
            message.take(i..i + length);
        }
    }
}

/// “A dragon flies over Berlin. Make a video of that.”
fn earlier_subject(message: &Message<'_>, asked_at: usize) -> Option<String> {
    const SHORTEST: usize = 3;
    let before = message.tokens[..asked_at].iter().rposition(Token::ends_sentence)?;
    let start = message.tokens[..before].iter().rposition(|t| t.is_sign("!?\n")).map_or(0, |i| i + 1);
    let words = message.rest(start..before).filter(|token| token.kind == Kind::Word).count();
    let talks = [Phrase::Opener, Phrase::Personal, Phrase::Greeting, Phrase::Polite];
    if words < SHORTEST || talks.iter().any(|kind| message.at(*kind, start) > 0) {
        return None;
    }
    subject_in(message, start..before)
}

/// What was found; all positions are the view's.
#[derive(Default)]
struct Found {
    /// Where the asking begins.
    start: usize,
    /// What stands between asking and video and is no filler: “paper boat” in “make a paper boat video”.
    between: Vec<Range<usize>>,
    /// Where the article before it begins, if it stands right before it.
    article: Option<usize>,
    /// Words for the video that also say how it looks: “cartoon”.
    look: Option<Range<usize>>,
    /// Whether the word for the video says that it is upright: “reel”.
    upright: bool,
    /// Where the subject begins.
    subject: usize,
}

/// The tokens that nobody has taken, side by side, and where they stand in the message.
struct View {
    tokens: Vec<Token>,
    places: Vec<usize>,
    lexicon: &'static Lexicon,
}

impl View {
    fn of(message: &Message<'_>) -> Self {
        // A comma after something taken belonged to it: “a vertical, 8-second clip”.
        let hangs = |i: usize| i > 0 && message.tokens[i].is_sign(",") && !message.free(i - 1..i);
        let free = |i: &usize| message.free(*i..*i + 1) && !hangs(*i);
        let places: Vec<usize> = (0..message.tokens.len()).filter(free).collect();
        let tokens = places.iter().map(|i| message.tokens[*i].clone()).collect();
        Self { tokens, places, lexicon: message.lexicon }
    }

    fn at(&self, kind: Phrase, i: usize) -> usize {
        self.lexicon.starts(kind, self.tokens.get(i..).unwrap_or_default())
    }

    fn is_sign(&self, i: usize, signs: &str) -> bool {
        self.tokens.get(i).is_some_and(|token| token.is_sign(signs))
    }

    fn is_boundary(&self, i: usize) -> bool {
        self.tokens.get(i).is_none_or(Token::is_boundary)
    }

    /// Where an asking may begin: at the start of a sentence, and after a comma in one that is no question.
    fn starts(&self) -> impl Iterator<Item = usize> {
        let mut sentence = 0;
        (0..self.tokens.len()).filter(move |&i| {
            if i == 0 || self.tokens[i - 1].ends_sentence() {
                sentence = i;
                return true;
            }
            self.tokens[i - 1].is_boundary() && self.at(Phrase::Opener, sentence) == 0
        })
    }

    /// Skips signs, greetings and politeness.
    fn after_greeting(&self, i: usize) -> usize {
        self.after(i, &[Phrase::Polite, Phrase::Greeting])
    }

    /// Skips signs, greetings and what may begin an answer. “And a dog running” says more of what there is already.
    fn after_lead(&self) -> usize {
        let lead = [Phrase::Greeting, Phrase::Confirm, Phrase::Refuse, Phrase::Tail, Phrase::SubjectLead];
        self.after(0, &lead)
    }

    /// Skips signs and phrases of these kinds.
    fn after(&self, mut i: usize, kinds: &[Phrase]) -> usize {
        while i < self.tokens.len() {
            let known = kinds.iter().map(|kind| self.at(*kind, i)).max().unwrap_or(0);
            match known.max(usize::from(self.is_boundary(i))) {
                0 => break,
                length => i += length,
            }
        }
        i
    }

    /// “Could you please make me a short video of …”.
    fn request_at(&self, start: usize) -> Option<Found> {
        let mut i = start;
        loop {
            for (kind, strong) in [(Phrase::Make, true), (Phrase::Want, false)] {
                let length = self.at(kind, i);
                if length > 0
                    && let Some(found) = self.video_after(i + length, strong)
                {
                    return Some(Found { start, ..found });
                }
            }
            if let Some(subject) = self.scene_after_verb(i) {
                return Some(Found { start, subject, ..Found::default() });
            }
            let polite = self.at(Phrase::Polite, i);
            i += if polite > 0 {
                polite
            } else if self.is_sign(i, ",") && i > start {
                1
            } else {
                return None;
            };
        }
    }

    /// “… me a short video of …”.
    fn video_after(&self, mut i: usize, strong: bool) -> Option<Found> {
        loop {
            let whom = self.at(Phrase::Whom, i);
            i += if whom > 0 {
                whom
            } else if self.is_sign(i, ",") {
                1
            } else {
                break;
            };
        }
        let definite = self.at(Phrase::Definite, i);
        i += definite.max(self.at(Phrase::Determiner, i));
        let (noun, end) = self.video_in(i)?;
        let after = self.connection(end);
        if definite > 0 && !(strong && after.connects) {
            return None;
        }
        let loose =
            self.at(Phrase::Preposition, end) > 0 || self.is_boundary(end) || self.at(Phrase::Tail, end) > 0;
        let opaque = self.tokens.get(end).is_some_and(|token| token.kind == Kind::Opaque);
        (strong || after.connects || loose || opaque || noun == end)
            .then(|| self.found(i, noun, end, after.subject))
    }

    /// “A short video of …”, “paper boat video please”.
    fn fragment_at(&self, start: usize) -> Option<Found> {
        let i = start + self.at(Phrase::Determiner, start);
        let (noun, end) = self.video_in(i)?;
        let odd = [
            Phrase::Handle,
            Phrase::Opener,
            Phrase::Personal,
            Phrase::Definite,
            Phrase::Negation,
            Phrase::Make,
            Phrase::Want,
        ];
        if (start..noun).any(|k| odd.iter().any(|kind| self.at(*kind, k) > 0)) {
            return None;
        }
        if self.at(Phrase::ConnectSure, end) > 0 {
            let denied = (end..self.tokens.len()).any(|k| self.at(Phrase::Negation, k) > 0);
            let after = self.connection(end);
            return (!denied).then(|| Found { start, ..self.found(i, noun, end, after.subject) });
        }
        if self.is_sign(end, ":-") && end + 1 < self.tokens.len() {
            return Some(Found { start, ..self.found(i, noun, end, end + 1) });
        }
        let mut k = end;
        while k < self.tokens.len() {
            let tail = self.at(Phrase::Tail, k);
            k += if self.is_boundary(k) && !self.is_sign(k, "?") {
                1
            } else if tail > 0 {
                tail
            } else {
                return None;
            };
        }
        (self.at(Phrase::Videos, noun) == 0).then(|| Found { start, ..self.found(i, noun, end, end) })
    }

    /// “Another one: a dog in the park”.
    fn another_at(&self, start: usize) -> Option<Found> {
        let end = start + self.at(Phrase::Again, start);
        let subject = end + 1;
        let is_told = end > start && self.is_sign(end, ":") && subject < self.tokens.len();
        (is_told && !self.talks(subject)).then(|| Found { start, subject, ..Found::default() })
    }

    /// “A paper boat crossing a street at dusk”: a scene and nothing else. Where parameters of a video are
    /// named beside it, less of a scene is enough.
    fn scene_at(&self, start: usize, named: &Named) -> Option<Found> {
        if self.talks(start) || self.at(Phrase::Pronoun, start) > 0 {
            return None;
        }
        let words = self.tokens[start..].iter().filter(|token| token.kind == Kind::Word).count();
        let parameters = &named.parameters;
        let named = usize::from(parameters.duration.is_some())
            + usize::from(parameters.aspect_ratio.is_some())
            + usize::from(parameters.resolution.is_some());
        let determined = self.at(Phrase::Determiner, start) > 0;
        let scene = match named {
            0 => determined && (self.acts(start) || words >= 5),
            1 => determined && words >= 3,
            _ => words >= 1,
        };
        scene.then(|| Found { start, subject: start, ..Found::default() })
    }

    /// Likewise, where it is sure that it is whole: something, and what it does. “A softer light on the boat” is not,
    /// nor is “a bird flying in the background”.
    fn whole_scene_at(&self, start: usize) -> Option<Found> {
        let determiner = self.at(Phrase::Determiner, start);
        let is_part = (start..self.tokens.len()).any(|k| self.at(Phrase::Background, k) > 0);
        let whole = determiner > 0
            && !is_part
            && !self.talks(start)
            && self.acts(start)
            && self.is_scene(start + determiner, self.tokens.len(), true);
        whole.then(|| Found { start, subject: start, ..Found::default() })
    }

    /// Whether the words from here on speak to somebody, of something known, or ask.
    fn talks(&self, start: usize) -> bool {
        let kinds = [Phrase::Personal, Phrase::Opener, Phrase::Negation];
        self.tokens[start..].iter().any(|token| token.is_sign("?"))
            || (start..self.tokens.len()).any(|k| {
                kinds.iter().any(|kind| self.at(*kind, k) > 0 && (*kind != Phrase::Opener || k == start))
            })
            || self.at(Phrase::Definite, start) + self.at(Phrase::Handle, start) > 0
    }

    /// “A cat playing piano”, “waves at sunset”: something, and what it does or where it is.
    fn short_scene_at(&self, start: usize) -> Option<Found> {
        const SHORTEST: usize = 3;
        let bracket = |token: &&Token| token.kind == Kind::Opaque;
        let first = start + self.tokens.get(start..)?.iter().take_while(bracket).count();
        let words = self.tokens[first..].iter().filter(|token| token.kind == Kind::Word).count();
        let all = || first..self.tokens.len();
        let asks = all()
            .any(|k| self.is_sign(k, "?") || self.at(Phrase::Personal, k) + self.at(Phrase::Negation, k) > 0);
        let determiner = self.at(Phrase::Determiner, first);
        let thing = first + determiner;
        let talks = [
            Phrase::Opener,
            Phrase::Definite,
            Phrase::Pronoun,
            Phrase::Handle,
            Phrase::Make,
            Phrase::Want,
            Phrase::Thanks,
            Phrase::Help,
            Phrase::Confirm,
            Phrase::Cancel,
            Phrase::NotScene,
        ];
        // A style or a nice word is no reason to doubt where an article says that a thing comes.
        let talks = talks.iter().filter(|kind| determiner == 0 || **kind != Phrase::Handle);
        if asks || words < SHORTEST || talks.into_iter().any(|kind| self.at(*kind, thing) > 0) {
            return None;
        }
        self.is_scene(thing, self.tokens.len(), determiner > 0).then(|| Found {
            start,
            subject: start,
            ..Found::default()
        })
    }

    /// “The dog runs through the park”: something, what it does, and where.
    fn definite_scene_at(&self, start: usize) -> Option<Found> {
        let thing = start + self.at(Phrase::Definite, start);
        let lies = |k: usize| self.at(Phrase::Place, k) > 0 && !self.is_boundary(k + 1);
        let is_scene = thing > start
            && self.at(Phrase::Personal, start) == 0
            && self.at(Phrase::NotScene, thing) == 0
            && !self.talks(thing)
            && self.acts(start)
            && self.is_scene(thing, self.tokens.len(), true)
            && (thing + 1..self.tokens.len()).any(lies);
        is_scene.then(|| Found { start, subject: start, ..Found::default() })
    }

    /// Whether more is said of a thing before `end`: what it does, or where it is.
    fn is_scene(&self, thing: usize, end: usize, is_determined: bool) -> bool {
        let acts = |k: &usize| {
            let complete = is_determined || !self.is_boundary(k + 1);
            complete && self.lexicon.acts(&self.tokens[*k..])
        };
        let lies = |k: &usize| self.at(Phrase::Place, *k) > 0 && !self.is_boundary(k + 1);
        let Some(goes_on) = (thing + 1..end).find(|k| acts(k) || lies(k)) else { return false };
        let things = [Phrase::OtherThing, Phrase::Video, Phrase::Videos, Phrase::HelpTopic];
        !(thing..goes_on).any(|k| self.is_boundary(k) || things.iter().any(|kind| self.at(*kind, k) > 0))
    }

    /// “Animate a dragon”, “generate a dragon over Berlin”, “make a dog dancing in the rain”, “show me a cat in a hat”.
    fn scene_after_verb(&self, i: usize) -> Option<usize> {
        let depict = self.at(Phrase::Depict, i);
        let generate = self.at(Phrase::Generate, i);
        let made = depict.max(generate).max(self.at(Phrase::Make, i));
        let mut subject = i + made.max(self.at(Phrase::Show, i));
        if subject == i {
            return None;
        }
        while self.at(Phrase::Whom, subject) > 0 {
            subject += self.at(Phrase::Whom, subject);
        }
        let end = (subject..self.tokens.len())
            .find(|k| self.tokens[*k].ends_sentence())
            .unwrap_or(self.tokens.len());
        let determiner = self.at(Phrase::Determiner, subject);
        // What is made is named before anything is said of it.
        let named = |k: &usize| {
            self.at(Phrase::Preposition, *k) == 0 && !self.lexicon.is_participle(&self.tokens[*k])
        };
        let things = [Phrase::OtherThing, Phrase::Video, Phrase::Videos];
        let odd = (subject..end)
            .take(LONGEST_BETWEEN)
            .take_while(named)
            .any(|k| things.iter().any(|kind| self.at(*kind, k) > 0));
        let words = end - subject;
        let enough = if determiner == 0 {
            // “Generate waves crashing on a beach.”
            generate > 0 && self.acts(subject - 1)
        } else if depict > 0 {
            words >= 2
        } else if made > 0 {
            generate > 0 && words >= 4 || self.acts(subject)
        } else {
            // There is more to see than videos.
            self.is_scene(subject + determiner, end, true)
        };
        (!odd && enough).then_some(subject)
    }

    /// Whether something acts: “crossing a”, “jumping over”.
    fn acts(&self, start: usize) -> bool {
        const FURTHEST: usize = 8;
        (start + 2..self.tokens.len().min(start + FURTHEST)).any(|k| {
            self.lexicon.acts(&self.tokens[k..])
                && (self.at(Phrase::ActingOn, k + 1) > 0 || self.is_boundary(k + 1))
        })
    }

    /// The words for a video after what may stand before them.
    fn video_in(&self, start: usize) -> Option<(usize, usize)> {
        let mut i = start;
        while i <= start + LONGEST_BETWEEN {
            let token = self.tokens.get(i)?;
            let video = self.at(Phrase::Video, i).max(self.at(Phrase::Videos, i));
            let footage = self.at(Phrase::Footage, i);
            if video > 0 && self.at(Phrase::Compound, i + video) == 0 {
                return Some((i, i + video));
            }
            let connects = self.at(Phrase::Connect, i + footage) > 0;
            let compound = video == 0 && self.lexicon.is_compound(token);
            if compound || footage > 0 && connects && self.at(Phrase::Video, i + footage) == 0 {
                // It says how the scene is shown, so that it stays in the subject.
                return Some((i, i));
            }
            if token.kind != Kind::Word && token.kind != Kind::Number || self.at(Phrase::Stop, i) > 0 {
                return None;
            }
            i += video.max(1);
        }
        None
    }

    /// How the subject is joined to the video.
    fn connection(&self, end: usize) -> Connection {
        let mut i = end;
        while self.at(Phrase::Filler, i) > 0 && self.at(Phrase::Connect, i) == 0 {
            // “un vídeo corto de …”: adjectives may follow the noun.
            i += self.at(Phrase::Filler, i);
        }
        if self.at(Phrase::Connect, i) == 0 {
            i = end;
        }
        let mut tail = self.at(Phrase::Tail, i);
        while tail > 0 && self.at(Phrase::Connect, i + tail) > 0 {
            // “a video, please, of …”.
            i += tail;
            tail = self.at(Phrase::Tail, i);
        }
        let connect = self.at(Phrase::Connect, i);
        let politeness = tail >= connect && self.is_boundary(i + tail);
        if connect > 0 && !politeness {
            Connection { connects: true, subject: i + connect + usize::from(self.is_sign(i + connect, ":")) }
        } else {
            Connection { connects: self.is_sign(i, ":"), subject: i }
        }
    }

    /// Puts together what was found around the words for a video.
    fn found(&self, from: usize, noun: usize, end: usize, subject: usize) -> Found {
        let upright = (noun..end).any(|k| self.at(Phrase::UprightKind, k) > 0);
        if noun == end {
            // Footage: everything from its first word on is the subject.
            let start = if from > 0 && self.lexicon.ends(Phrase::Determiner, &self.tokens[..from]) > 0 {
                from - 1
            } else {
                from
            };
            return Found { start: from, subject: start, ..Found::default() };
        }
        let known = self.lexicon.ends(Phrase::Style, &self.tokens[from..end]);
        let look = (known > 0).then(|| end - known..end);
        let limit = look.as_ref().map_or(noun, |look| look.start.min(noun));
        let mut between: Vec<Range<usize>> = Vec::new();
        let mut i = from;
        while i < limit {
            let filler = self.at(Phrase::Filler, i).max(self.at(Phrase::Determiner, i));
            match between.last_mut() {
                _ if filler > 0 => {}
                Some(last) if last.end == i => last.end = i + 1,
                _ => between.push(i..i + 1),
            }
            i += filler.max(1);
        }
        let article = self.lexicon.ends(Phrase::Determiner, &self.tokens[..from]);
        let joined = article > 0 && between.first().is_some_and(|first| first.start == from);
        let alone =
            joined && self.places[from - 1] + 1 == self.places[from] && self.at(Phrase::Videos, noun) == 0;
        Found { start: from, article: alone.then(|| from - article), between, look, upright, subject }
    }
}

/// How the subject is joined to the video, and where it begins.
struct Connection {
    connects: bool,
    subject: usize,
}
