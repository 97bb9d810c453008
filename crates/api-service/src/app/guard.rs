//! What a request must be before a handler sees it: from a page that may call us, and JSON if it changes
//! something; pictures are uploaded as they are. Answers tell a browser what it may do with them; those to pages of
//! other allowed origins get the headers of CORS.

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
use url::Url;

use super::State;
use crate::{error::AppError, uploads};

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
    guard_for(&state.origins, request, next).await
}

async fn guard_for<B: MessageBody + 'static>(
    origins: &Origins,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.as_ref().is_none_or(|origin| origins.allow(origin));
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_api = request.path().starts_with("/api/");
    let mut response = if is_preflight && allowed {
        request.into_response(preflight()).map_into_right_body()
    } else if let Some(refusal) = refusal(&request, allowed) {
        request.error_response(refusal).map_into_right_body()
    } else {
        match platform::to_its_end(request, next).await {
            Ok(response) => response.map_into_left_body(),
            Err(mut failure) => {
                mark(failure.headers_mut(), origin.filter(|_| allowed), is_api);
                return Err(failure.into());
            }
        }
    };
    mark(response.headers_mut(), origin.filter(|_| allowed), is_api);
    Ok(response)
}

/// Tells a browser what it may do with an answer; `origin` is the page's that may see it.
fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>, is_api: bool) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        permit(headers, origin);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if is_api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
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
    // A picture is no more safelisted by CORS than JSON is, so a page still has to ask first.
    let is_picture = request.path() == uploads::http::PATH && content_type.is_some_and(is_image);
    if is_ours && !is_bare && !is_picture && !content_type.is_some_and(is_json) {
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

fn is_image(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| text.trim_start().to_ascii_lowercase().starts_with("image/"))
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
    use actix_web::{
        App,
        middleware::from_fn,
        test::{TestRequest, init_service, try_call_service},
        web::get,
    };

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

    /// Without the headers of CORS, a page of an allowed origin could not even read that it failed.
    #[actix_web::test]
    async fn a_handler_that_panics_is_an_answer_that_its_page_can_read() {
        async fn panics() -> HttpResponse {
            panic!("a fault of ours");
        }
        let url: Url = "https://reelay.example".parse().unwrap();
        let guarded = from_fn(move |request: ServiceRequest, next: Next<_>| {
            let origins = Origins::new(&url, &[]);
            async move { guard_for(&origins, request, next).await }
        });
        let service = init_service(App::new().route("/api/panics", get().to(panics)).wrap(guarded)).await;
        let request = TestRequest::get().uri("/api/panics");
        let request = request.insert_header((header::ORIGIN, "https://reelay.example"));
        let failure = try_call_service(&service, request.to_request()).await.unwrap_err();
        let answer = failure.error_response();
        assert_eq!(answer.status(), 500);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "https://reelay.example"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "origin"),
        ] {
            let told: Vec<_> = answer.headers().get_all(&name).collect();
            assert_eq!(told, [value], "{name}");
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
