//! Every error that a caller can get, as one type, and how it looks on the wire: `application/problem+json`.
//! What only the log may know is its cause, which is never part of the answer.

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use contract::{
    Problem,
    problem::{FieldError, MEDIA_TYPE},
};

use crate::store;

/// What handlers return.
pub type AppResult<T> = Result<T, AppError>;

/// How long to stay away when something that we need cannot be had.
const OUTAGE: Duration = Duration::from_secs(1);
/// How long to stay away when the queue is full.
const FULL: Duration = Duration::from_secs(5);

/// An error answer.
#[derive(Clone, Debug)]
pub struct AppError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl AppError {
    fn with(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self(Box::new(Inner { status, code, detail, errors: Vec::new(), retry_after: None, cause: None }))
    }

    /// 400: the request is not even formally right.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 `invalid_signature`: whatever is wrong with it, the caller is told no more.
    pub fn unsigned(cause: impl fmt::Display) -> Self {
        let detail = "The request must be signed, with an id of its own.";
        Self::with(StatusCode::UNAUTHORIZED, "invalid_signature", detail).because(cause)
    }

    /// 404 `not_found`: `what` there is not.
    pub fn not_found(what: &str) -> Self {
        Self::with(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 408 `request_timeout`: the body did not arrive in time.
    pub fn timed_out() -> Self {
        let detail = "The request's body did not arrive in time.";
        Self::with(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
    }

    /// 413 `payload_too_large`: the body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("The body is larger than {} KiB.", limit / 1024);
        Self::with(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
    }

    /// 422 `validation_failed`: what is wrong, field by field.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.message),
            _ => format!("{} fields are not right.", errors.len()),
        };
        let mut error = Self::with(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail);
        error.0.errors = errors;
        error
    }

    /// 422 `validation_failed` for one field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldError::new(field, message)])
    }

    /// 503 `unavailable`: something that we need, the database foremost, cannot be had just now.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        let detail = "The worker cannot do this just now. Try again in a moment.";
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).after(OUTAGE).because(cause)
    }

    /// 503 `not_ready`, for readiness probes.
    pub fn not_ready(cause: impl fmt::Display) -> Self {
        let detail = "The worker is stopping, or without its database or bucket.";
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).because(cause)
    }

    /// 500 `internal`: a fault of ours.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail = "Something went wrong in the worker. The request id helps to find it.";
        Self::with(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(cause)
    }

    fn after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// What an error of the web framework means for the caller.
    pub(crate) fn from_framework(error: &actix_web::Error) -> Self {
        let status = error.as_response_error().status_code();
        match status {
            StatusCode::NOT_FOUND => Self::not_found("address"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::with(status, "payload_too_large", "The body is too large.")
            }
            _ if status.is_client_error() => {
                Self::with(status, "bad_request", "The request is not as it has to be.").because(error)
            }
            _ => Self::internal(error),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What only the log is told.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The answer. Without a request id it is a draft, which the outermost middleware replaces.
    pub(crate) fn response(&self, request_id: &str) -> HttpResponse {
        let inner = &*self.0;
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: inner.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: inner.status.as_u16(),
            detail: inner.detail.to_string(),
            code: inner.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: inner.errors.clone(),
            current_status: None,
        };
        let mut response = HttpResponse::build(inner.status);
        response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        if let Some(wait) = inner.retry_after {
            response.insert_header((header::RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        response.body(serde_json::to_string(&problem).unwrap_or_default())
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for AppError {}

impl From<store::Error> for AppError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Database(error) => Self::unavailable(error),
            store::Error::Replayed => Self::unsigned("the id was used before"),
            store::Error::QueueFull => {
                let detail = "As many jobs wait as may. Try again later.";
                Self::with(StatusCode::SERVICE_UNAVAILABLE, "queue_full", detail).after(FULL)
            }
            error @ (store::Error::LostLease(_) | store::Error::NameTaken(_) | store::Error::Raced) => {
                Self::unavailable(error)
            }
        }
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
