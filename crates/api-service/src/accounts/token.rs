//! Session tokens: 32 random bytes that say nothing, known to the database by their hash alone.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

/// How many random bytes a token has.
const BYTES: usize = 32;

/// A session's token, as its holder shows it. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What the database knows a session by: SHA-256 of its token, hexadecimal. A token has 256 random bits, so a
/// plain hash is as good as a slow one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(String);

impl Token {
    /// A new token.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = [0_u8; BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what a request shows; nothing if that is no token of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == BYTES).then(|| Self(text.to_owned()))
    }

    /// The token's text, for its holder alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database knows it by.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(sha256(self.0.as_bytes()))
    }
}

impl Default for Token {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl SessionKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of bytes as lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_no_two_are_the_same() {
        let token = Token::new();
        assert_eq!(Token::read(token.reveal()), Some(token.clone()));
        assert_ne!(Token::new(), token);
        assert!(!format!("{token:?}").contains(token.reveal()));
    }

    #[test]
    fn other_text_is_no_token() {
        for text in ["", "abc", "%%%", &"A".repeat(44), &"A".repeat(1000)] {
            assert_eq!(Token::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_database_does_not_learn_the_token() {
        // The standard's vector for "abc".
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let token = Token::new();
        assert!(!token.key().as_str().contains(token.reveal()));
    }
}
