//! What a request must be before a handler sees it: from a page that may call us, and JSON if it changes
//! something. Answers tell a browser what it may do with them; those to pages of other allowed origins get the
//! headers of CORS.

use std::collections::HashSet;

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
};
use platform::Directory;
use tracing::Instrument as _;
use url::Url;

use super::State;
use crate::error::AppError;

/// How long a browser may remember that a page may call us, in seconds.
const REMEMBER: &str = "600";

/// The origins whose pages may call us.
#[derive(Clone, Debug)]
pub struct Origins(HashSet<String>);

impl Origins {
    /// The service's own origin and the others that are allowed.
    #[must_use]
    pub fn new(public: &Url, allowed: &[Url]) -> Self {
        let all = allowed.iter().chain([public]);
        Self(all.map(|url| url.origin().ascii_serialization()).collect())
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|text| self.0.contains(&text.to_ascii_lowercase()))
    }
}

/// The middleware.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let state = State::of(request.request())?;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.as_ref().is_none_or(|origin| state.origins.allow(origin));
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_api = request.path().starts_with("/api/");
    let mut response = if is_preflight && allowed {
        request.into_response(preflight()).map_into_right_body()
    } else if let Some(refusal) = refusal(&request, allowed) {
        request.error_response(refusal).map_into_right_body()
    } else {
        handle(request, next).await?.map_into_left_body()
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin.filter(|_| allowed) {
        permit(headers, origin);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if is_api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    Ok(response)
}

/// Lets the handler run to its end in a task of its own. If it ran in the connection's, a client that goes away
/// would drop it midway; and a read of SQLite that is dropped on this kind of runtime panics, because it wants
/// to wait for its thread. As a task, a handler that panics is an answer, too.
async fn handle<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let handling = async move { next.call(request).await };
    actix_web::rt::spawn(handling.in_current_span()).await.map_err(AppError::internal)?
}

fn refusal(request: &ServiceRequest, allowed: bool) -> Option<AppError> {
    let method = request.method();
    let is_changing = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if !allowed && (is_changing || is_upgrade(request.headers())) {
        let detail = "This page's origin is neither PUBLIC_URL nor one of ALLOWED_ORIGINS.";
        return Some(AppError::forbidden("origin_not_allowed", detail));
    }
    // What has no route, and what is signed, is told so first.
    let is_ours =
        is_changing && Directory::has(request.request()) && !request.path().starts_with("/api/webhooks/");
    let content_type = request.headers().get(header::CONTENT_TYPE);
    // What has no body has none to be of a type; the origin is what keeps other sites' pages from sending it.
    let is_bare = content_type.is_none() && !has_body(request.headers());
    if is_ours && !is_bare && !content_type.is_some_and(is_json) {
        return Some(AppError::unsupported_media_type());
    }
    None
}

/// Whether a body follows the head (RFC 9112, section 6.3).
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    headers.contains_key(header::TRANSFER_ENCODING) || !matches!(length, None | Some(b"0"))
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

fn is_json(value: &HeaderValue) -> bool {
    let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE"))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, idempotency-key, if-none-match, last-event-id, traceparent, x-request-id",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBER))
        .finish()
}

fn permit(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    let exposed = HeaderValue::from_static("etag, location, retry-after, x-request-id");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_whole() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let origins = Origins::new(&url("https://reelay.example/app"), &[url("http://localhost:8080")]);
        for (origin, allowed) in [
            ("https://reelay.example", true),
            ("https://REELAY.example", true),
            ("http://localhost:8080", true),
            ("http://reelay.example", false),
            ("https://reelay.example:8443", false),
            ("https://reelay.example.evil.example", false),
            ("http://localhost", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.allow(&HeaderValue::from_static(origin)), allowed, "{origin}");
        }
    }

    #[test]
    fn json_goes_by_several_names() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("text/json", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(is_json(&HeaderValue::from_static(value)), json, "{value}");
        }
    }
}
