//! How well the rules read: labelled messages, and what must hold for every text.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{lexicon::Phrase, *};
use crate::{
    catalogue::Catalogue,
    generations::{clarification, generation::tests::generation},
};
use serde::Deserialize;

/// A message and what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    say: String,
    /// One word of [`name`], or several of which each will do.
    intent: String,
    /// What is open: nothing, `asked` (a price), `questions` (length and shape), `subject` (all three), `making`
    /// (a video is being made), `done` (the last thing that happened is that a video was finished).
    context: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    unclear: Vec<String>,
    responses: Option<Map<String, Value>>,
    /// What the video shows, said anew along with answers.
    scene: Option<String>,
    /// `longer` or `shorter`.
    relative: Option<String>,
    /// Whether this must be read rightly, whatever the score.
    #[serde(default)]
    core: bool,
}

/// The sets, and what the rules must reach in each: the intent, and everything that was to be taken, in percent.
const SETS: [(Language, &str, usize, usize); 6] = [
    (Language::English, include_str!("evaluation/english.jsonl"), 95, 90),
    (Language::German, include_str!("evaluation/german.jsonl"), 95, 90),
    (Language::Spanish, include_str!("evaluation/spanish.jsonl"), 95, 90),
    (Language::French, include_str!("evaluation/french.jsonl"), 95, 90),
    (Language::Italian, include_str!("evaluation/italian.jsonl"), 95, 90),
    (Language::Portuguese, include_str!("evaluation/portuguese.jsonl"), 95, 90),
];

fn name(intent: &Intent) -> &'static str {
    match intent {
        Intent::Video(_) => "video",
        Intent::Answers(_) => "answers",
        Intent::Change(_) => "change",
        Intent::Again(_) => "again",
        Intent::Confirm => "confirm",
        Intent::Cancel => "cancel",
        Intent::OwnWords => "own_words",
        Intent::Greeting => "greeting",
        Intent::Thanks => "thanks",
        Intent::Help => "help",
        Intent::Other => "other",
    }
}

fn parameter(unclear: &Unclear) -> &'static str {
    match unclear.parameter {
        Parameter::Duration => "duration",
        Parameter::AspectRatio => "aspect_ratio",
        Parameter::Resolution => "resolution",
        Parameter::Seed => "seed",
    }
}

fn questions(context: Option<&str>) -> Vec<ClarificationQuestion> {
    let subject = match context {
        Some("questions") => Some("a paper boat"),
        Some("subject") => None,
        _ => return Vec::new(),
    };
    let catalogue = Catalogue::built_in();
    clarification::draft(Language::English, catalogue.default_model(), subject, &Parameters::default(), &[])
        .questions
}

impl Labelled {
    fn read(&self) -> Intent {
        read_in(&self.say, self.context.as_deref(), None)
    }

    /// What the analyst reads, who is told of a generation that is as the context says.
    async fn read_by(&self, analyst: &model::Analyst) -> Intent {
        let open = self.context.as_deref();
        let questions = questions(open);
        let generation = generation();
        let done = open == Some("done");
        let dialogue = model::Dialogue {
            said: &[],
            open: (open.is_some() && !done).then_some(&generation),
            video: done.then_some(&generation),
        };
        let conversation = contract::ConversationId::new();
        analyst.read(&conversation, &self.say, context(&questions, open, None), dialogue).await.intent
    }

    fn understood(&self, intent: &Intent) -> bool {
        self.intent.split('|').any(|word| word == name(intent))
    }

    /// Whether everything that was to be taken from the message was, and nothing else.
    fn taken_rightly(&self, intent: &Intent) -> bool {
        let nothing = Answers::default();
        let (request, responses, scene) = match intent {
            Intent::Video(request) | Intent::Change(request) | Intent::Again(request) => {
                (request, &nothing.responses, &nothing.scene)
            }
            Intent::Answers(answers) => (&answers.further, &answers.responses, &answers.scene),
            _ => (&nothing.further, &nothing.responses, &nothing.scene),
        };
        let relative = request.relative.map(|relative| match relative {
            Relative::Longer => "longer",
            Relative::Shorter => "shorter",
        });
        let unclear: Vec<_> = request.unclear.iter().map(parameter).collect();
        request.subject == self.subject
            && request.parameters == self.parameters
            && unclear == self.unclear
            && relative == self.relative.as_deref()
            && *scene == self.scene
            && *responses == self.responses.clone().unwrap_or_default()
    }
}

/// How many messages there are of a kind, how many were understood, and of how many everything was taken.
#[derive(Clone, Copy, Default)]
struct Score {
    messages: usize,
    understood: usize,
    whole: usize,
}

impl Score {
    fn add(&mut self, understood: bool, whole: bool) {
        self.messages += 1;
        self.understood += usize::from(understood);
        self.whole += usize::from(whole);
    }

    fn understood(self) -> usize {
        self.understood * 100 / self.messages.max(1)
    }

    fn whole(self) -> usize {
        self.whole * 100 / self.messages.max(1)
    }
}

/// What came of the sets, for eyes and for thresholds.
struct Report {
    /// One row a language and kind, and one for each language in all.
    scores: Vec<(Language, &'static str, Score)>,
    /// What was not read rightly.
    failures: String,
    /// How many of those must be read rightly.
    core_missed: usize,
}

impl Report {
    fn of(mut read: impl FnMut(&Labelled) -> Intent) -> Self {
        let mut report = Self { scores: Vec::new(), failures: String::new(), core_missed: 0 };
        for (language, lines, ..) in SETS {
            let mut scores: Vec<(&'static str, Score)> =
                ["all"].iter().chain(&KINDS).map(|kind| (*kind, Score::default())).collect();
            for line in lines.lines() {
                let message: Labelled = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                let intent = read(&message);
                let understood = message.understood(&intent);
                let whole = understood && message.taken_rightly(&intent);
                let kind = message.intent.split('|').next().unwrap_or_default();
                for (_, score) in scores.iter_mut().filter(|(name, _)| *name == "all" || *name == kind) {
                    score.add(understood, whole);
                }
                if !whole {
                    report.core_missed += usize::from(message.core);
                    let core = if message.core { "core " } else { "" };
                    let open = message.context.as_deref().unwrap_or("nothing");
                    writeln!(
                        report.failures,
                        "{core}{}, {open} open: {:?}\n    read as {intent:?}",
                        language.name(),
                        message.say
                    )
                    .unwrap();
                }
            }
            report.scores.extend(scores.into_iter().map(|(kind, score)| (language, kind, score)));
        }
        report
    }

    fn print(&self) {
        println!("| language | kind | messages | intent right | everything right |\n|---|---|--:|--:|--:|");
        for (language, kind, score) in self.scores.iter().filter(|(_, _, score)| score.messages > 0) {
            println!(
                "| {} | {kind} | {} | {} % | {} % |",
                language.name(),
                score.messages,
                score.understood(),
                score.whole()
            );
        }
        println!("\nNot read as labelled:\n{}", self.failures);
    }

    fn in_all(&self, language: Language) -> Score {
        let found = self.scores.iter().find(|(of, kind, _)| *of == language && *kind == "all");
        found.map(|(.., score)| *score).unwrap_or_default()
    }
}

const KINDS: [&str; 11] = [
    "video",
    "answers",
    "change",
    "again",
    "confirm",
    "cancel",
    "own_words",
    "greeting",
    "thanks",
    "help",
    "other",
];

/// `cargo xtask intent` shows what this prints.
#[test]
fn labelled_messages_are_read_by_the_rules() {
    let report = Report::of(Labelled::read);
    report.print();
    let weak = SETS.iter().any(|(language, _, understood, whole)| {
        let score = report.in_all(*language);
        score.understood() < *understood || score.whole() < *whole
    });
    assert!(report.core_missed == 0 && !weak, "the rules read worse than they must:\n{}", report.failures);
}

/// Texts of words that mean something to the rules, of all languages at once, and of signs between them.
fn talk() -> impl Strategy<Value = String> {
    let words: Vec<String> = lexicon::files()
        .flat_map(|file| file.phrases.into_values().flatten())
        .chain(["?", "!", ",", ".", "8", "4k", "16:9", "\n", "(", "\"", "👍"].map(str::to_owned))
        .collect();
    prop::collection::vec(prop::sample::select(words), 0..12).prop_map(|words| words.join(" "))
}

fn contexts() -> impl Strategy<Value = (Option<&'static str>, Option<Language>)> {
    let open = [None, Some("asked"), Some("questions"), Some("subject"), Some("making"), Some("done")];
    let languages: Vec<_> = Language::ALL.into_iter().map(Some).chain([None]).collect();
    (prop::sample::select(open.to_vec()), prop::sample::select(languages))
}

fn context<'a>(
    questions: &'a [ClarificationQuestion],
    open: Option<&str>,
    language: Option<Language>,
) -> Context<'a> {
    Context {
        open_questions: questions,
        awaiting_confirmation: open == Some("asked"),
        in_the_making: open == Some("making"),
        has_video: open == Some("done"),
        language,
    }
}

fn read_in(text: &str, open: Option<&str>, language: Option<Language>) -> Intent {
    analyse(text, context(&questions(open), open, language))
}

proptest! {
    /// No text, in whatever language, makes the rules panic.
    #[test]
    fn every_text_is_read((open, language) in contexts(), text in "\\PC{0,80}", words in talk()) {
        for text in [&text, &words] {
            read_in(text, open, language);
            let _ = read_request(text);
            let _ = read_answer(text, "duration");
        }
    }

    /// Money is spent on a yes alone: never on a question, and never where anything was said that is no yes.
    #[test]
    fn only_a_yes_is_a_yes((open, language) in contexts(), words in talk(), at in 0_usize..3) {
        let other = ["kostet", "but", "wenn", "12", "mañana", "combien", "zq"];
        for word in other {
            let text = match at {
                0 => format!("{word} {words}"),
                1 => format!("{words} {word}"),
                _ => format!("yes {word} {words}"),
            };
            prop_assert_ne!(read_in(&text, open, language), Intent::Confirm, "{}", text);
        }
        for text in [format!("{words}?"), format!("{words} ?"), format!("{words}？ ok")] {
            prop_assert_ne!(read_in(&text, open, language), Intent::Confirm, "{}", text);
        }
    }
}

/// In every language: what says yes says nothing else, and together with a no it says nothing.
#[test]
fn a_yes_has_one_meaning() {
    let mut wrong = Vec::new();
    for (language, file) in Language::ALL.into_iter().zip(lexicon::files()) {
        let of = |kind: Phrase| file.phrases.get(&kind).into_iter().flatten();
        let others = [
            Phrase::Cancel,
            Phrase::Refuse,
            Phrase::Greeting,
            Phrase::Help,
            Phrase::Whatever,
            Phrase::Negation,
        ];
        for yes in of(Phrase::Confirm).chain(of(Phrase::Agree)) {
            let is_yes = |text: &str| read_in(text, Some("asked"), Some(language)) == Intent::Confirm;
            if !is_yes(yes) || others.iter().any(|kind| of(*kind).any(|phrase| phrase == yes)) {
                wrong.push(format!("{language:?}: {yes} is not simply a yes"));
            }
            for no in of(Phrase::Refuse).chain(of(Phrase::Negation)) {
                let mixed = [format!("{no} {yes}"), format!("{yes} {no}"), format!("{yes}, {no}")];
                wrong.extend(
                    mixed.iter().filter(|text| is_yes(text)).map(|text| format!("{language:?}: {text}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A message that is nothing but parameters still says which language it is in, if it has a word of it.
#[test]
fn languages_are_told_apart() {
    for (text, expected) in [
        ("Mach mir ein Video von einer Katze", Language::German),
        ("hazme un video de un gato", Language::Spanish),
        ("fais une vidéo d'un chat", Language::French),
        ("fammi un video di un gatto", Language::Italian),
        ("faz um vídeo de um gato", Language::Portuguese),
        ("make a video of a cat", Language::English),
        ("a cat playing piano", Language::English),
        ("8 Sekunden, hochkant", Language::German),
        ("猫の動画", Language::English),
    ] {
        assert_eq!(language_of(text, None), expected, "{text}");
    }
    assert_eq!(language_of("8s 1080p", Some(Language::Italian)), Language::Italian);
}

/// What `cargo xtask intent --provider …` runs: the same messages, read by the model that the environment names. It
/// costs a request a message.
#[tokio::test]
#[ignore = "needs a model"]
async fn labelled_messages_are_read_by_the_model() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = model::IntentSettings::checked(&foundation::settings::Environment::process()).unwrap();
    let analyst = model::Analyst::new(&settings).unwrap();
    let mut read = std::collections::VecDeque::new();
    for (_, lines, ..) in SETS {
        for message in lines.lines().map(|line| serde_json::from_str::<Labelled>(line).unwrap()) {
            read.push_back(message.read_by(&analyst).await);
        }
    }
    Report::of(|_| read.pop_front().unwrap()).print();
}
