//! The enhanced prompt: the words that the provider is asked with in place of the user's own. Pure: what becomes of
//! it, and what of a model's or a user's text may be one.
//!
//! A model's text is untrusted. It only ever stands beside the user's words, is shown before the yes, and is dropped
//! if there is anything in it that a person could not see or would not expect.

use contract::problem::FieldError;
use serde::{Deserialize, Deserializer};

use super::{generation::Generation, service::LONGEST_PROMPT};
use crate::{
    catalogue::Model,
    intent::{
        Language,
        words::{Words, fill},
    },
};

/// The longest text that is taken from a model, in bytes: about 1,024 of its tokens.
const LONGEST_SUGGESTION: usize = 4 * 1024;

/// What becomes of an enhanced prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// It is as it was, or there is still none.
    #[default]
    Kept,
    /// A model's text, which is taken if there is none yet.
    Suggested(String),
    /// The user's decision: this text, or without one the user's own words.
    Changed(Option<String>),
}

/// A value that is spoken of changes it, and `null` takes it away; what is not spoken of is
/// [`Kept`](Wording::Kept) by `#[serde(default)]`.
impl<'de> Deserialize<'de> for Wording {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Changed)
    }
}

impl Wording {
    /// What a user decided, checked: `enhancedPrompt` in a request.
    ///
    /// # Errors
    /// A text that says nothing or is too long for the model, told in the user's language.
    pub fn checked(self, language: Language, model: Option<&Model>) -> Result<Self, FieldError> {
        const FIELD: &str = "enhancedPrompt";
        let Self::Changed(Some(text)) = self else { return Ok(self) };
        let text = text.trim();
        let words = Words::of(language);
        if text.is_empty() {
            return Err(FieldError::new(FIELD, &words.say_what_to_show));
        }
        if text.len() > LONGEST_PROMPT {
            return Err(FieldError::new(FIELD, fill(&words.at_most_bytes, &[("n", &LONGEST_PROMPT)])));
        }
        match model.and_then(|model| model.check_prompt_in(language, text)) {
            Some(error) => Err(FieldError::new(FIELD, error.message)),
            None => Ok(Self::Changed(Some(text.to_owned()))),
        }
    }

    /// What makes the enhanced prompt of a generation the one of another, which is planned to follow it.
    #[must_use]
    pub fn between(before: &Generation, after: &Generation) -> Self {
        if before.enhanced_prompt == after.enhanced_prompt {
            Self::Kept
        } else {
            Self::Changed(after.enhanced_prompt.clone())
        }
    }

    /// Takes a model's text in, if there is one, where the words are new that it is for.
    pub fn suggest(&mut self, better: Option<String>) {
        *self = match (std::mem::take(self), better) {
            (Self::Kept, Some(better)) => Self::Suggested(better),
            (Self::Changed(None), better) => Self::Changed(better),
            (same, _) => same,
        };
    }

    /// Changes a generation. A text that is the prompt itself is none.
    pub(super) fn apply(&self, generation: &mut Generation) {
        let text = match self {
            Self::Kept => return,
            Self::Suggested(_) if generation.enhanced_prompt.is_some() => return,
            Self::Suggested(text) => Some(text),
            Self::Changed(text) => text.as_ref(),
        };
        generation.enhanced_prompt = text.filter(|text| **text != generation.prompt).cloned();
    }
}

/// A model's text as an enhanced prompt for these words of the user's.
///
/// # Errors
/// Why it cannot be one, for the log.
pub fn suggestion(text: &str, prompt: &str, model: &Model) -> Result<String, &'static str> {
    // Line ends and the like mean nothing in a prompt.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST_SUGGESTION || model.check_prompt(&text).is_some() {
        return Err("it is too long");
    }
    if text.chars().any(is_unseen) {
        return Err("it holds a character that nobody can see");
    }
    if text.split(' ').any(is_address) {
        return Err("it holds an address");
    }
    if plain(&text) == plain(prompt) {
        return Err("it is the prompt itself");
    }
    Ok(text)
}

/// A text without what makes no other text of it.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a character shows nothing by itself: control characters, and what hides text or turns its direction.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0xAD | 0x34F
                | 0x61C
                | 0x115F..=0x1160
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x200B..=0x200F
                | 0x202A..=0x202E
                | 0x2060..=0x206F
                | 0x3164
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0xE0000..=0xE0FFF
        )
}

/// Whether a word is an address on the web: “https://…”, “www.…” or “example.com”.
fn is_address(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if word.contains("://") || word.starts_with("www.") {
        return true;
    }
    let host = word.split(['/', ':', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    host.rsplit_once('.').is_some_and(|(name, ending)| {
        let named = name.chars().next_back().is_some_and(char::is_alphanumeric);
        named && ending.len() >= 2 && ending.chars().all(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::Catalogue, generations::generation::tests::generation};

    fn suggested(text: &str) -> Result<String, &'static str> {
        suggestion(text, "a paper boat", Catalogue::built_in().default_model())
    }

    #[test]
    fn what_a_model_says_is_only_taken_if_a_person_can_see_it_all() {
        let good = "A small paper boat drifts along a rain-soaked gutter; low camera, f/2.8, 35 mm, soft dusk light.";
        assert_eq!(suggested(good).as_deref(), Ok(good));
        assert_eq!(suggested("  A paper boat,\n\tat dusk. ").as_deref(), Ok("A paper boat, at dusk."));
        assert_eq!(
            suggested("Ein Boot – „Anna“ – fährt. 🚤").as_deref(),
            Ok("Ein Boot – „Anna“ – fährt. 🚤")
        );
        for (text, why) in [
            ("", "it is empty"),
            (" \n ", "it is empty"),
            ("A paper boat.", "it is the prompt itself"),
            ("a boat\u{0}", "it holds a character that nobody can see"),
            ("a boat\u{1b}[31m", "it holds a character that nobody can see"),
            ("a boat \u{202e}taob", "it holds a character that nobody can see"),
            ("a\u{200b} boat", "it holds a character that nobody can see"),
            ("a boat \u{e0041}", "it holds a character that nobody can see"),
            ("a boat, see https://example.com/x", "it holds an address"),
            ("a boat (HTTP://EXAMPLE.COM)", "it holds an address"),
            ("a boat with the words www.example", "it holds an address"),
            ("a boat for example.com.", "it holds an address"),
            ("a boat, write to me@boats.example", "it holds an address"),
            ("a boat at shop.boats.co/sale", "it holds an address"),
        ] {
            assert_eq!(suggested(text), Err(why), "{text:?}");
        }
        let words = |bytes: usize| "boats ".repeat(bytes / 6);
        assert!(suggested(&words(LONGEST_SUGGESTION)).is_ok());
        assert_eq!(suggested(&words(LONGEST_SUGGESTION + 12)), Err("it is too long"));
        let mut curt = Catalogue::built_in().default_model().clone();
        curt.max_prompt_bytes = 20;
        let text = "a paper boat in the rain at dusk";
        assert_eq!(suggestion(text, "a paper boat", &curt), Err("it is too long"), "for this model");
    }

    #[test]
    fn what_a_user_writes_is_checked_like_a_prompt() {
        let catalogue = Catalogue::built_in();
        let model = Some(catalogue.default_model());
        let changed = |text: &str| Wording::Changed(Some(text.to_owned()));
        for same in [Wording::Kept, Wording::Changed(None), changed("see example.com\nat dusk")] {
            assert_eq!(same.clone().checked(Language::English, model), Ok(same));
        }
        assert_eq!(changed(" a boat ").checked(Language::English, model), Ok(changed("a boat")));
        for wrong in ["", " \n", &"x".repeat(LONGEST_PROMPT + 1)] {
            for model in [model, None] {
                let error = changed(wrong).checked(Language::English, model).unwrap_err();
                assert_eq!(error.field, "enhancedPrompt");
            }
        }
        let long = "x".repeat(LONGEST_PROMPT + 1);
        for (wrong, told) in [(" ", "Sag, was das Video zeigen soll."), (long.as_str(), "Höchstens")] {
            let error = changed(wrong).checked(Language::German, model).unwrap_err();
            assert!(error.message.starts_with(told), "{}", error.message);
        }
    }

    #[test]
    fn absent_and_null_are_not_the_same() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            text: Wording,
        }
        for (json, expected) in [
            ("{}", Wording::Kept),
            (r#"{"text":null}"#, Wording::Changed(None)),
            (r#"{"text":"a"}"#, Wording::Changed(Some("a".to_owned()))),
        ] {
            assert_eq!(serde_json::from_str::<Body>(json).unwrap().text, expected, "{json}");
        }
        assert!(serde_json::from_str::<Body>(r#"{"text":1}"#).is_err());
    }

    #[test]
    fn new_words_take_a_suggestion_unless_the_user_has_decided() {
        let (text, mine) = (Some("a model's".to_owned()), Wording::Changed(Some("mine".to_owned())));
        for (before, better, after) in [
            (Wording::Kept, None, Wording::Kept),
            (Wording::Kept, text.clone(), Wording::Suggested("a model's".to_owned())),
            (Wording::Changed(None), None, Wording::Changed(None)),
            (Wording::Changed(None), text.clone(), Wording::Changed(text.clone())),
            (mine.clone(), text.clone(), mine),
        ] {
            let mut wording = before.clone();
            wording.suggest(better);
            assert_eq!(wording, after, "{before:?}");
        }
    }

    #[test]
    fn a_suggestion_never_takes_the_place_of_what_is_there() {
        let (mine, prompt) = (Some("mine".to_owned()), "a paper boat".to_owned());
        for (before, wording, after) in [
            (None, Wording::Kept, None),
            (mine.clone(), Wording::Kept, Some("mine")),
            (None, Wording::Suggested("a model's".to_owned()), Some("a model's")),
            (mine.clone(), Wording::Suggested("a model's".to_owned()), Some("mine")),
            (None, Wording::Suggested(prompt.clone()), None),
            (mine.clone(), Wording::Changed(None), None),
            (mine.clone(), Wording::Changed(Some("yours".to_owned())), Some("yours")),
            (mine.clone(), Wording::Changed(Some(prompt.clone())), None),
        ] {
            let mut changed = generation();
            changed.enhanced_prompt = before;
            wording.apply(&mut changed);
            assert_eq!(changed.enhanced_prompt.as_deref(), after, "{wording:?}");
        }
    }
}
