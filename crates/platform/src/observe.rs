//! What every request leaves behind: a span that continues the caller's trace, an id on the answer, metrics,
//! and, if it failed, one line that says why. Errors get their final form here, where the id is known.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage as _,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use telemetry::{RequestId, TraceParent, continue_trace, metric};
use tracing::{Instrument as _, Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

use crate::{AppError, AppResult, error::keep};

/// Requests that meet no route are counted together, whatever they ask for.
const UNMATCHED: &str = "unmatched";

/// The span of a request.
#[derive(Debug)]
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let id = RequestId::accept_or_new(text(RequestId::HEADER));
        let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
        let span = tracing::info_span!(
            "request",
            requestId = %id,
            userId = Empty,
            otel.name = format!("{} {route}", request.method()),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = %request.method(),
            http.route = route,
            http.response.status_code = Empty,
        );
        continue_trace(&span, text(TraceParent::HEADER));
        request.extensions_mut().insert(id);
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// The id of a request, as its span has it.
pub fn request_id(request: &ServiceRequest) -> RequestId {
    let id = request.extensions().get::<RequestId>().cloned();
    id.unwrap_or_else(|| RequestId::accept_or_new(None))
}

/// The middleware.
pub(crate) async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let began = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let count = |status: StatusCode| {
        let (method, status) = (known(method.as_str()), status.as_u16().to_string());
        metrics::counter!(metric::HTTP_REQUESTS, "method" => method, "route" => route.clone(), "status" => status)
            .increment(1);
        metrics::histogram!(metric::HTTP_REQUEST_SECONDS, "method" => method, "route" => route.clone())
            .record(began.elapsed().as_secs_f64());
    };
    let response = match next.call(request).await {
        Ok(response) => response,
        Err(error) => {
            // Its request is gone with whoever panicked, so that it cannot become a response that others see; it
            // is one for the client all the same.
            let error = AppError::of(&error);
            report(&error, &id);
            let mut response = error.response(id.as_str());
            name(response.headers_mut(), &id);
            count(response.status());
            return Err(InternalError::from_response(error, response).into());
        }
    };
    let mut response = match failure(&response) {
        Some(error) => {
            report(&error, &id);
            let said = response.headers().clone();
            let mut response = response.into_response(error.response(id.as_str())).map_into_right_body();
            keep(response.headers_mut(), &said);
            response
        }
        None => response.map_into_left_body(),
    };
    name(response.headers_mut(), &id);
    count(response.status());
    Ok(response)
}

/// Lets the handler run to its end in a task of its own. If it ran in the connection's, a client that goes away
/// would drop it midway; and a read of SQLite that is dropped on this kind of runtime panics, because it wants
/// to wait for its thread. As a task, a handler that panics is an error, too.
///
/// A middleware that has something to say on every answer says it on the error as well: see
/// [`AppError::headers_mut`].
pub async fn to_its_end<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> AppResult<ServiceResponse<B>> {
    let handling = async move { next.call(request).await };
    match actix_web::rt::spawn(handling.in_current_span()).await {
        Ok(answer) => answer.map_err(|error| AppError::of(&error)),
        Err(panic) => Err(AppError::internal(panic)),
    }
}

/// Says which request an answer is for.
fn name(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static(RequestId::HEADER), value);
    }
}

/// The error that an answer is, if it is one that has not got its final form.
fn failure<B>(response: &ServiceResponse<B>) -> Option<AppError> {
    if let Some(error) = response.response().error() {
        return Some(AppError::of(error));
    }
    let status = response.status();
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && is_bare).then(|| AppError::of_status(status))
}

fn report(error: &AppError, id: &RequestId) {
    let cause = error.cause().unwrap_or("none given");
    if error.status() >= StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        telemetry::event!(ERROR, SERVICE_REQUEST_FAILED, requestId = %id, code = error.code(), error = cause);
    } else if let Some(cause) = error.cause() {
        tracing::debug!(code = error.code(), cause, "A request was refused");
    }
}

/// Anybody can invent a method; a label of a metric has few values.
fn known(method: &str) -> &'static str {
    ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
