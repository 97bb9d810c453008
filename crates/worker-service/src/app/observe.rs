//! What every request leaves behind: a span that continues the caller's trace, an id on the answer, log
//! lines, metrics. Errors get their final form here, where the id is known.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage as _,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use telemetry::{RequestId, TraceParent, continue_trace, event, metric};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

use crate::error::AppError;

/// Requests that meet no route are counted together, whatever they ask for.
const UNMATCHED: &str = "unmatched";

/// The span of a request.
#[derive(Debug)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let id = RequestId::accept_or_new(text(RequestId::HEADER));
        let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
        let span = tracing::info_span!(
            "request",
            requestId = %id,
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

/// The middleware. Probes are answered without a word: they come every few seconds.
pub async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let began = Instant::now();
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.unwrap_or_else(|| RequestId::accept_or_new(None));
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let aloud = !matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics");
    if aloud {
        event!(INFO, WORKER_REQUEST_RECEIVED, method = %method, path = request.path(), requestId = %id);
    }
    let response = next.call(request).await?;
    let failure = response.response().error().map(|error| {
        error.as_error::<AppError>().cloned().unwrap_or_else(|| AppError::from_framework(error))
    });
    let mut response = match failure {
        Some(error) => {
            report(&error, &id);
            response.into_response(error.response(id.as_str())).map_into_right_body()
        }
        None => response.map_into_left_body(),
    };
    let status = response.status().as_u16();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HeaderName::from_static(RequestId::HEADER), value);
    }
    if aloud {
        event!(INFO, WORKER_RESPONSE, requestId = %id, status);
    }
    let method = known(method.as_str());
    metrics::counter!(metric::HTTP_REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!(metric::HTTP_REQUEST_SECONDS, "method" => method, "route" => route)
        .record(began.elapsed().as_secs_f64());
    Ok(response)
}

fn report(error: &AppError, id: &RequestId) {
    let cause = error.cause().unwrap_or("none given");
    if error.status().is_server_error() {
        event!(ERROR, SERVICE_REQUEST_FAILED, requestId = %id, code = error.code(), error = cause);
    } else {
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
