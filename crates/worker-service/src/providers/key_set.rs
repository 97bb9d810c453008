//! The public keys that a provider signs its webhooks with: fetched when one is needed, kept, and fetched again when
//! an unknown one is named or the kept ones are old, but never often. It does not look at tokens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Client;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
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

/// The keys at one address. Belongs to the runtime that first uses it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct KeySet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: Url,
    client: Client,
    /// Never locked for longer than it takes to look: a server that takes its time holds nobody who has a key.
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: Vec<Key>,
    /// When these were fetched.
    fetched: Option<Instant>,
    /// When it was last tried.
    tried: Option<Instant>,
    /// Cancelled when the last fetch is over, however it ended.
    over: Option<CancellationToken>,
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
        Self(Arc::new(Inner { url, client, kept: Mutex::default() }))
    }

    /// The keys that may have signed what names this key; empty if there is none, or they cannot be had. May be dropped
    /// midway.
    pub(super) async fn called(&self, key_id: Option<&str>) -> Vec<Key> {
        let over = {
            let (mut kept, now) = (self.0.kept(), Instant::now());
            let keys = kept.called(key_id, now);
            if !keys.is_empty() {
                return keys;
            }
            match kept.over.clone().filter(|over| !over.is_cancelled()) {
                // Whoever needs a key meanwhile waits for the same answer.
                Some(over) => over,
                None if kept.is_to_fetch(key_id, now) => {
                    kept.tried = Some(now);
                    kept.over.insert(self.fetching(now)).clone()
                }
                None => return keys,
            }
        };
        over.cancelled().await;
        self.0.kept().called(key_id, Instant::now())
    }

    /// Fetches in a task of its own, which ends within [`PATIENCE`]: a sender that goes away does not take the answer
    /// from the others.
    fn fetching(&self, begun: Instant) -> CancellationToken {
        let (over, inner) = (CancellationToken::new(), Arc::clone(&self.0));
        let ending = over.clone().drop_guard();
        tokio::spawn(async move {
            match tokio::time::timeout(PATIENCE, inner.fetch()).await {
                Ok(Ok(keys)) => {
                    let mut kept = inner.kept();
                    kept.keys = keys;
                    kept.fetched = Some(begun);
                }
                Ok(Err(reason)) => tracing::warn!(reason, "A provider's keys cannot be fetched"),
                Err(_) => tracing::warn!(reason = "no answer in time", "A provider's keys cannot be fetched"),
            }
            drop(ending);
        });
        over
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change leaves it whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
    use foundation::settings::Environment;
    use futures_util::FutureExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// A key set with one key of this name.
    fn document(name: &str) -> String {
        format!(r#"{{"keys":[{{"kty":"RSA","kid":"{name}","n":"AAAA","e":"AQAB"}}]}}"#)
    }

    /// The keys of the server that is returned, which knows of nothing; `a` was fetched from it long enough ago.
    async fn served() -> (KeySet, TcpListener) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", server.local_addr().unwrap()).parse().unwrap();
        let common = ProviderSettings::read(&Environment::from_map([].into())).unwrap();
        let set = KeySet::new(url, &common);
        let then = Instant::now().checked_sub(FETCHED_EVERY);
        let keys = jwt::keys(document("a").as_bytes()).unwrap();
        *set.0.kept() = Kept { keys, fetched: then, tried: then, over: None };
        (set, server)
    }

    /// Answers one request with a key set.
    async fn answer(mut connection: TcpStream, body: &str) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn a_slow_server_holds_only_whoever_needs_its_answer() {
        let (set, server) = served().await;
        let asking = || {
            let set = set.clone();
            tokio::spawn(async move { set.called(Some("b")).await.len() })
        };
        let first = asking();
        let (connection, _) = server.accept().await.unwrap();
        let known = set.called(Some("a")).now_or_never();
        assert_eq!(known.map(|keys| keys.len()), Some(1), "who has a key waits for nobody");
        let second = asking();
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert!(set.called(Some("b")).now_or_never().is_none(), "the fetch goes on");
        answer(connection, &document("b")).await;
        assert_eq!(second.await.unwrap(), 1, "whoever began it");
        assert!(server.accept().now_or_never().is_none(), "it was asked once");
        let withdrawn = set.called(Some("a")).now_or_never();
        assert_eq!(withdrawn.map(|keys| keys.len()), Some(0), "and not again so soon");
    }

    #[tokio::test]
    async fn a_fetch_that_comes_to_nothing_leaves_what_is_known() {
        let (set, server) = served().await;
        let asked = tokio::spawn({
            let set = set.clone();
            async move { set.called(Some("b")).await.len() }
        });
        let (connection, _) = server.accept().await.unwrap();
        answer(connection, "<html>").await;
        assert_eq!(asked.await.unwrap(), 0);
        assert_eq!(set.called(Some("a")).await.len(), 1);
        assert_eq!(set.called(Some("b")).now_or_never().map(|keys| keys.len()), Some(0), "not so soon again");
    }

    #[test]
    fn keys_are_fetched_when_needed_and_never_often() {
        let keys = jwt::keys(document("a").as_bytes()).unwrap();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let fetched = Kept { keys: keys.clone(), fetched: Some(begun), tried: Some(begun), over: None };
        let failed = Kept { keys: Vec::new(), fetched: None, tried: Some(begun), over: None };
        let renewal_failed = Kept { keys, fetched: Some(begun), tried: Some(at(90_000)), over: None };
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
