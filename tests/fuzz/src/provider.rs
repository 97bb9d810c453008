//! What a provider answers, and whatever else answers in its place: submissions, polls and errors.

use std::time::Duration;

use contract::{ErrorCode, worker_api::JobError};
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use worker_service::{
    jobs::state::Retry,
    providers::{
        Failure, Polled, Source,
        google::{LONGEST_WAIT, Refusal, poll_refused, refused_within, rpc_error},
        inline::{Abridged, Extract},
        omni::{self, wire::Found},
        veo3::{vertex_wire, wire},
    },
};

const BASE: &str = "https://provider.example/proxy";

const REFUSALS: &[u16] =
    &[300, 302, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 422, 425, 429, 500, 502, 503, 504];

/// The body; the first line may be `retry-after: …`.
///
/// # Panics
/// If a property does not hold.
pub fn provider_json(data: &[u8]) {
    let (wait, body) = match data.strip_prefix(b"retry-after: ") {
        Some(rest) => rest.iter().position(|byte| *byte == b'\n').map_or((rest, &[][..]), |end| {
            let (wait, body) = rest.split_at(end);
            (wait, body.get(1..).unwrap_or_default())
        }),
        None => (&[][..], data),
    };
    let headers: HeaderMap =
        HeaderValue::from_bytes(wait).into_iter().map(|wait| (RETRY_AFTER, wait)).collect();
    submitted(body);
    refused_as_a_success(body);
    abridged(body);
    // What is no JSON in a field that nobody reads may still be an error's.
    let says_error = serde_json::from_slice::<Value>(body)
        .map_or(true, |body| body.get("error").is_some_and(|error| !error.is_null()));
    polled(body, says_error);
    on_vertex(body, says_error);
    as_interaction(body);
    for status in REFUSALS.iter().filter_map(|status| StatusCode::from_u16(*status).ok()) {
        refused(&Refusal::read(status, &headers, body), body);
    }
}

/// Only a plain name of an operation is one: it becomes a part of the URL that is polled.
fn submitted(body: &[u8]) {
    let Some(name) = wire::operation(body) else { return };
    if let Ok(told) = serde_json::from_slice::<Value>(body) {
        assert_eq!(told.get("name").and_then(Value::as_str), Some(name.as_str()));
    }
    let url: Url = format!("{BASE}/v1beta/{name}").parse().unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(url.as_str(), format!("{BASE}/v1beta/{name}"), "the name stays what it is in a URL");
    assert!(name.starts_with("models/") && name.contains("/operations/"), "{name}");
}

/// Only an error of the provider's own refuses, and nothing that names what it has begun.
fn refused_as_a_success(body: &[u8]) {
    let Some(refusal) = refused_within(body) else { return };
    assert!(rpc_error(body).is_some() && refusal.error.is_some(), "{refusal:?}");
    assert!(refusal.status.is_client_error() || refusal.status.is_server_error(), "{refusal:?}");
    let told = serde_json::from_slice::<Value>(body).unwrap_or_default();
    assert!(["name", "id"].iter().all(|name| told.get(name).is_none_or(Value::is_null)), "{told}");
    check(&refusal.failure());
}

fn polled(body: &[u8], says_error: bool) {
    let base: Url = BASE.parse().unwrap_or_else(|error| unreachable!("{error}"));
    match wire::polled(body, &base) {
        Polled::Finished(Source::Url(url)) => {
            // A file of the API is asked of the base, by its id alone.
            if let Some((_, rest)) = url.path().split_once("/files/")
                && rest.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            {
                let id = rest.strip_suffix(":download").unwrap_or_default();
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                assert!(!id.is_empty() && id.bytes().all(plain), "{url}");
                assert_eq!(url.as_str(), format!("{BASE}/v1beta/files/{id}:download?alt=media"));
            }
        }
        Polled::Failed(failure) => failed(&failure, says_error),
        Polled::Lost(error) => told(&error),
        Polled::Finished(other) => unreachable!("{other:?}"),
        Polled::Pending { progress } => assert_eq!(progress, None),
        Polled::Unclear { wait, .. } => assert_eq!(wait, None),
        Polled::Refused(failure) => unreachable!("a success refuses nothing: {failure:?}"),
    }
}

/// I17: only what the provider itself reports as failed, or held back, is not charged.
fn failed(failure: &Failure, says_error: bool) {
    let filtered = failure.error.code == ErrorCode::ContentFiltered;
    assert!(says_error || filtered, "{failure:?}");
    check(failure);
}

/// On Vertex, a video is in the storage or in the answer itself, and nowhere else.
fn on_vertex(body: &[u8], says_error: bool) {
    if let Some(name) = vertex_wire::operation(body) {
        let model = vertex_wire::model_of(&name).unwrap_or_default();
        assert!(name.starts_with(model) && !model.is_empty() && !name.contains(['?', '#', ' ']), "{name}");
    }
    let storage: Url = "https://storage.example".parse().unwrap_or_else(|error| unreachable!("{error}"));
    match vertex_wire::polled(body, &storage) {
        Polled::Finished(Source::Url(url)) => {
            assert!(url.as_str().starts_with("https://storage.example/storage/v1/b/"), "{url}");
            assert_eq!((url.path_segments().map(Iterator::count), url.query()), (Some(6), Some("alt=media")));
        }
        Polled::Finished(Source::Inline(place)) => {
            assert_eq!(place, "/response/videos/0/bytesBase64Encoded");
        }
        Polled::Failed(failure) => failed(&failure, says_error),
        Polled::Lost(error) => told(&error),
        Polled::Pending { .. } | Polled::Unclear { .. } => {}
        Polled::Refused(failure) => unreachable!("a success refuses nothing: {failure:?}"),
    }
}

fn as_interaction(body: &[u8]) {
    let base: Url = BASE.parse().unwrap_or_else(|error| unreachable!("{error}"));
    if let Some(id) = omni::wire::interaction(body) {
        assert!(!id.contains(['/', '?', '#', '%']), "{id}");
    }
    let polled = match omni::wire::polled(body, &base) {
        Found::File { id, source: Source::Url(url) } => {
            assert_eq!(url.as_str(), format!("{BASE}/v1beta/files/{id}:download?alt=media"));
            omni::wire::file(body, Source::Url(url))
        }
        Found::File { source, .. } => unreachable!("{source:?}"),
        Found::Told(polled) => polled,
    };
    match polled {
        Polled::Failed(failure) => {
            // I17: only these report that nothing was made; and only the first of them is followed by another try.
            let filtered = failure.error.code == ErrorCode::ContentFiltered;
            assert!(filtered || has_status(body, &["failed", "budget_exceeded"]), "{failure:?}");
            assert!(failure.retry == Retry::Never || has_status(body, &["failed"]), "{failure:?}");
            check(&failure);
        }
        Polled::Lost(error) => {
            assert!(!has_status(body, &["failed", "budget_exceeded"]), "{error:?}");
            told(&error);
        }
        Polled::Pending { .. } | Polled::Finished(_) | Polled::Unclear { .. } => {}
        Polled::Refused(failure) => unreachable!("a success refuses nothing: {failure:?}"),
    }
}

/// As a client reads it who looks at this field alone: what is in others may be no JSON at all.
fn has_status(body: &[u8], wanted: &[&str]) -> bool {
    #[derive(Deserialize)]
    struct Told {
        status: String,
    }
    serde_json::from_slice::<Told>(body).is_ok_and(|told| wanted.contains(&told.status.as_str()))
}

/// What is JSON stays JSON, and the same but for its long strings; anything else does no harm.
fn abridged(body: &[u8]) {
    let mut abridged = Abridged::default();
    if abridged.feed(body).is_err() {
        return;
    }
    if let (true, Ok(told)) = (body.len() <= 16 * 1024, serde_json::from_slice::<Value>(body)) {
        assert_eq!(serde_json::from_slice::<Value>(abridged.bytes()).ok(), Some(told));
    }
    let mut extract = Extract::new("/response/videos/0/bytesBase64Encoded");
    if let Ok(video) = extract.feed(body) {
        assert!(video.len() <= body.len());
    }
}

fn refused(refusal: &Refusal, body: &[u8]) {
    let status = refusal.status.as_u16();
    // I16: only these say that the provider did not take it.
    let own_words = rpc_error(body).is_some();
    assert_eq!(refusal.is_known(), status < 500 || (status == 503 && own_words));
    check(&refusal.failure());
    let reason = refusal.reason();
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, ' ' | '_');
    assert!(reason.len() <= 44 && reason.chars().all(plain), "{reason}");
    match poll_refused(refusal) {
        // The operation may be charged, and the provider did not say that it failed.
        Polled::Lost(error) => {
            assert!(own_words && matches!(status, 404 | 410), "{status}");
            told(&error);
        }
        Polled::Unclear { wait, .. } => bounded(wait),
        Polled::Refused(failure) => {
            assert!(own_words && matches!(status, 400 | 401 | 403 | 422), "{status}");
            check(&failure);
        }
        other => unreachable!("{other:?}"),
    }
}

/// What users read is ours.
fn told(error: &JobError) {
    let message = &error.message;
    assert!(message.starts_with("The video ") && message.ends_with('.') && message.is_ascii(), "{message}");
    assert!(message.len() < 200 && !message.contains(|c: char| c.is_ascii_digit()), "{message}");
}

/// Nobody is waited for without end.
fn check(failure: &Failure) {
    told(&failure.error);
    match failure.retry {
        Retry::NotBefore(wait) | Retry::Uncounted(wait) => bounded(Some(wait)),
        Retry::Never | Retry::OnSchedule | Retry::OnOwnSchedule { .. } => {}
    }
}

fn bounded(wait: Option<Duration>) {
    assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT), "{wait:?}");
}
