//! Every error that a caller can get, as one type, and how it looks on the wire: `application/problem+json`.
//!
//! Handlers and services return an [`AppError`] that says what the caller may know; what only we may know goes into its
//! cause, which is logged once, where the answer leaves ([`crate::Server`]), and is never part of the answer.

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    error::PayloadError,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
};
use contract::{
    GenerationStatus, Problem, Timestamp,
    problem::{FieldError, MEDIA_TYPE},
};

/// What handlers and services return.
pub type AppResult<T> = Result<T, AppError>;

/// How long to stay away when something that we need cannot be had.
const OUTAGE: Duration = Duration::from_secs(1);
/// How somebody whom we do not know may say who they are.
const CHALLENGE: &str = "Bearer";

/// An error answer. A pointer wide, because it travels through every service function.
#[derive(Clone)]
pub struct AppError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    current_status: Option<GenerationStatus>,
    challenge: Option<&'static str>,
    retry_after: Option<Duration>,
    resets_at: Option<Timestamp>,
    headers: HeaderMap,
    cause: Option<String>,
}

impl AppError {
    /// An error of its own kind.
    pub fn with(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status,
            code: Cow::Borrowed(code),
            detail: detail.into(),
            errors: Vec::new(),
            current_status: None,
            challenge: None,
            retry_after: None,
            resets_at: None,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// 400: the request is not even formally right.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 `unauthenticated`: nobody, or nobody whom we still know, is asking.
    pub fn unauthenticated() -> Self {
        Self::unauthorized("unauthenticated", "Sign in first: there is no valid session.")
    }

    /// 401 with another code: the credentials or a signature are wrong.
    pub fn unauthorized(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::with(StatusCode::UNAUTHORIZED, code, detail);
        error.0.challenge = Some(CHALLENGE);
        error
    }

    /// 402 with a code of its own: it costs more than the caller may spend.
    pub fn payment_required(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::PAYMENT_REQUIRED, code, detail)
    }

    /// 403: this is not for this caller, whoever it is.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404 `not_found`. The same for what is unknown and for what is another's (I22), so `what` must not
    /// depend on which of the two it is: `"generation"`.
    pub fn not_found(what: &str) -> Self {
        Self::with(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 405: there is such a route, but not with this method.
    pub fn method_not_allowed() -> Self {
        Self::with(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not take this method; the header allow says which it takes.",
        )
    }

    /// 408: the body did not arrive in time.
    pub fn timed_out() -> Self {
        Self::with(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "The request's body did not arrive in time.",
        )
    }

    /// 409 with a code of its own.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::CONFLICT, code, detail)
    }

    /// 409 `invalid_state`: the action does not fit the generation's status.
    pub fn invalid_state(current: GenerationStatus, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::with(StatusCode::CONFLICT, "invalid_state", detail);
        error.0.current_status = Some(current);
        error
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::with(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("The body is larger than {} KiB.", limit / 1024),
        )
    }

    /// 415: a changing request must say that it is JSON.
    pub fn unsupported_media_type() -> Self {
        Self::with(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send the header content-type: application/json.",
        )
    }

    /// 422 with a code of its own.
    pub fn unprocessable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 422 `validation_failed`: what is wrong, field by field.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.message),
            _ => format!("{} fields are not right.", errors.len()),
        };
        let mut error = Self::unprocessable("validation_failed", detail);
        error.0.errors = errors;
        error
    }

    /// 422 `validation_failed` for one field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldError::new(field, message)])
    }

    /// 429 `rate_limited`: again after this time.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let detail = "Too many requests. Wait for as many seconds as the header retry-after says.";
        Self::with(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).after(retry_after)
    }

    /// 429 with a code of its own: a limit that does not pass by itself.
    pub fn limit_reached(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::TOO_MANY_REQUESTS, code, detail)
    }

    /// 503 `unavailable`: something that we need, the database foremost, cannot be had just now.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        let detail = "Reelay cannot do this just now. Try again in a moment.";
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).after(OUTAGE).because(cause)
    }

    /// 503 `not_ready`, for readiness probes.
    pub fn not_ready(detail: &'static str, cause: impl fmt::Display) -> Self {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).because(cause)
    }

    /// 500 `internal`: a fault of ours.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail = "Something went wrong on our side. The request id helps us to find it.";
        Self::with(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(cause)
    }

    /// An error answer that was given before and is given again.
    pub fn replayed(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::CONFLICT);
        Self(Box::new(Inner {
            status,
            code: Cow::Owned(problem.code),
            detail: Cow::Owned(problem.detail),
            errors: problem.errors,
            current_status: problem.current_status,
            challenge: (status == StatusCode::UNAUTHORIZED).then_some(CHALLENGE),
            retry_after: None,
            resets_at: problem.resets_at,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// Says from when on it goes again.
    #[must_use]
    pub fn until(mut self, then: Timestamp, now: Timestamp) -> Self {
        self.0.resets_at = Some(then);
        self.after(then.since(now))
    }

    /// Says how long to stay away.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds what only the log is told.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Headers that its answer shall have beside its own: a middleware's, where there is no answer to put them
    /// on.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The stable word for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What only the log is told.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The answer's body.
    pub fn problem(&self, request_id: &str) -> Problem {
        let inner = &*self.0;
        Problem {
            kind: "about:blank".to_owned(),
            title: inner.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: inner.status.as_u16(),
            detail: inner.detail.to_string(),
            code: inner.code.to_string(),
            request_id: request_id.to_owned(),
            errors: inner.errors.clone(),
            current_status: inner.current_status,
            resets_at: inner.resets_at,
        }
    }

    /// The answer. Without a request id it is a draft, which the outermost middleware replaces.
    pub(crate) fn response(&self, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = self.0.challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(wait) = self.0.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((header::RETRY_AFTER, seconds.max(1).to_string()));
        }
        let mut response =
            response.body(serde_json::to_string(&self.problem(request_id)).unwrap_or_default());
        keep(response.headers_mut(), &self.0.headers);
        response
    }

    /// What an error that passed through the web framework means for the caller.
    pub(crate) fn of(error: &actix_web::Error) -> Self {
        if let Some(own) = error.as_error::<Self>() {
            return own.clone();
        }
        if error.as_error::<PayloadError>().is_some() {
            return Self::bad_request("incomplete_body", "The request's body did not arrive whole.");
        }
        let response = error.as_response_error();
        Self::of_status(response.status_code()).because(response)
    }

    /// What a bare status means for the caller.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found("address"),
            StatusCode::METHOD_NOT_ALLOWED => Self::method_not_allowed(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            StatusCode::REQUEST_TIMEOUT => Self::timed_out(),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::with(status, "payload_too_large", "The body is too large.")
            }
            status if status.is_client_error() => {
                Self::with(status, "bad_request", "The request is not as it has to be.")
            }
            status => Self::internal(status),
        }
    }
}

/// What has been said in headers stays said, where the answer's own do not say otherwise.
pub(crate) fn keep(own: &mut HeaderMap, said: &HeaderMap) {
    let own_names: Vec<_> = own.keys().cloned().collect();
    for (name, value) in said {
        if *name != header::CONTENT_LENGTH && !own_names.contains(name) {
            own.append(name.clone(), value.clone());
        }
    }
}

impl fmt::Debug for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { status, code, errors, cause, .. } = &*self.0;
        let mut shown = f.debug_struct("AppError");
        shown.field("status", &status.as_u16()).field("code", code);
        shown.field("errors", errors).field("cause", cause).finish_non_exhaustive()
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for AppError {}

impl From<foundation::database::Error> for AppError {
    fn from(error: foundation::database::Error) -> Self {
        if error.is_outage() { Self::unavailable(error) } else { Self::internal(error) }
    }
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_we_may_know_is_not_in_the_answer() {
        for error in
            [AppError::internal("relation \"x\" does not exist"), AppError::unavailable("10.0.0.3:5432")]
        {
            let shown = serde_json::to_string(&error.problem("req_1")).unwrap();
            assert!(error.cause().is_some());
            assert!(!shown.contains("relation") && !shown.contains("10.0.0.3"), "{shown}");
        }
    }

    #[test]
    fn a_kept_answer_comes_back_as_it_was() {
        let first = AppError::invalid_state(GenerationStatus::Completed, "It has ended.").problem("req_1");
        assert_eq!(AppError::replayed(first.clone()).problem("req_1"), first);
        let first = AppError::field("email", "is missing").problem("req_1");
        assert_eq!(AppError::replayed(first.clone()).problem("req_1"), first);
    }

    #[test]
    fn waits_are_whole_seconds_rounded_up() {
        let wait = |millis| {
            let response = AppError::rate_limited(Duration::from_millis(millis)).response("");
            response.headers().get(header::RETRY_AFTER).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!([wait(1), wait(1000), wait(1001)], ["1", "1", "2"]);
    }
}
