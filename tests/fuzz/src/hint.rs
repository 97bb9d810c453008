//! What a provider's webhook brings: its body, which says what it is about, and the token and key set that vouch for it.

use std::sync::LazyLock;

use serde_json::Value;
use worker_service::{
    hints::hint,
    providers::jwt::{self, Expected, Fault, Key},
};

use crate::text;

/// When tokens come, in Unix seconds: while those of the corpus hold.
const NOW: i64 = 1_800_000_000;

/// A key of each kind. Their private halves are gone: nobody can sign with them any more.
static KEYS: LazyLock<Vec<Key>> =
    LazyLock::new(|| jwt::keys(include_bytes!("../corpus/hint_json/keys.json")).unwrap_or_default());

/// All that was ever signed with them.
const SIGNED: &[&str] = &[
    include_str!("../corpus/hint_json/signed_es256.txt"),
    include_str!("../corpus/hint_json/signed_rs256.txt"),
];

/// The body, as the route reads it. Then the first line as a key set and the rest as a token; one line alone is both.
///
/// # Panics
/// If a property does not hold.
pub fn hint_json(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice::<Value>(data) {
        let hint = hint::read(&body);
        assert!(hint.operations.len() <= 4, "{hint:?}");
        assert!(hint.operations.iter().all(|name| (1..=255).contains(&name.len()) && !name.contains('\0')));
        assert!(hint.attempt.as_ref().is_none_or(|(_, number)| *number >= 1));
        assert_eq!(hint.is_empty(), hint == hint::Hint::default());
    }
    let end = data.iter().position(|byte| *byte == b'\n');
    let (set, token) = end.map_or((data, data), |end| (&data[..end], &data[end + 1..]));
    let theirs = jwt::keys(set).unwrap_or_default();
    assert!(theirs.len() <= 64);
    let text = text(token);
    if is_taken(token) {
        let signed = SIGNED.iter().any(|signed| without_signature(signed) == without_signature(&text));
        assert!(signed, "nobody has signed {text}");
    }
    let Ok(token) = jwt::read(&text) else { return };
    let called = theirs.iter().filter(|key| key.is_called(token.key_id.as_deref()));
    for key in called.chain(&*KEYS) {
        if token.verify(key, &Expected::default(), NOW).is_ok() {
            check_taken(&text, key);
        }
    }
}

/// Whether a token is taken by one of the keys with which nobody can sign any more.
#[must_use]
pub fn is_taken(token: &[u8]) -> bool {
    let text = text(token);
    jwt::read(&text)
        .is_ok_and(|token| KEYS.iter().any(|key| token.verify(key, &Expected::default(), NOW).is_ok()))
}

/// A token that a key takes is taken for a time, as it is, and as nothing else.
fn check_taken(token: &str, key: &Key) {
    let verify =
        |token: &str, now| jwt::read(token).and_then(|token| token.verify(key, &Expected::default(), now));
    assert_eq!(verify(token, i64::MAX), Err(Fault::Time), "{token} holds for ever");
    for index in (0..token.len()).step_by(token.len() / 8 + 1) {
        let mut changed = token.as_bytes().to_vec();
        changed[index] ^= 1;
        assert!(verify(&text(&changed), NOW).is_err(), "{token} is as good with another byte at {index}");
    }
}

/// What of a token is signed.
fn without_signature(token: &str) -> &str {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed)
}
