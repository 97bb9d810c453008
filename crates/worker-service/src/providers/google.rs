//! What Google's APIs have in common on the wire: the key, the shape of an error and what follows from it. Pure.

mod within;

use std::time::Duration;

use contract::{ErrorCode, ErrorReason, worker_api::JobError};
use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

pub use self::within::refused_within;
use super::{ApiKey, Failure, Polled, Source};
use crate::jobs::state::Retry;

/// Whoever asks for more patience than this has said no.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// `google.rpc.Status`, as far as it is of use.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct RpcError {
    #[serde(default, deserialize_with = "number")]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Value>,
}

/// A number, or 0 for the words that newer APIs have in its place.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    Ok(Value::deserialize(from)?.as_i64().unwrap_or_default())
}

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the provider itself says; absent if something else answered.
    pub error: Option<RpcError>,
    /// How long it asks to be left alone, as it says it; [`patience`](Self::patience) is what is granted.
    pub wait: Option<Duration>,
    /// All that it says, for who speaks otherwise. Not for the log.
    pub body: Vec<u8>,
}

impl Refusal {
    /// Reads an answer that is not a success.
    #[must_use]
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let error = rpc_error(body);
        let header = headers.get("retry-after").and_then(|value| value.to_str().ok());
        let wait = error.as_ref().and_then(RpcError::retry_delay);
        let wait = wait.or_else(|| header?.trim().parse().ok().map(Duration::from_secs));
        Self { status, error, wait, body: body.to_vec() }
    }

    /// For the log: the status and the provider's word for it, nothing that it made up for this request.
    #[must_use]
    pub fn reason(&self) -> String {
        let word = self.error.as_ref().map_or("", |error| error.status.as_str());
        let plain =
            !word.is_empty() && word.len() <= 40 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if plain { format!("{} {word}", self.status.as_u16()) } else { self.status.as_u16().to_string() }
    }

    /// Whether the request was certainly not carried out. Of answers from 500 on only a 503 in the provider's
    /// own words says that (I16).
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.status.is_server_error()
            || (self.status == StatusCode::SERVICE_UNAVAILABLE && self.error.is_some())
    }

    /// What follows from a refusal.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let message = self.error.as_ref().map_or("", |error| error.message.as_str());
        match self.status.as_u16() {
            402 => spent(),
            429 if self.is_lasting() => spent(),
            429 => quota(self.retry()),
            401 | 403 => not_set_up(),
            400 if self.error.as_ref().is_some_and(RpcError::is_about_the_key) => not_set_up(),
            400 if is_about_safety(message) => filtered(&[message]),
            408 | 425 | 500.. => unavailable(self.retry()),
            300..400 => Failure { retry: Retry::Never, ..not_set_up() },
            404 => not_offered(),
            400 | 422 if is_about_the_form(message) => another_form(),
            _ => invalid(),
        }
    }

    /// How long it is left alone: as long as it asks, within bounds. A time beyond all reason would keep the job
    /// until its deadline, and is more than a database can add to its clock.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.wait.map(|wait| wait.min(LONGEST_WAIT))
    }

    /// What it says of an operation that was asked after: nothing, so it is asked after again.
    #[must_use]
    pub fn unclear(&self) -> Polled {
        Polled::Unclear { reason: self.reason(), wait: self.patience() }
    }

    fn retry(&self) -> Retry {
        self.patience().map_or(Retry::OnSchedule, Retry::NotBefore)
    }

    /// Whether this quota does not come back within a job's life: one of a day, or a limit of spending.
    fn is_lasting(&self) -> bool {
        if self.wait.is_some_and(|wait| wait > LONGEST_WAIT) {
            return true;
        }
        let Some(error) = &self.error else { return false };
        let words = error.message.to_lowercase();
        // "Check your plan and billing details" stands in every 429, so it says nothing.
        let spent = ["per day", "daily", "spend", "prepaid"].iter().any(|word| words.contains(word));
        let per_day = error.details.iter().any(|detail| {
            let violations = detail.get("violations").and_then(Value::as_array);
            violations.into_iter().flatten().any(|violation| {
                let id = violation.get("quotaId").and_then(Value::as_str).unwrap_or_default();
                id.contains("PerDay")
            })
        });
        spent || per_day
    }
}

impl RpcError {
    fn retry_delay(&self) -> Option<Duration> {
        let info = self.details.iter().find(|detail| {
            detail.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with(".RetryInfo"))
        })?;
        let seconds: f64 = info.get("retryDelay")?.as_str()?.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn is_about_the_key(&self) -> bool {
        let reason = |detail: &Value| detail.get("reason").and_then(Value::as_str) == Some("API_KEY_INVALID");
        self.details.iter().any(reason) || self.message.contains("API key")
    }

    /// An error of this number, 0 if it has none, in these words alone.
    pub(super) fn saying(code: i64, message: String) -> Self {
        Self { code, message, ..Self::default() }
    }

    /// What follows from an operation that ended so, by `google.rpc.Code`.
    #[must_use]
    pub fn failure(&self) -> Failure {
        if is_about_safety(&self.message) || may_pass(&self.message) {
            return filtered(&[&self.message]);
        }
        match self.code {
            3 | 11 if is_about_the_form(&self.message) => another_form(),
            // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED
            3 | 9 | 11 | 12 => invalid(),
            // RESOURCE_EXHAUSTED
            8 => quota(Retry::OnSchedule),
            // PERMISSION_DENIED, UNAUTHENTICATED
            7 | 16 => not_set_up(),
            _ => failed(),
        }
    }
}

/// The error in an answer's body, which may be wrapped in an array of one.
#[must_use]
pub fn rpc_error(body: &[u8]) -> Option<RpcError> {
    #[derive(Deserialize)]
    struct Envelope {
        error: RpcError,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        // First, since a sequence could be read as a structure, too.
        Array([Envelope; 1]),
        Plain(Envelope),
    }
    match serde_json::from_slice(body).ok()? {
        Body::Plain(envelope) | Body::Array([envelope]) => Some(envelope.error),
    }
}

/// An answer's body, which is an object: serde would read a structure from an array, too.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let begins = body.trim_ascii_start().first();
    begins.filter(|first| **first == b'{').and_then(|_| serde_json::from_slice(body).ok())
}

/// What it means that a poll was refused. Only the provider's own words can end a video that is being made, and may be
/// charged: a proxy that answers in its place for a moment says nothing of it, and it is asked after again until the
/// job's time is over.
#[must_use]
pub fn poll_refused(refusal: &Refusal) -> Polled {
    if refusal.error.is_none() {
        return refusal.unclear();
    }
    match refusal.status.as_u16() {
        // The provider knows the operation no more, so nothing will come of it; it may have been charged.
        404 | 410 => Polled::Lost(lost()),
        400 | 401 | 403 | 422 => Polled::Refused(refusal.failure()),
        // These are about the moment, the way or the account's credit.
        _ => refusal.unclear(),
    }
}

/// The header that carries an API key.
const KEY_HEADER: &str = "x-goog-api-key";

/// A request with the API key, for the provider's own base.
pub(super) fn with_key(request: RequestBuilder, key: &ApiKey) -> RequestBuilder {
    match key.header("") {
        Some(key) => request.header(KEY_HEADER, key),
        None => request,
    }
}

/// Whether a model's name, or that of another thing, can stand in a path.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

/// The id of a file of the API that a URI names, by whatever host.
#[must_use]
pub fn file(uri: &str) -> Option<String> {
    let url: Url = uri.parse().ok()?;
    let (_, rest) = url.path().split_once("/files/")?;
    let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit())).unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

/// Where a video is: a file of the API, by whatever host it is named, is asked of the base, as the official
/// client does, so that it works through a proxy; anything else is taken as it is.
#[must_use]
pub fn source(uri: &str, base: &Url) -> Option<Source> {
    let url = match file(uri) {
        Some(id) => {
            let base = base.as_str().trim_end_matches('/');
            format!("{base}/v1beta/files/{id}:download?alt=media").parse()
        }
        None => uri.parse(),
    };
    url.ok().map(Source::Url)
}

/// The prompt of a submission, with its style.
#[must_use]
pub fn prompt(submission: &super::Submission) -> String {
    let prompt = &submission.prompt;
    match &submission.parameters.style {
        Some(style) if !prompt.to_lowercase().contains(&style.to_lowercase()) => {
            format!("{}. Style: {style}.", prompt.trim_end().trim_end_matches('.'))
        }
        _ => prompt.clone(),
    }
}

/// Whether it is the length, shape or resolution that is not taken.
fn is_about_the_form(message: &str) -> bool {
    let message = message.to_lowercase();
    ["duration", "aspect", "resolution"].iter().any(|word| message.contains(word))
}

fn is_about_safety(message: &str) -> bool {
    let message = message.to_lowercase();
    ["usage guidelines", "responsible ai", "safety", "sensitive words", "prohibited", "support codes"]
        .iter()
        .any(|words| message.contains(words))
}

/// The support codes of safety filters, by what they are about.
const SUPPORT_CODES: &[(ErrorReason, &str, &[&str])] = &[
    (ErrorReason::FilteredChild, "it may show a child", &["58061214", "17301594"]),
    (ErrorReason::FilteredCelebrity, "it may show a real, well-known person", &["29310472", "15236754"]),
    (ErrorReason::FilteredViolence, "it may show violence", &["61493863", "56562880"]),
    (ErrorReason::FilteredSexual, "it may be sexual", &["90789179", "43188360"]),
    (ErrorReason::FilteredDangerous, "it may be dangerous", &["62263041"]),
    (ErrorReason::FilteredHate, "it may be hateful", &["57734940", "22137204"]),
    (ErrorReason::FilteredThirdParty, "it may use what belongs to somebody else", &["35561574", "35561575"]),
];

/// A safety filter took the video: a plain sentence, without the provider's own words and codes.
#[must_use]
pub fn filtered(reasons: &[&str]) -> Failure {
    let named = |codes: &[&str]| codes.iter().any(|code| reasons.iter().any(|reason| reason.contains(code)));
    let about = SUPPORT_CODES.iter().find(|(.., codes)| named(codes));
    // Said of the sound that a model has made of a harmless prompt, for example. The workflow tries it once more.
    if about.is_none() && reasons.iter().any(|reason| may_pass(reason)) {
        let message = "The video was held back by the provider's filter, for its sound perhaps. It was not \
                       charged; the same words may pass the next time.";
        let failure = failure(ErrorCode::ContentFiltered, message, true, Retry::OnSchedule);
        return because(failure, ErrorReason::FilteredMayPass);
    }
    let message = match about {
        Some((_, about, _)) => format!(
            "The video was held back by the provider's safety filter: {about}. Try to describe it differently."
        ),
        None => "The video was held back by the provider's safety filter. Try to describe it differently."
            .to_owned(),
    };
    let failure = failure(ErrorCode::ContentFiltered, &message, false, Retry::Never);
    because(failure, about.map(|(reason, ..)| *reason))
}

/// Whether a filter says that the same input may pass if it is tried again, and that this video is not charged.
fn may_pass(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    has(&["try again", "retry"])
        && has(&["not be charged", "not been charged", "haven't been charged"])
        && !has(&["different prompt", "rephras", "change your prompt", "edit your prompt"])
}

fn failure(code: ErrorCode, message: &str, retryable: bool, retry: Retry) -> Failure {
    Failure { error: JobError::new(code, message, retryable), retry }
}

/// The same, with what a person could act on.
fn because(failure: Failure, reason: impl Into<Option<ErrorReason>>) -> Failure {
    Failure { error: failure.error.because(reason), ..failure }
}

/// The provider could not be reached, or said that it is not there at the moment.
#[must_use]
pub fn unavailable(retry: Retry) -> Failure {
    let message = "The video service cannot be reached at the moment. Please try again later.";
    failure(ErrorCode::ProviderUnavailable, message, true, retry)
}

fn quota(retry: Retry) -> Failure {
    let message = "The video service takes no more videos for now. Please try again later.";
    failure(ErrorCode::ProviderQuota, message, true, retry)
}

/// A quota that does not come back soon, or credit that is spent.
#[must_use]
pub fn spent() -> Failure {
    let message = "The video service's quota for today, or its credit, is used up. Please try again tomorrow, or \
                   choose another model.";
    because(failure(ErrorCode::ProviderQuota, message, true, Retry::Never), ErrorReason::QuotaSpent)
}

/// The provider does not let us in: the operator's to mend, and perhaps a key that is just being changed.
pub(super) fn not_set_up() -> Failure {
    let message = "The video service did not let us in. Please try again later.";
    because(failure(ErrorCode::ProviderError, message, true, Retry::OnSchedule), ErrorReason::NotLetIn)
}

/// The provider does not take the request as it is.
#[must_use]
pub fn invalid() -> Failure {
    let message = "The video service does not accept this request as it is. Try to describe it differently.";
    failure(ErrorCode::InvalidRequest, message, false, Retry::Never)
}

fn not_offered() -> Failure {
    let message = "The video service does not offer this model any more. Please choose another one.";
    because(failure(ErrorCode::InvalidRequest, message, false, Retry::Never), ErrorReason::ModelNotOffered)
}

fn another_form() -> Failure {
    let message =
        "The video service does not offer this length, shape or resolution. Please choose another one.";
    because(failure(ErrorCode::InvalidRequest, message, false, Retry::Never), ErrorReason::FormNotOffered)
}

/// The provider took the request and says that it made nothing of it.
fn failed() -> Failure {
    let message = "The video service failed to make the video.";
    failure(ErrorCode::ProviderError, message, true, Retry::OnSchedule)
}

/// An operation has ended without a video and otherwise than by failing, for this reason if one was given. Only that a
/// filter took it says that it is not charged, and it is not tried again even then.
#[must_use]
pub fn stopped(why: Option<&RpcError>) -> Polled {
    match why.map(RpcError::failure) {
        Some(failure) if failure.error.code == ErrorCode::ContentFiltered => {
            Polled::Failed(Failure { retry: Retry::Never, ..failure })
        }
        Some(failure) => Polled::Lost(failure.error),
        None => Polled::Lost(lost()),
    }
}

/// The provider took the request, has nothing to show for it, and does not say that it failed.
#[must_use]
pub fn lost() -> JobError {
    let message = "The video service ended without a video, and may have charged for it all the same.";
    JobError::new(ErrorCode::ProviderError, message, true)
}

#[cfg(test)]
mod reasons;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, body: &Value) -> Refusal {
        Refusal::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes())
    }

    fn error(message: &str, details: &Value) -> Value {
        json!({"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}})
    }

    #[test]
    fn a_rate_limit_waits_as_long_as_it_is_asked_to() {
        let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "58.5s"}]);
        let body =
            error("You exceeded your current quota, please check your plan and billing details.", &details);
        for body in [body.clone(), json!([body])] {
            let failure = refusal(429, &body).failure();
            assert_eq!(failure.error.code, ErrorCode::ProviderQuota);
            assert_eq!(failure.retry, Retry::NotBefore(Duration::from_millis(58_500)));
        }
        let headers = HeaderMap::from_iter([("retry-after".parse().unwrap(), "7".parse().unwrap())]);
        let refusal = Refusal::read(StatusCode::TOO_MANY_REQUESTS, &headers, b"slow down");
        assert_eq!(refusal.failure().retry, Retry::NotBefore(Duration::from_secs(7)));
        assert_eq!(refusal.reason(), "429");
    }

    #[test]
    fn a_quota_that_does_not_come_back_is_not_waited_for() {
        let per_day = json!([
            {"@type": "…QuotaFailure", "violations": [{"quotaId": "VideosPerDayPerProject"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"},
        ]);
        let late = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "40000s"}]);
        for body in [
            error("Quota exceeded.", &per_day),
            error("Quota exceeded.", &late),
            error("Your project has exceeded its monthly spending cap.", &json!([])),
            error("Requests per day exceeded.", &json!([])),
        ] {
            assert_eq!(refusal(429, &body).failure().retry, Retry::Never, "{body}");
        }
        assert_eq!(refusal(402, &json!({})).failure().error.code, ErrorCode::ProviderQuota);
    }

    #[test]
    fn nobody_is_left_alone_for_ever() {
        let headers =
            HeaderMap::from_iter([("retry-after".parse().unwrap(), u64::MAX.to_string().parse().unwrap())]);
        let refusal = Refusal::read(StatusCode::SERVICE_UNAVAILABLE, &headers, b"later");
        assert_eq!(refusal.failure().retry, Retry::NotBefore(LONGEST_WAIT));
        assert_eq!(refusal.patience(), Some(LONGEST_WAIT));
    }

    #[test]
    fn known_refusals_are_told_from_unknown_fates() {
        let own = json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}});
        for (status, body, known) in [
            (400, json!({}), true),
            (404, json!({}), true),
            (429, json!({}), true),
            (500, own.clone(), false),
            (502, json!({}), false),
            (503, json!({}), false),
            (503, own.clone(), true),
            (504, own, false),
        ] {
            assert_eq!(refusal(status, &body).is_known(), known, "{status} {body}");
        }
    }

    #[test]
    fn what_follows_depends_on_who_must_act() {
        let message =
            |text: &str| json!({"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}});
        for (status, body, code, retry) in [
            (400, message("durationSeconds must be 8"), ErrorCode::InvalidRequest, Retry::Never),
            (400, message("what?"), ErrorCode::InvalidRequest, Retry::Never),
            (
                400,
                message("The prompt violates our usage guidelines"),
                ErrorCode::ContentFiltered,
                Retry::Never,
            ),
            (400, message("API key not valid."), ErrorCode::ProviderError, Retry::OnSchedule),
            (401, json!({}), ErrorCode::ProviderError, Retry::OnSchedule),
            (302, json!({}), ErrorCode::ProviderError, Retry::Never),
            (404, json!({}), ErrorCode::InvalidRequest, Retry::Never),
            (503, json!({}), ErrorCode::ProviderUnavailable, Retry::OnSchedule),
        ] {
            let failure = refusal(status, &body).failure();
            assert_eq!((failure.error.code, failure.retry), (code, retry), "{status} {body}");
        }
    }

    #[test]
    fn only_what_may_pass_and_was_not_charged_is_tried_again() {
        for (reason, retry) in [
            (
                "We encountered an issue with the audio for your prompt. You have not been charged. Please try again.",
                Retry::OnSchedule,
            ),
            ("Please try again.", Retry::Never),
            ("You will not be charged for this attempt. Please retry with a different prompt.", Retry::Never),
            ("You will not be charged. Please try again. Support codes: 61493863", Retry::Never),
            ("", Retry::Never),
        ] {
            let failure = filtered(&[reason]);
            assert_eq!((failure.error.code, failure.retry), (ErrorCode::ContentFiltered, retry), "{reason}");
        }
    }

    #[test]
    fn what_stopped_may_be_charged_unless_a_filter_took_it() {
        let said = |message: &str| stopped(Some(&RpcError::saying(0, message.to_owned())));
        assert_eq!(stopped(None), Polled::Lost(lost()));
        assert!(
            matches!(said("out of patience"), Polled::Lost(error) if error.code == ErrorCode::ProviderError)
        );
        for filter in ["It violates our usage guidelines.", "You have not been charged. Please try again."] {
            let Polled::Failed(failure) = said(filter) else { panic!("{filter}") };
            assert_eq!((failure.error.code, failure.retry), (ErrorCode::ContentFiltered, Retry::Never));
        }
    }

    #[test]
    fn a_code_may_be_a_word() {
        let error = rpc_error(br#"{"error":{"code":"overloaded","message":"later"}}"#).unwrap();
        assert_eq!((error.code, error.message.as_str()), (0, "later"));
    }

    #[test]
    fn a_filters_codes_become_a_plain_sentence() {
        let failure = filtered(&["Blocked. Support codes: 61493863"]);
        assert!(failure.error.message.contains("it may show violence"), "{}", failure.error.message);
        assert!(!failure.error.message.contains("61493863"));
        assert_eq!(filtered(&["Support codes: 1"]).error.code, ErrorCode::ContentFiltered);
    }

    #[test]
    fn only_the_providers_own_words_end_what_it_makes() {
        let told = |status: u16, body: &Value| match poll_refused(&refusal(status, body)) {
            Polled::Lost(error) if error == lost() => "lost",
            Polled::Refused(_) => "refused",
            Polled::Unclear { reason, wait: None } if reason.starts_with(&status.to_string()) => "unclear",
            other => panic!("{status}: {other:?}"),
        };
        let own = json!({"error": {"message": "As the provider says it.", "status": "SOME_WORD"}});
        let foreign = [json!("<html>"), json!({}), json!({"error": "not found"}), json!({"detail": own})];
        for (expected, statuses) in [
            ("lost", &[404, 410][..]),
            ("refused", &[400, 401, 403, 422][..]),
            ("unclear", &[300, 302, 307, 402, 405, 407, 408, 409, 425, 429, 451, 500, 503][..]),
        ] {
            for status in statuses.iter().copied() {
                assert_eq!(told(status, &own), expected, "{status}");
                assert_eq!(told(status, &json!([own])), expected, "{status} in an array");
                for foreign in &foreign {
                    assert_eq!(told(status, foreign), "unclear", "{status} {foreign}");
                }
            }
        }
    }

    #[test]
    fn who_asks_to_be_left_alone_is_whoever_it_is() {
        let headers = HeaderMap::from_iter([("retry-after".parse().unwrap(), "7".parse().unwrap())]);
        let refusal = Refusal::read(StatusCode::NOT_FOUND, &headers, b"no such route");
        let wait = Some(Duration::from_secs(7));
        assert_eq!(poll_refused(&refusal), Polled::Unclear { reason: "404".to_owned(), wait });
    }
}
