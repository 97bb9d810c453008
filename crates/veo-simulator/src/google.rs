//! What Google's APIs have in common on the wire: the shape of an error and the API key of a request.

use std::fmt;
use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use serde_json::{Value, json};

use crate::http::Shared;
use crate::operations::{RETRY_AFTER, Refusal};

/// The header that carries the API key.
const KEY_HEADER: &str = "x-goog-api-key";

/// An answer `{"error":{"code","message","status","details"}}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: Kind,
    message: String,
    details: Vec<Value>,
}

/// The codes of `google.rpc.Code` that the simulator has a use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    ResourceExhausted,
    Internal,
    Unavailable,
}

impl Kind {
    fn wire(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            Self::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            Self::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        }
    }
}

impl ApiError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Vec::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidArgument, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    fn with_detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.wire().1, self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.kind.wire().0
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let (code, status) = self.kind.wire();
        let mut error = json!({"code": code.as_u16(), "message": self.message, "status": status});
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        HttpResponse::build(code).json(json!({ "error": error }))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownMarker(unknown) => Self::invalid(unknown.to_string()),
            Refusal::RateLimited => {
                let message = "You exceeded your current quota. Please retry later.";
                Self::new(Kind::ResourceExhausted, message).with_detail(json!({
                    "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": format!("{}s", RETRY_AFTER.as_secs()),
                }))
            }
            Refusal::ServerError => Self::new(Kind::Internal, "An internal error has occurred."),
            Refusal::Unrecorded(_) | Refusal::Stopping => {
                tracing::warn!(error = %refusal, "Submission refused");
                Self::new(Kind::Unavailable, "The service is currently unavailable.")
            }
        }
    }
}

/// Proof that a request carries an access token or an API key that is let in, as Google Cloud takes them.
#[derive(Debug)]
pub(crate) struct Authorised;

/// What access tokens begin with.
pub(crate) const TOKEN_PREFIX: &str = "ya29.";

impl FromRequest for Authorised {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        ready(match given.map(|given| given.strip_prefix("Bearer ")) {
            Some(Some(token)) if token.starts_with(TOKEN_PREFIX) => Ok(Self),
            Some(_) => Err(ApiError::new(
                Kind::Unauthenticated,
                "Request had invalid authentication credentials. Expected OAuth 2 access token.",
            )),
            None => ApiKey::from_request(request, payload).into_inner().map(|ApiKey| Self),
        })
    }
}

/// Proof that a request carries an API key that is let in: as an argument of a handler, it keeps the others out.
#[derive(Debug)]
pub(crate) struct ApiKey;

impl FromRequest for ApiKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given =
            request.headers().get(KEY_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let demanded = request.app_data::<Data<Shared>>().and_then(|shared| shared.api_key.as_deref());
        ready(match demanded {
            _ if given.is_empty() => Err(ApiError::new(
                Kind::PermissionDenied,
                "Method doesn't allow unregistered callers. Please use an API key to call this API.",
            )),
            Some(key) if key != given => {
                let error =
                    ApiError::new(Kind::Unauthenticated, "API key not valid. Please pass a valid API key.");
                Err(error.with_detail(json!({
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                })))
            }
            _ => Ok(Self),
        })
    }
}
