//! What the assistant says, as data: one file a language in `words/`, each with every text. Here they are only
//! read and filled in; [`reply`](super::reply) and the questions of `generations::clarification` choose.

use std::{collections::BTreeMap, fmt::Display, sync::LazyLock};

use contract::{ErrorCode, ErrorReason};
use serde::Deserialize;

use super::Language;

/// The texts of a language. `{names}` in them are filled in; a list has several ways to say the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    // Small things.
    and: String,
    or: String,
    pub(crate) seconds: String,
    pub(crate) landscape: String,
    pub(crate) portrait: String,
    pub(crate) square: String,

    // The questions.
    pub(crate) ask_subject: String,
    pub(crate) ask_duration: String,
    pub(crate) duration_unclear: String,
    pub(crate) duration_impossible: String,
    pub(crate) duration_only: String,
    pub(crate) ask_ratio: String,
    pub(crate) ratio_unclear: String,
    pub(crate) ratio_impossible: String,
    pub(crate) resolution_unclear: String,
    pub(crate) resolution_impossible: String,
    pub(crate) resolution_or_duration: String,
    pub(crate) resolution_with_duration: String,
    pub(crate) resolution_with_durations: String,
    pub(crate) sound_always: String,
    pub(crate) sound_never: String,
    pub(crate) seed_never: String,
    pub(crate) seed_unclear: String,
    pub(crate) negative_prompt_never: String,

    // What is wrong with an answer.
    pub(crate) no_such_question: String,
    pub(crate) needs_answer: String,
    pub(crate) choose_one: String,
    pub(crate) needs_number: String,
    pub(crate) needs_a_text: String,
    pub(crate) needs_true_or_false: String,
    pub(crate) does_not_fit: String,
    pub(crate) not_otherwise: String,

    // Around the questions.
    pub(crate) gladly: Vec<String>,
    pub(crate) one_question: String,
    pub(crate) two_questions: String,
    pub(crate) three_questions: String,
    pub(crate) some_questions: String,
    pub(crate) defaults: String,
    pub(crate) not_yet: String,
    pub(crate) still_open: String,

    // The plan and its price.
    pub(crate) plan: Vec<String>,
    pub(crate) enhanced: String,
    pub(crate) as_said: String,
    pub(crate) go_ahead: Vec<String>,
    pub(crate) price: String,
    pub(crate) with_sound: String,
    pub(crate) silent: String,
    pub(crate) style: String,
    pub(crate) without: String,
    pub(crate) seed: String,
    pub(crate) one_picture: String,
    pub(crate) pictures: String,
    pub(crate) made_with: String,
    pub(crate) confirmed: Vec<String>,
    pub(crate) nothing_to_confirm: String,
    pub(crate) nothing_to_cancel: String,
    pub(crate) another_goes_on: String,
    pub(crate) cannot_change: String,
    pub(crate) change_refused: String,
    pub(crate) no_longer: String,
    pub(crate) no_shorter: String,
    pub(crate) budget_of_a_day: String,
    pub(crate) budget_of_a_month: String,
    pub(crate) videos_of_a_day: String,
    pub(crate) more_from: String,
    pub(crate) too_many_open: String,
    pub(crate) too_many_in_the_making: String,

    // What a model does not allow.
    pub(crate) makes_durations: String,
    pub(crate) makes_durations_from_references: String,
    pub(crate) makes: String,
    pub(crate) resolution_needs: String,
    pub(crate) at_most_bytes: String,
    pub(crate) takes_no_negative_prompt: String,
    pub(crate) makes_sound: String,
    pub(crate) makes_no_sound: String,
    pub(crate) takes_no_seed: String,
    pub(crate) say_what_to_show: String,
    pub(crate) takes_no_first_frame: String,
    pub(crate) one_first_frame: String,
    pub(crate) takes_no_last_frame: String,
    pub(crate) one_last_frame: String,
    pub(crate) last_frame_needs_first: String,
    pub(crate) takes_no_references: String,
    pub(crate) takes_few_references: String,
    pub(crate) references_or_frames: String,

    // Talk.
    pub(crate) greeting: Vec<String>,
    pub(crate) thanks: Vec<String>,
    pub(crate) help: String,
    pub(crate) help_price: String,
    pub(crate) other: Vec<String>,

    // Ends.
    pub(crate) ready: String,
    pub(crate) cancelled: Vec<String>,
    pub(crate) other_format: String,
    pub(crate) no_video: String,
    pub(crate) not_charged: String,
    pub(crate) may_be_charged: String,
    pub(crate) begun_may_be_charged: String,
    failed: BTreeMap<String, String>,
    because: BTreeMap<String, String>,
}

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let read = |language: Language| -> Words {
        let json = match language {
            Language::English => include_str!("words/en.json"),
            Language::German => include_str!("words/de.json"),
            Language::Spanish => include_str!("words/es.json"),
            Language::French => include_str!("words/fr.json"),
            Language::Italian => include_str!("words/it.json"),
            Language::Portuguese => include_str!("words/pt.json"),
        };
        #[expect(clippy::expect_used, reason = "the data is part of the program, and tests read it")]
        serde_json::from_str(json).expect("the words of a language are well formed")
    };
    Language::ALL.into_iter().map(read).collect()
});

impl Words {
    /// The texts of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        &WORDS[language as usize]
    }

    /// `4, 6 or 8`.
    pub(crate) fn any_of<T: Display>(&self, items: &[T]) -> String {
        joined(items, &self.or)
    }

    /// `a, b and c`.
    pub(crate) fn all_of<T: Display>(&self, items: &[T]) -> String {
        joined(items, &self.and)
    }

    /// Why there is no video.
    pub(crate) fn failed(&self, code: ErrorCode) -> String {
        self.failed.get(code.as_str()).cloned().unwrap_or_default()
    }

    /// The same, where more is known than the code says.
    pub(crate) fn because(&self, reason: ErrorReason) -> String {
        self.because.get(reason.as_str()).cloned().unwrap_or_default()
    }
}

fn joined<T: Display>(items: &[T], last_joined_by: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [init @ .., last] => {
            let init: Vec<_> = init.iter().map(ToString::to_string).collect();
            format!("{} {last_joined_by} {last}", init.join(", "))
        }
    }
}

/// A text with its names filled in. What is filled in is not looked into again: it may be a user's words.
pub(crate) fn fill(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = value {
            filled.push_str(&value.to_string());
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<_> =
            text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        names.sort_unstable();
        names
    }

    /// Every text of a file, with where it stands.
    fn texts(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::String(text) => found.push((place.to_owned(), text.clone())),
            Value::Array(ways) => ways.iter().for_each(|way| texts(way, place, found)),
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| texts(value, &format!("{place}.{key}"), found));
            }
            _ => panic!("{place} is no text"),
        }
    }

    #[test]
    fn every_language_says_everything_and_fills_in_the_same() {
        let files = [
            include_str!("words/en.json"),
            include_str!("words/de.json"),
            include_str!("words/es.json"),
            include_str!("words/fr.json"),
            include_str!("words/it.json"),
            include_str!("words/pt.json"),
        ];
        let read = |json: &str| {
            let mut found = Vec::new();
            texts(&serde_json::from_str(json).unwrap(), "", &mut found);
            found
        };
        let english = read(files[0]);
        for (language, json) in Language::ALL.into_iter().zip(files) {
            let own = read(json);
            for (place, text) in &own {
                let (_, same) = english.iter().find(|(there, _)| there == place).unwrap();
                assert_eq!(names(text), names(same), "{language:?} {place}");
                assert!(!text.trim().is_empty(), "{language:?} {place}");
                assert!(
                    !text.contains(['<', '>', '*', '`', '_']) || text.contains('{'),
                    "{language:?} {place}"
                );
            }
            for code in ErrorCode::ALL {
                assert!(Words::of(language).failed(*code).len() > 30, "{language:?} {code:?}");
            }
            for reason in ErrorReason::ALL {
                assert!(Words::of(language).because(*reason).len() > 30, "{language:?} {reason:?}");
            }
            assert_eq!(
                own.iter().filter(|(place, _)| english.iter().all(|(there, _)| there != place)).count(),
                0
            );
        }
    }

    #[test]
    fn what_is_filled_in_is_not_looked_into() {
        for (text, expected) in [
            ("a {b} c", "a {x} c"),
            ("{b}{b}", "{x}{x}"),
            ("{unknown} {b", "{unknown} {b"),
            ("no name", "no name"),
        ] {
            assert_eq!(fill(text, &[("b", &"{x}"), ("x", &"never")]), expected);
        }
    }

    #[test]
    fn lists_are_joined_as_the_language_does() {
        for (language, or) in [
            (Language::English, "4, 6 or 8"),
            (Language::German, "4, 6 oder 8"),
            (Language::Spanish, "4, 6 o 8"),
            (Language::French, "4, 6 ou 8"),
            (Language::Italian, "4, 6 o 8"),
            (Language::Portuguese, "4, 6 ou 8"),
        ] {
            assert_eq!(Words::of(language).any_of(&[4, 6, 8]), or);
        }
    }
}
