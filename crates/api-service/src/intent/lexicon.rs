//! The words that the rules know, as data: one file a language in `lexicon/`.
//!
//! A rule never names a word of a language; it names a kind of phrase, and the files say which phrases are
//! of that kind. A new language is a new file and its name in `language.rs`. English is read along with every
//! other language, because people mix it in (“Mach ein Video im widescreen format, 4k”); but a word that both
//! have (“no”, “a”, “chat”) means what it means in the language of the message.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::{
    language::Language,
    text::{Kind, Token, fold, tokens},
};

/// What a phrase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phrase {
    // Asking for a video.
    /// Goes before the asking and means nothing by itself: “could you please”.
    Polite,
    /// Verbs that make something: “create”. What follows the video may lack its “of”.
    Make,
    /// Verbs that make nothing but media: “generate”. Their object may be a scene without the word video.
    Generate,
    /// Asks for a video without a verb of making: “I'd like”.
    Want,
    /// Verbs whose object is the subject itself: “animate”.
    Depict,
    /// Asks for something to be seen, which is a video where it is a scene: “I'd like to see”.
    Show,
    /// Asks whether something can be done: “can you make”.
    Ability,
    /// For whom: “me”.
    Whom,
    /// “a”, “another”.
    Determiner,
    /// “the”, “this”: an existing video is meant.
    Definite,
    /// “video”, “clip”.
    Video,
    /// “videos”.
    Videos,
    /// What is made as a video and says how it looks: “timelapse”. It stays in the subject.
    Footage,
    /// After “video”, makes it something else: “game”, “call”.
    Compound,
    /// Between the video and its subject: “of”, “showing”.
    Connect,
    /// Those that follow a video only in a description of one: “of”, not “on”.
    ConnectSure,
    /// Before the video, means nothing for the picture: “short”, “nice”.
    Filler,
    /// Ends the search for the video between verb and noun: “for”, “with”, “my”.
    Stop,
    /// Verbs that end the asking, far from where it began: “machen” in “kannst du mir ein Video von … machen”.
    VerbAtEnd,
    /// Begins the answer to what the video should show: “it should show”.
    SubjectLead,
    /// Hangs over at the end: “please”, “for me”.
    Tail,
    /// Stands for a subject that is not said: “that”, “something”.
    Pronoun,
    /// Things that are made and are not videos: “picture”, “list”.
    OtherThing,
    /// What one does to a video that exists: “upload”, “watch”.
    Handle,
    /// Begins a question: “how”, “what”.
    Opener,
    /// First and second person and what else a description of a scene lacks: “I”, “your”, “was”.
    Personal,
    /// What something in a scene does: “spielt”, “qui”. Participles are known by their endings.
    Acts,
    /// Words ending like a participle that are none: “morning”.
    NotActing,
    /// After a participle, where the scene goes on: “across”, “a”.
    ActingOn,
    /// Says where something of a scene is: “at”, “over”.
    Place,
    /// Begins a short message that describes no scene: “login”, “still”.
    NotScene,

    // Parameters.
    /// “seconds”.
    Seconds,
    /// “minutes”.
    Minutes,
    /// “hours”.
    Hours,
    /// After a length, makes it a difference: “more”.
    More,
    /// Likewise: “less”.
    Less,
    /// Before a length, makes it a difference: “add”.
    Add,
    /// Likewise: “cut off”.
    Cut,
    /// “one” where the unit is a minute: “a”.
    OneLong,
    /// Between two numbers: “to”.
    Range,
    /// Before a length that is not the video's: “after”, “every”.
    NotLengthAfter,
    /// After a length that is not the video's: “later”, “old”.
    NotLengthBefore,
    /// Names the length: “duration”.
    LengthLabel,
    /// Between a label and its value: “of”, “is”.
    Is,
    /// “vertical”; stands alone or before “video”.
    Upright,
    /// “horizontal”.
    Wide,
    /// “square”.
    Square,
    /// “vertical”: an adjective only, so that it may also hang at the end of a clause.
    UprightAdjective,
    /// “horizontal”, likewise.
    WideAdjective,
    /// Upright wherever it stands: “portrait mode”.
    UprightAlways,
    /// Wide wherever it stands: “widescreen”.
    WideAlways,
    /// Where upright videos are shown: “for TikTok”. Yields to a shape that is named.
    UprightFor,
    /// Where wide videos are shown: “for YouTube”.
    WideFor,
    /// Before “video”, or a video itself, that is upright: “TikTok”, “reel”.
    UprightKind,
    /// Before “video”, wide: “YouTube”.
    WideKind,
    /// Before a value that is named only to be turned down: “not”, “instead of”.
    NotValue,
    /// “format”, “mode”.
    Format,
    /// Names the ratio: “aspect ratio”.
    RatioLabel,
    /// Between the numbers of a ratio: “by”.
    By,
    /// After two numbers, makes them a time or a scale: “pm”.
    NotRatio,
    /// After a number or a resolution, makes it something else: “camera”, “race”.
    NotResolution,
    /// “full hd”.
    FullHd,
    /// “hd”.
    Hd,
    /// “uhd”.
    Uhd,
    /// Known styles: “watercolor”.
    Style,
    /// “style”, “look”.
    StyleWord,
    /// “in the style of”.
    StyleOf,
    /// Before a known style at the end of a clause: “in”, “as a”.
    StyleIn,
    /// Ends what follows “in the style of”: “with”.
    StyleEnd,
    /// “without”, “avoid”.
    Without,
    /// “no” at the beginning of a clause.
    No,
    /// After “no”, not a thing to leave out: “matter”, “one”.
    NotThing,
    /// Joins things: “or”, “and”.
    Or,
    /// Before a thing: “any”, “the”.
    Any,
    /// Belongs to a thing to leave out: “in the background”.
    Background,
    /// Where a thing to leave out ends: “in”, “while”.
    Preposition,
    /// Without sound, wherever it stands: “no sound”.
    Silence,
    /// Without sound, as its own clause or before “video”: “silent”.
    Silent,
    /// With sound, at the end of a clause: “with sound”.
    Sound,
    /// “seed”.
    Seed,
    /// Belongs to a parameter that follows: “in a”, “it should be”.
    GlueBefore,
    /// Belongs to a parameter that precedes: “long”, “quality”.
    GlueAfter,
    /// Says that something shall be otherwise: “make it”, “instead”.
    Change,

    /// The last video once more: “again”, “another one”.
    Again,
    /// “longer”.
    Longer,
    /// “shorter”.
    Shorter,

    // Talking.
    /// “yes”, “go ahead”.
    Confirm,
    /// Yes only when asked: “perfect”.
    Agree,
    /// “cancel”, “never mind”.
    Cancel,
    /// Says along with a no how it came to the yes: “I made a typo”.
    Excuse,
    /// No only when asked: “no”.
    Refuse,
    /// That nothing be made of what the user wrote: “use my own words”.
    OwnWords,
    /// Takes something away from a yes: “but”, “if”, “cheaper”.
    Reserve,
    /// Means nothing between other words of talk: “then”, “please”.
    Padding,
    /// “don't”, “never”.
    Negation,
    /// “whatever you like”.
    Whatever,
    /// “hello”.
    Greeting,
    /// “thank you”, “nice video”.
    Thanks,
    /// “help”, “what can you do”.
    Help,
    /// What questions about the service turn on: “cost”, “formats”.
    HelpTopic,
}

/// A language's words.
pub(super) struct Lexicon {
    pub(super) language: Language,
    phrases: HashMap<Phrase, Phrases>,
    numbers: Phrases<f64>,
    /// How participles end: “-ing”.
    endings: Vec<String>,
    /// How words end that are made of another and of one for a video: “Katzenvideo”.
    compounds: Vec<String>,
    /// Every word of the language, to tell languages apart.
    vocabulary: HashSet<String>,
}

/// Phrases by their first word, the longest first, each with a value.
type Phrases<V = ()> = HashMap<String, Vec<(Vec<String>, V)>>;

/// The words of a language, as its file has them.
#[derive(Deserialize)]
pub(super) struct File {
    /// Frequent words without a meaning to the rules, to tell languages apart.
    common: Vec<String>,
    /// How participles end.
    endings: Vec<String>,
    /// How words end that are made of another and of one for a video.
    #[serde(default)]
    compounds: Vec<String>,
    /// Number words and their values.
    numbers: BTreeMap<String, f64>,
    pub(super) phrases: HashMap<Phrase, Vec<String>>,
}

const ENGLISH: &str = include_str!("lexicon/en.json");
const OTHERS: [(Language, &str); 5] = [
    (Language::German, include_str!("lexicon/de.json")),
    (Language::Spanish, include_str!("lexicon/es.json")),
    (Language::French, include_str!("lexicon/fr.json")),
    (Language::Italian, include_str!("lexicon/it.json")),
    (Language::Portuguese, include_str!("lexicon/pt.json")),
];

/// English first, then the others, each with the English words added.
static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    let english = read(ENGLISH);
    let others = OTHERS.iter().map(|(language, json)| Lexicon::new(*language, &read(json), Some(&english)));
    std::iter::once(Lexicon::new(Language::English, &english, None)).chain(others).collect()
});

fn read(json: &str) -> File {
    #[expect(clippy::expect_used, reason = "the data is part of the program, and tests read it")]
    serde_json::from_str(json).expect("a lexicon is well formed")
}

/// The files, in the order of [`Language::ALL`].
#[cfg(test)]
pub(super) fn files() -> impl Iterator<Item = File> {
    std::iter::once(read(ENGLISH)).chain(OTHERS.iter().map(|(_, json)| read(json)))
}

impl Lexicon {
    /// How many tokens a phrase has at most.
    pub(super) const LONGEST: usize = 9;

    /// The lexicon of the language that most of the words are of. Where that does not tell, of the expected
    /// language, and without one of English.
    pub(super) fn for_message(tokens: &[Token], expected: Option<Language>) -> &'static Self {
        // The unit of a number (`8s`, `4k`) is of no language.
        let is_unit =
            |i: usize| i > 0 && tokens[i - 1].kind == Kind::Number && tokens[i - 1].end == tokens[i].start;
        let words = || (0..tokens.len()).filter(|i| tokens[*i].kind == Kind::Word && !is_unit(*i)).take(200);
        let known =
            |lexicon: &Self| words().filter(|i| lexicon.vocabulary.contains(&tokens[*i].text)).count();
        let lexicons: &'static [Self] = &LEXICONS;
        let mut best = (known(&lexicons[0]), &lexicons[0]);
        for lexicon in &lexicons[1..] {
            let count = known(lexicon);
            if count > best.0 || count == best.0 && expected == Some(lexicon.language) {
                best = (count, lexicon);
            }
        }
        best.1
    }

    fn new(language: Language, file: &File, english: Option<&File>) -> Self {
        let own = || file.phrases.values().flatten().chain(file.numbers.keys()).chain(&file.common);
        let mut lexicon = Self {
            language,
            phrases: HashMap::new(),
            numbers: HashMap::new(),
            endings: file.endings.clone(),
            compounds: file.compounds.clone(),
            vocabulary: own().flat_map(|phrase| words(phrase)).collect(),
        };
        lexicon.take_over(file, |_| true);
        if let Some(english) = english {
            let single: HashSet<String> =
                own().map(|phrase| words(phrase)).filter(|words| words.len() == 1).flatten().collect();
            lexicon.take_over(english, |words| !words.iter().all(|word| single.contains(word)));
            lexicon.endings.extend(english.endings.iter().cloned());
        }
        lexicon
    }

    /// Takes over the phrases of a file that the language has no words of its own for.
    fn take_over(&mut self, file: &File, wanted: impl Fn(&[String]) -> bool) {
        for (kind, phrases) in &file.phrases {
            let map = self.phrases.entry(*kind).or_default();
            for phrase in phrases.iter().map(|phrase| words(phrase)).filter(|words| wanted(words)) {
                insert(map, phrase, ());
            }
        }
        for (phrase, value) in &file.numbers {
            let words = words(phrase);
            if wanted(&words) {
                insert(&mut self.numbers, words, *value);
            }
        }
    }

    /// Whether something acts by this word: a participle, by its ending, or a word of [`Phrase::Acts`].
    pub(super) fn acts(&self, tokens: &[Token]) -> bool {
        let Some(token) = tokens.first() else { return false };
        self.is_participle(token) && self.starts(Phrase::NotActing, tokens) == 0
            || self.starts(Phrase::Acts, tokens) > 0
    }

    /// Whether this word says in one what the video shows and that it is one: “Katzenvideo”.
    pub(super) fn is_compound(&self, token: &Token) -> bool {
        let ends =
            |ending: &String| token.text.strip_suffix(ending.as_str()).is_some_and(|rest| rest.len() > 2);
        token.kind == Kind::Word && self.compounds.iter().any(ends)
    }

    /// A word that says in one how a video looks and that it is one, as two: “Schwarzweißvideo”.
    pub(super) fn parted(&self, said: &str, token: Token) -> Vec<Token> {
        let parts = self.compounds.iter().find_map(|ending| {
            let look = token.text.strip_suffix(ending.as_str())?;
            let at = token.end.checked_sub(ending.len()).filter(|at| *at > token.start)?;
            // The word as it was written may be longer or shorter than as it is compared.
            let as_written = said.get(at..token.end).is_some_and(|written| fold(written) == *ending);
            let look = Token { text: look.to_owned(), end: at, ..token.clone() };
            let is_known = as_written && self.is(Phrase::Style, std::slice::from_ref(&look));
            is_known.then(|| vec![look, Token { text: ending.clone(), start: at, ..token.clone() }])
        });
        parts.unwrap_or_else(|| vec![token])
    }

    /// Whether this word ends like a participle.
    pub(super) fn is_participle(&self, token: &Token) -> bool {
        token.text.len() > 4 && self.endings.iter().any(|ending| token.text.ends_with(ending.as_str()))
    }

    /// All of them.
    pub(super) fn all() -> &'static [Self] {
        &LEXICONS
    }

    /// How many tokens the longest phrase of that kind covers that begins the tokens; 0 if none does.
    pub(super) fn starts(&self, kind: Phrase, tokens: &[Token]) -> usize {
        self.phrases.get(&kind).and_then(|phrases| longest(phrases, tokens)).map_or(0, |(length, ())| length)
    }

    /// How many tokens the longest phrase of that kind covers that ends the tokens; 0 if none does.
    pub(super) fn ends(&self, kind: Phrase, tokens: &[Token]) -> usize {
        (1..=Self::LONGEST.min(tokens.len()))
            .rev()
            .find(|length| self.starts(kind, &tokens[tokens.len() - length..]) == *length)
            .unwrap_or(0)
    }

    /// Whether these tokens are exactly one phrase of that kind.
    pub(super) fn is(&self, kind: Phrase, tokens: &[Token]) -> bool {
        !tokens.is_empty() && self.starts(kind, tokens) == tokens.len()
    }

    /// The number word that begins the tokens, with its length.
    pub(super) fn number(&self, tokens: &[Token]) -> Option<(usize, f64)> {
        longest(&self.numbers, tokens)
    }
}

/// The words of a phrase. One that ends with an apostrophe (`d'`) is what a vowel follows.
fn words(phrase: &str) -> Vec<String> {
    let elided = phrase.ends_with('\'');
    let mut tokens = if elided { tokens(&format!("{phrase}a")) } else { tokens(phrase) };
    if elided {
        tokens.pop();
    }
    tokens.into_iter().map(|token| token.text).collect()
}

fn insert<V>(map: &mut Phrases<V>, words: Vec<String>, value: V) {
    debug_assert!(words.len() <= Lexicon::LONGEST, "{words:?} is longer than a phrase may be");
    if let Some(first) = words.first() {
        let phrases = map.entry(first.clone()).or_default();
        let place = phrases.partition_point(|(others, _)| others.len() >= words.len());
        phrases.insert(place, (words, value));
    }
}

fn longest<V: Copy>(phrases: &Phrases<V>, tokens: &[Token]) -> Option<(usize, V)> {
    let first = tokens.first()?;
    let fits = |words: &[String]| {
        words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, token)| *word == token.text)
    };
    let (words, value) = phrases.get(&first.text)?.iter().find(|(words, _)| fits(words))?;
    Some((words.len(), *value))
}
