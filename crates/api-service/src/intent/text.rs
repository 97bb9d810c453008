//! A message as the rules read it: tokens in lower case without accents, each knowing its place in the
//! user's own words, so that what is left after the rules have taken theirs can be said again unchanged.

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Folded: lower case, without accents. Empty for [`Kind::Opaque`].
    pub(super) text: String,
    /// Where it begins in the original, in bytes.
    pub(super) start: usize,
    /// Where it ends in the original, in bytes.
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with what belongs to them (`don't`).
    Word,
    /// Digits, perhaps with decimals (`8`, `2.35`).
    Number,
    /// One sign that separates (`,`, `.`, `:`, a dash between numbers, a line break).
    Sign,
    /// Something quoted or in square brackets: the rules never look into it.
    Opaque,
}

impl Token {
    /// Whether this is that sign.
    pub(super) fn is_sign(&self, signs: &str) -> bool {
        self.kind == Kind::Sign && signs.contains(self.text.as_str())
    }

    /// Whether this is that word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this ends a clause.
    pub(super) fn is_boundary(&self) -> bool {
        self.is_sign(",.;:!?()\n-")
    }

    /// Whether this ends a sentence.
    pub(super) fn ends_sentence(&self) -> bool {
        self.is_sign(".!?\n")
    }
}

/// Splits a text into tokens. A hyphen between letters only joins words (`stop-motion` is two), one between
/// numbers is a sign (`4-8`). Digits and letters part ways (`1080p` is `1080` and `p`).
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |i: usize| chars.get(i).map_or(text.len(), |(at, _)| *at);
    let mut tokens = Vec::new();
    let mut i = 0;
    while let Some(&(start, c)) = chars.get(i) {
        let from = i;
        i += 1;
        let kind = if let Some(length) = opaque(&chars[from..]) {
            i = from + length;
            Kind::Opaque
        } else if c.is_alphabetic() {
            while let Some(&(_, next)) = chars.get(i) {
                let joins =
                    is_apostrophe(next) && chars.get(i + 1).is_some_and(|(_, after)| after.is_alphabetic());
                if joins && is_elision(&chars[from..i]) {
                    i += 1;
                    break;
                }
                // “9x16” is two numbers.
                let times = next.is_ascii_digit() && matches!(chars[from..i], [(_, 'x' | 'X')]);
                if times || !(next.is_alphanumeric() || is_mark(next) || joins) {
                    break;
                }
                i += 1;
            }
            Kind::Word
        } else if c.is_ascii_digit() {
            while let Some(&(_, next)) = chars.get(i) {
                let decimal = matches!(next, '.' | ',')
                    && chars.get(i + 1).is_some_and(|(_, after)| after.is_ascii_digit());
                if !(next.is_ascii_digit() || decimal) {
                    break;
                }
                i += 1;
            }
            Kind::Number
        } else if is_dash(c) {
            let before = from.checked_sub(1).map(|i| chars[i].1);
            let after = chars.get(i).map(|(_, c)| *c);
            let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            if joined(before) && joined(after) && !(digit(before) && digit(after)) {
                continue;
            }
            Kind::Sign
        } else if c != '\n' && c.is_whitespace() || is_mark(c) || matches!(c, '¿' | '¡') {
            continue;
        } else {
            Kind::Sign
        };
        let text = match kind {
            Kind::Opaque => String::new(),
            _ => chars[from..i].iter().map(|(_, c)| *c).collect::<String>(),
        };
        tokens.push(Token { kind, text: fold(&text), start, end: end_of(i) });
    }
    tokens
}

/// The number of characters of the quotation or bracket that begins here, if one does and is closed.
fn opaque(chars: &[(usize, char)]) -> Option<usize> {
    let closes: fn(char) -> bool = match chars.first()?.1 {
        '"' => |c| c == '"',
        '“' | '„' => |c| matches!(c, '”' | '“'),
        '«' => |c| c == '»',
        '»' => |c| c == '«',
        '[' => |c| c == ']',
        _ => return None,
    };
    // A line break ends the search, so that a lone sign for inches does not swallow the message.
    let length = chars[1..].iter().take_while(|(_, c)| *c != '\n').position(|(_, c)| closes(*c))?;
    Some(length + 2)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '–' | '—')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// Whether this is a French or Italian article or pronoun that lost its vowel (`d'`, `l'`).
fn is_elision(chars: &[(usize, char)]) -> bool {
    let word: String = chars.iter().flat_map(|(_, c)| c.to_lowercase()).collect();
    matches!(
        word.as_str(),
        "d" | "l"
            | "j"
            | "s"
            | "c"
            | "n"
            | "m"
            | "t"
            | "qu"
            | "un"
            | "dell"
            | "all"
            | "nell"
            | "dall"
            | "sull"
            | "quell"
            | "jusqu"
            | "lorsqu"
            | "puisqu"
    )
}

/// Lower case, without accents, with plain apostrophes, dashes and multiplication signs.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' | 'ī' => folded.push('i'),
            'ñ' | 'ń' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' => folded.push('o'),
            'ù'..='ü' | 'ū' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            '×' => folded.push('x'),
            '：' => folded.push(':'),
            '，' | '、' => folded.push(','),
            '。' | '…' => folded.push('.'),
            '？' => folded.push('?'),
            '！' => folded.push('!'),
            c if is_apostrophe(c) => folded.push('\''),
            c if is_dash(c) => folded.push('-'),
            // What lower case splits off (`İ`) must not stand alone.
            c if is_mark(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Says the kept tokens again in the user's own words: what stood between two neighbours stays, what the
/// rules took leaves a single space or the sign that was there.
pub(super) fn say_again(text: &str, tokens: &[Token], kept: impl Fn(usize) -> bool) -> String {
    let mut said = String::new();
    let mut last: Option<usize> = None;
    for (i, token) in tokens.iter().enumerate().filter(|(i, _)| kept(*i)) {
        let separates = token.is_sign(",.;:!?)");
        match last {
            None if token.is_sign(",.;:!?)\n-") => continue,
            None => {}
            Some(previous) if previous + 1 == i => said.push_str(&text[tokens[previous].end..token.start]),
            Some(previous) if separates && tokens[previous].is_boundary() => {
                // Two signs meet where something was taken: the stronger one stays.
                if token.ends_sentence() && !tokens[previous].ends_sentence() {
                    said.truncate(said.len() - (tokens[previous].end - tokens[previous].start));
                } else {
                    continue;
                }
            }
            Some(_) if separates => {}
            Some(_) => said.push(' '),
        }
        said.push_str(&text[token.start..token.end]);
        last = Some(i);
    }
    tidy(&said)
}

/// Without the space and the signs that hang over at both ends.
fn tidy(said: &str) -> String {
    let mut said = said.trim();
    loop {
        let ends = |c: char| c.is_whitespace() || ",;:.!?".contains(c) || is_dash(c);
        let shorter = said.trim_end_matches(ends).trim_start_matches(|c| c != '.' && ends(c)).trim();
        let shorter = if shorter.ends_with('(') { shorter.trim_end_matches('(') } else { shorter };
        if shorter == said {
            return said.to_owned();
        }
        said = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        tokens(text)
            .iter()
            .map(|t| if t.kind == Kind::Opaque { "…".to_owned() } else { t.text.clone() })
            .collect()
    }

    #[test]
    fn messages_fall_into_tokens() {
        for (text, expected) in [
            ("Make me a VIDEO", vec!["make", "me", "a", "video"]),
            ("an 8-second clip, 16:9", vec!["an", "8", "second", "clip", ",", "16", ":", "9"]),
            ("4-8s or 4–8 s", vec!["4", "-", "8", "s", "or", "4", "-", "8", "s"]),
            ("1080p 4K 9x16 2.35:1", vec!["1080", "p", "4", "k", "9", "x", "16", "2.35", ":", "1"]),
            ("don’t I'd d'un l’océan", vec!["don't", "i'd", "d'", "un", "l'", "ocean"]),
            ("stop-motion – ok", vec!["stop", "motion", "-", "ok"]),
            ("a \"quoted 8 s\" [sim:latency=30s] b", vec!["a", "…", "…", "b"]),
            ("5\" long", vec!["5", "\"", "long"]),
            ("ÉTÉ e\u{301}te\u{301} Straße", vec!["ete", "ete", "strasse"]),
            ("mp4 🎬!", vec!["mp4", "🎬", "!"]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn tokens_know_their_place() {
        let text = "Ein Video „8 s“ über Köln, 10–12 Sekunden 🎥";
        for token in tokens(text) {
            let original = &text[token.start..token.end];
            assert!(token.kind == Kind::Opaque || fold(original) == token.text, "{original}");
        }
    }

    #[test]
    fn what_is_kept_is_said_in_the_users_words() {
        for (text, gone, expected) in [
            ("a cat,  on a Mat, vertical, please", &["vertical", "please"][..], "a cat,  on a Mat"),
            ("a cat 8 seconds on a mat", &["8", "seconds"], "a cat on a mat"),
            ("a cat. vertical. it jumps", &["vertical"], "a cat. it jumps"),
            ("a cat, vertical. it jumps", &["vertical"], "a cat. it jumps"),
            ("vertical: a cat?!", &["vertical"], "a cat"),
            ("vertical", &["vertical"], ""),
        ] {
            let tokens = tokens(text);
            let said = say_again(text, &tokens, |i| !gone.contains(&tokens[i].text.as_str()));
            assert_eq!(said, expected);
        }
    }
}
