//! The route that the worker's webhooks come by.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, post,
    web::{Data, Payload},
};
use contract::{Problem, events::Event};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service;
use crate::{
    app::{State, body},
    error::AppResult,
};

/// The largest body.
const LIMIT: usize = 256 * 1024;

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(worker);
}

/// News of a job
///
/// Signed after Standard Webhooks 1.0.0. A duplicate, a late event and one of an unknown type are taken and
/// change nothing.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("webhook-id" = String, Header, description = "The same on every try"),
        ("webhook-timestamp" = String, Header, description = "Unix seconds of this try"),
        ("webhook-signature" = String, Header, description = "`v1,<base64>` entries, separated by spaces"),
    ),
    request_body = Event,
    responses(
        (status = 204, description = "Taken"),
        (status = 401, description = "`invalid_signature`", body = Problem),
        (status = 413, description = "Larger than 256 KiB", body = Problem),
        (status = 422, description = "`invalid_event`: signed, but no event", body = Problem),
    ),
    security(())
)]
#[post("/api/webhooks/worker")]
async fn worker(request: HttpRequest, payload: Payload, state: Data<State>) -> AppResult<HttpResponse> {
    let body = body::read(&request, &mut payload.into_inner(), LIMIT).await?;
    let headers = platform::signed_headers(request.headers());
    let flow = Arc::clone(state.flow());
    state.at_home(async move { service::receive(&flow, headers, &body).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
