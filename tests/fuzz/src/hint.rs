//! What a provider's webhook brings: its body, which says what it is about, and the token and key set that vouch for it.

use serde_json::Value;
use worker_service::{
    hints::hint,
    providers::jwt::{self, Expected},
};

/// The body, as the route reads it; the same bytes as a token, and as a key set.
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
    let keys = jwt::keys(data).unwrap_or_default();
    assert!(keys.len() <= 64);
    let text = crate::text(data);
    let Ok(token) = jwt::read(&text) else { return };
    for key in keys.iter().filter(|key| key.is_called(token.key_id.as_deref())) {
        assert!(token.verify(key, &Expected::default(), 0).is_err(), "nobody has signed it");
    }
}
