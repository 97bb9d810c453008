//! The public keys that a provider signs its webhooks with: fetched when one is needed, kept, and fetched again when
//! an unknown one is named or the kept ones are old, but never often. It does not look at tokens.

use std::time::Duration;

use reqwest::Client;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    ProviderSettings, fetch,
    jwt::{self, Key},
};

/// The longest key set that is read.
const LONGEST: usize = 256 * 1024;
/// How long fetching may take: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An unknown key causes no other fetch so soon after one.
const FETCHED_EVERY: Duration = Duration::from_mins(1);
/// After a fetch that failed, the next may be this soon.
const TRIED_EVERY: Duration = Duration::from_secs(5);
/// A key that was withdrawn is good no longer than this.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The keys at one address. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub(super) struct KeySet {
    url: Url,
    client: Client,
    /// Locked while keys are fetched: whoever needs one then waits for the same answer.
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: Vec<Key>,
    /// When these were fetched.
    fetched: Option<Instant>,
    /// When it was last tried.
    tried: Option<Instant>,
}

impl Kept {
    /// Whether to fetch: there is no key of this name, or they are old, and it was not tried just before.
    fn is_to_fetch(&self, key_id: Option<&str>, now: Instant) -> bool {
        let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
        let is_known = self.keys.iter().any(|key| key.is_called(key_id));
        let is_fresh = since(self.fetched).is_some_and(|age| age < KEPT_FOR);
        let has_failed = self.tried != self.fetched;
        let pause = if has_failed { TRIED_EVERY } else { FETCHED_EVERY };
        !(is_known && is_fresh) && since(self.tried).is_none_or(|age| age >= pause)
    }

    /// Those that may have signed what names this key.
    fn called(&self, key_id: Option<&str>, now: Instant) -> Vec<Key> {
        let fetched = self.fetched.filter(|fetched| now.saturating_duration_since(*fetched) < KEPT_FOR);
        let keys = self.keys.iter().filter(|key| fetched.is_some() && key.is_called(key_id));
        keys.cloned().collect()
    }
}

impl KeySet {
    /// Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub(super) fn new(url: Url, common: &ProviderSettings) -> Self {
        let client = fetch::client(common).build().unwrap_or_default();
        Self { url, client, kept: Mutex::default() }
    }

    /// The keys that may have signed what names this key; empty if there is none, or they cannot be had.
    pub(super) async fn called(&self, key_id: Option<&str>) -> Vec<Key> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if kept.is_to_fetch(key_id, now) {
            // Before it is known what comes of it: whoever is dropped here has tried.
            kept.tried = Some(now);
            match tokio::time::timeout(PATIENCE, self.fetch()).await {
                Ok(Ok(keys)) => {
                    kept.keys = keys;
                    kept.fetched = Some(now);
                }
                Ok(Err(reason)) => tracing::warn!(reason, "A provider's keys cannot be fetched"),
                Err(_) => tracing::warn!(reason = "no answer in time", "A provider's keys cannot be fetched"),
            }
        }
        kept.called(key_id, now)
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let sent = self.client.get(self.url.clone()).send().await;
        let response = sent.map_err(|error| error.without_url().to_string())?;
        if !response.status().is_success() {
            return Err(format!("the answer was {}", response.status().as_u16()));
        }
        let body = fetch::short(response, LONGEST).await?;
        jwt::keys(&body).ok_or_else(|| "the answer is no key set".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_when_needed_and_never_often() {
        let key = br#"{"keys":[{"kty":"RSA","kid":"a","n":"AAAA","e":"AQAB"}]}"#;
        let keys = jwt::keys(key).unwrap();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let fetched = Kept { keys: keys.clone(), fetched: Some(begun), tried: Some(begun) };
        let failed = Kept { keys: Vec::new(), fetched: None, tried: Some(begun) };
        let renewal_failed = Kept { keys, fetched: Some(begun), tried: Some(at(90_000)) };
        for (kept, id, seconds, expected) in [
            (&Kept::default(), Some("a"), 0, true),
            (&fetched, Some("a"), 3_600, false),
            (&fetched, None, 3_600, false),
            (&fetched, Some("b"), 59, false),
            (&fetched, Some("b"), 60, true),
            (&fetched, Some("a"), 86_400, true),
            (&failed, Some("a"), 4, false),
            (&failed, Some("a"), 5, true),
            (&renewal_failed, Some("a"), 90_001, false),
            (&renewal_failed, Some("a"), 90_005, true),
        ] {
            assert_eq!(kept.is_to_fetch(id, at(seconds)), expected, "{id:?} {seconds}");
        }
        assert_eq!(fetched.called(Some("a"), at(10)).len(), 1);
        assert_eq!(fetched.called(Some("b"), at(10)), []);
        assert_eq!(renewal_failed.called(Some("a"), at(90_001)), [], "a day is enough");
    }
}
