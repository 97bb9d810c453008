//! A message while the rules work on it: they look at its tokens, and take those that they have understood.
//! What nobody takes is the user's description of the video.

use std::ops::Range;

use super::{
    language::Language,
    lexicon::{Lexicon, Phrase},
    text::{Kind, Token, say_again, tokens},
};

/// A message, its tokens, and which of them have been taken.
pub(super) struct Message<'a> {
    text: &'a str,
    pub(super) tokens: Vec<Token>,
    taken: Vec<bool>,
    pub(super) lexicon: &'static Lexicon,
}

impl<'a> Message<'a> {
    /// Reads a text that may be in any language.
    pub(super) fn new(text: &'a str) -> Self {
        Self::expected_in(None, text)
    }

    /// Reads a text that is probably in this language.
    pub(super) fn expected_in(expected: Option<Language>, text: &'a str) -> Self {
        let text = unquoted(text);
        let tokens = tokens(text);
        let lexicon = Lexicon::for_message(&tokens, expected);
        let tokens: Vec<_> = tokens.into_iter().flat_map(|token| lexicon.parted(text, token)).collect();
        let taken = vec![false; tokens.len()];
        Self { text, tokens, taken, lexicon }
    }

    /// Reads a text once in each language, for what must not be said in any.
    pub(super) fn in_every_language(text: &'a str) -> impl Iterator<Item = Self> {
        Lexicon::all().iter().map(move |lexicon| Self { lexicon, ..Self::new(text) })
    }

    /// How many tokens the longest phrase of that kind covers that begins at the token and of which nothing
    /// is taken; 0 if none does.
    pub(super) fn at(&self, kind: Phrase, i: usize) -> usize {
        let i = i.min(self.tokens.len());
        let free = self.taken[i..].iter().take(Lexicon::LONGEST).take_while(|taken| !**taken).count();
        self.lexicon.starts(kind, &self.tokens[i..i + free])
    }

    /// Likewise for a phrase that ends before the token.
    pub(super) fn before(&self, kind: Phrase, i: usize) -> usize {
        let free = self.taken[..i].iter().rev().take(Lexicon::LONGEST).take_while(|taken| !**taken).count();
        self.lexicon.ends(kind, &self.tokens[i - free..i])
    }

    /// The number, in digits or words, that begins at the token: its length and value.
    pub(super) fn number(&self, i: usize) -> Option<(usize, f64)> {
        let token = self.tokens.get(i)?;
        let (length, value) = match token.kind {
            Kind::Number => (1, token.text.replace(',', ".").parse().ok()?),
            _ => self.lexicon.number(&self.tokens[i..])?,
        };
        self.free(i..i + length).then_some((length, value))
    }

    /// Whether nothing in the range is taken.
    pub(super) fn free(&self, range: Range<usize>) -> bool {
        self.taken.get(range).is_none_or(|taken| taken.iter().all(|taken| !taken))
    }

    /// Takes these tokens.
    pub(super) fn take(&mut self, range: Range<usize>) {
        self.taken[range].fill(true);
    }

    /// Takes these tokens, and the words around them that only served to connect them: “in a … format”.
    pub(super) fn take_with_glue(&mut self, range: Range<usize>) {
        let Range { mut start, mut end } = range;
        self.take(start..end);
        loop {
            let mut length = self.before(Phrase::GlueBefore, start);
            if length == 0
                && start > 0
                && self.tokens[start - 1].is_sign(":=-")
                && self.free(start - 1..start)
            {
                // “Length: 8 seconds”.
                let label = self.before(Phrase::GlueBefore, start - 1);
                length = if label > 0 { label + 1 } else { 0 };
            }
            if length == 0 || self.before(Phrase::Want, start) > 0 {
                // “How about a vertical video” keeps its “about”.
                break;
            }
            start -= length;
        }
        loop {
            let length = self.at(Phrase::GlueAfter, end);
            if length == 0 {
                break;
            }
            end += length;
        }
        self.take(start..end);
    }

    /// Whether a clause ends before this token: at the end, at a sign, or where something was taken.
    pub(super) fn is_edge(&self, i: usize) -> bool {
        self.tokens.get(i).is_none_or(|token| self.taken[i] || token.is_boundary())
    }

    /// Likewise, with an “and” or a “please” before the edge.
    pub(super) fn ends_clause(&self, i: usize) -> bool {
        let tail = self.at(Phrase::Tail, i).max(self.at(Phrase::Or, i));
        self.is_edge(i) || tail > 0 && self.is_edge(i + tail)
    }

    /// Whether a clause begins with this token.
    pub(super) fn begins_clause(&self, i: usize) -> bool {
        i == 0 || self.is_edge(i - 1)
    }

    /// Skips everything that may stand between an adjective and its noun.
    pub(super) fn next_noun(&self, mut i: usize) -> usize {
        loop {
            let skip = match self.tokens.get(i) {
                None => return i,
                Some(token) if self.taken[i] || token.is_sign(",-") => 1,
                Some(_) => [
                    Phrase::Filler,
                    Phrase::Style,
                    Phrase::Silent,
                    Phrase::UprightAdjective,
                    Phrase::WideAdjective,
                    Phrase::Square,
                ]
                .into_iter()
                .map(|kind| self.at(kind, i))
                .max()
                .unwrap_or(0),
            };
            if skip == 0 {
                return i;
            }
            i += skip;
        }
    }

    /// Whether a video is named here.
    pub(super) fn names_video(&self, i: usize) -> bool {
        self.at(Phrase::Video, i) + self.at(Phrase::Videos, i) > 0
    }

    /// Whether an adjective speaks of the video and not of something in it: it stands before “video” or
    /// “format”, or it is a clause of its own, or ends one that began with “in”.
    pub(super) fn speaks_of_video(&self, range: &Range<usize>) -> bool {
        let noun = self.next_noun(range.end);
        if self.names_video(noun)
            || self.at(Phrase::Footage, noun) > 0
            || self.at(Phrase::Format, range.end) > 0
        {
            return true;
        }
        if self.follows_video(range) {
            return true;
        }
        if !self.ends_clause(range.end) {
            return false;
        }
        if self.before(Phrase::Determiner, range.start) + self.before(Phrase::Definite, range.start) > 0 {
            return false;
        }
        if self.before(Phrase::StyleIn, range.start) > 0 {
            return true;
        }
        let mut start = range.start;
        loop {
            let glue = self.before(Phrase::GlueBefore, start);
            if glue == 0 {
                return self.begins_clause(start);
            }
            start -= glue;
        }
    }

    /// Whether an adjective stands after “video”, as most languages have it: “un vídeo vertical de …”.
    fn follows_video(&self, range: &Range<usize>) -> bool {
        let mut start = range.start;
        while start > 0 && (self.taken[start - 1] || self.before(Phrase::Filler, start) > 0) {
            start -= self.before(Phrase::Filler, start).max(1);
        }
        let named = self.before(Phrase::Video, start) + self.before(Phrase::Videos, start) > 0;
        let ends = self.ends_clause(range.end)
            || [Phrase::Connect, Phrase::Without, Phrase::StyleIn]
                .iter()
                .any(|kind| self.at(*kind, range.end) > 0);
        named && ends
    }

    /// Takes what is left of clauses of which the rest was taken: “it should be … and …”.
    pub(super) fn take_emptied_clauses(&mut self) {
        let mut start = 0;
        for end in 0..=self.tokens.len() {
            if !self.tokens.get(end).is_none_or(Token::is_boundary) {
                continue;
            }
            let clause = start..end;
            start = end + 1;
            if !self.taken[clause.clone()].iter().any(|taken| *taken) {
                continue;
            }
            let glue = [Phrase::GlueBefore, Phrase::GlueAfter, Phrase::Tail, Phrase::Or];
            if self.consists_of(clause.clone(), &glue) {
                self.take(clause.clone());
                let bracketed = clause.start > 0
                    && self.tokens[clause.start - 1].is_sign("(")
                    && self.tokens.get(clause.end).is_some_and(|token| token.is_sign(")"));
                if bracketed {
                    self.take(clause.start - 1..clause.end + 1);
                }
            }
        }
    }

    /// Whether everything in the range is taken, a sign, or part of a phrase of one of these kinds.
    pub(super) fn consists_of(&self, range: Range<usize>, kinds: &[Phrase]) -> bool {
        let mut i = range.start;
        while i < range.end {
            let token = &self.tokens[i];
            let known = kinds.iter().map(|kind| self.at(*kind, i)).max().unwrap_or(0);
            i += match known {
                0 if self.taken[i] || token.kind == Kind::Sign => 1,
                0 => return false,
                length => length,
            };
        }
        true
    }

    /// The tokens in the range that nobody has taken.
    pub(super) fn rest(&self, range: Range<usize>) -> impl Iterator<Item = &Token> {
        range.filter(|i| !self.taken[*i]).map(|i| &self.tokens[i])
    }

    /// The user's own words in the range, as far as nobody has taken them.
    pub(super) fn words(&self, range: Range<usize>) -> String {
        say_again(self.text, &self.tokens, |i| range.contains(&i) && !self.taken[i])
    }

    /// The user's own words in the range, taken or not.
    pub(super) fn quote(&self, range: Range<usize>) -> String {
        say_again(self.text, &self.tokens, |i| range.contains(&i))
    }
}

/// Without the quotation marks around the whole.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')] {
        let inner = text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.contains([open, close])) {
            return inner.trim();
        }
    }
    text
}
