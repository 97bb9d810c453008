//! The two log lines around every request.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use telemetry::event;

/// The middleware. Probes are answered without a word: they come every few seconds.
pub async fn announce<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if matches!(request.match_pattern().as_deref(), Some("/healthz" | "/readyz" | "/metrics")) {
        return next.call(request).await;
    }
    let id = platform::request_id(&request);
    event!(INFO, WORKER_REQUEST_RECEIVED, method = %platform::method(&request), path = request.path(), requestId = %id);
    let response = next.call(request).await?;
    event!(INFO, WORKER_RESPONSE, requestId = %id, status = response.status().as_u16());
    Ok(response)
}
