//! How well the rules read: labelled messages, and what must hold for every text.

use std::fmt::Write as _;

use super::*;
use crate::{catalogue::Catalogue, generations::clarification};
use serde::Deserialize;

/// A message and what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    say: String,
    /// One word of [`name`], or several of which each will do.
    intent: String,
    /// What is open: nothing, `asked` (a price), `questions` (length and shape), `subject` (all three), `making`
    /// (a video is being made).
    context: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    unclear: Vec<String>,
    responses: Option<Map<String, Value>>,
    /// Whether this must be read rightly, whatever the score.
    #[serde(default)]
    core: bool,
}

const SETS: [(&str, &str); 1] = [("English", include_str!("evaluation/english.jsonl"))];

fn name(intent: &Intent) -> &'static str {
    match intent {
        Intent::Video(_) => "video",
        Intent::Answers(_) => "answers",
        Intent::Change(_) => "change",
        Intent::Confirm => "confirm",
        Intent::Cancel => "cancel",
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
    clarification::draft(catalogue.default_model(), subject, &Parameters::default(), &[]).questions
}

impl Labelled {
    fn read(&self) -> Intent {
        let questions = questions(self.context.as_deref());
        let is = |context| self.context.as_deref() == Some(context);
        let (awaiting_confirmation, in_the_making) = (is("asked"), is("making"));
        analyse(&self.say, Context { open_questions: &questions, awaiting_confirmation, in_the_making })
    }

    fn understood(&self, intent: &Intent) -> bool {
        self.intent.split('|').any(|word| word == name(intent))
    }

    /// Whether everything that was to be taken from the message was, and nothing else.
    fn taken_rightly(&self, intent: &Intent) -> bool {
        let empty = (&Request::default(), &Map::new());
        let (request, responses) = match intent {
            Intent::Video(request) | Intent::Change(request) => (request, empty.1),
            Intent::Answers(answers) => (&answers.further, &answers.responses),
            _ => empty,
        };
        let unclear: Vec<_> = request.unclear.iter().map(parameter).collect();
        request.subject == self.subject
            && request.parameters == self.parameters
            && unclear == self.unclear
            && *responses == self.responses.clone().unwrap_or_default()
    }
}

#[test]
fn labelled_messages_are_read() {
    let mut failures = String::new();
    for (set, lines) in SETS {
        let labelled: Vec<Labelled> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect();
        let (mut understood, mut whole, mut core_missed) = (0, 0, 0);
        for message in &labelled {
            let intent = message.read();
            let right = message.understood(&intent);
            let all = right && message.taken_rightly(&intent);
            understood += usize::from(right);
            whole += usize::from(all);
            if !all {
                core_missed += usize::from(message.core);
                let core = if message.core { "core " } else { "" };
                writeln!(failures, "{core}{set}: {:?}\n    read as {intent:?}", message.say).unwrap();
            }
        }
        let share = |n: usize| n * 100 / labelled.len();
        println!(
            "{set}: {} messages, intent {} %, intent and everything taken from it {} %",
            labelled.len(),
            share(understood),
            share(whole)
        );
        let (least_understood, least_whole) = (95, 90);
        assert!(
            core_missed == 0 && share(understood) >= least_understood && share(whole) >= least_whole,
            "{failures}"
        );
    }
    println!("{failures}");
}
