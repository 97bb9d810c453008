//! What is looked for among conversations, and the patterns that find it. Pure.
//!
//! Databases fold case by their own rules: SQLite that of ASCII alone, PostgreSQL after its locale. So a word is looked
//! for in each of the ways in which it is written, which needs neither an extension nor a second copy of the texts.

use crate::{
    error::{AppError, AppResult},
    storable,
};

/// Characters at most.
const LONGEST: usize = 200;
/// Words at most: each is another look at every message.
const MOST_WORDS: usize = 8;

/// Words that a conversation must have, each in its title or in one of its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(Vec<Word>);

/// A word, as patterns of `LIKE` with a backslash as escape, for texts whose ASCII letters are made small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As a word within a sentence.
    pub small: String,
    /// As the first one of a sentence, or a noun in German.
    pub capitalised: String,
    /// As in a headline.
    pub large: String,
}

impl Search {
    /// Reads what a user looks for. Nothing but blanks finds everything.
    pub fn read(text: &str) -> AppResult<Self> {
        if text.chars().count() > LONGEST {
            return Err(AppError::field("q", format!("must have at most {LONGEST} characters")));
        }
        if let Some(error) = storable::check("q", text) {
            return Err(AppError::validation(vec![error]));
        }
        let words: Vec<_> = text.split_whitespace().map(Word::new).collect();
        if words.len() > MOST_WORDS {
            return Err(AppError::field("q", format!("must have at most {MOST_WORDS} words")));
        }
        Ok(Self(words))
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.0
    }
}

impl Word {
    fn new(word: &str) -> Self {
        let small = word.to_lowercase();
        let mut rest = small.chars();
        let capitalised = match rest.next() {
            Some(first) => first.to_uppercase().chain(rest).collect(),
            None => String::new(),
        };
        let large = small.to_uppercase();
        Self { small: pattern(&small), capitalised: pattern(&capitalised), large: pattern(&large) }
    }
}

/// What contains this text.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_looked_for_as_it_may_be_written() {
        for (text, small, capitalised, large) in [
            ("Boat", "%boat%", "%boat%", "%boat%"),
            ("über", "%über%", "%Über%", "%Über%"),
            ("GRÖSSE", "%grösse%", "%grösse%", "%grÖsse%"),
            ("100%_\\", "%100\\%\\_\\\\%", "%100\\%\\_\\\\%", "%100\\%\\_\\\\%"),
        ] {
            let search = Search::read(text).unwrap();
            let [word] = search.words() else { panic!("{search:?}") };
            let found = (word.small.as_str(), word.capitalised.as_str(), word.large.as_str());
            assert_eq!(found, (small, capitalised, large), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        assert_eq!(Search::read(" \t ").unwrap(), Search::default());
        assert_eq!(Search::read(&"a ".repeat(8)).unwrap().words().len(), 8);
        for text in ["a ".repeat(9), "ä".repeat(201), "a\0".to_owned()] {
            let refused = Search::read(&text).unwrap_err().problem("");
            assert_eq!((refused.status, refused.errors[0].field.as_str()), (422, "q"));
        }
    }
}
