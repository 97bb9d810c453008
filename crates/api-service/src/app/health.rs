//! How an operator sees the service: alive, ready, and its metrics.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::State;
use crate::error::{AppError, AppResult};

const NOT_READY: &str = "The service is starting, stopping or without its database.";

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(healthz).service(readyz).service(metrics);
}

/// The service's own state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Alive
///
/// Answers as long as the process can answer at all; whoever restarts a process asks here.
#[utoipa::path(tag = "operations", responses((status = 200, description = "Alive", body = Health)), security(()))]
#[get("/healthz")]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Ready
///
/// Whether requests should be sent here: the database answers, and the service is not stopping. It does not
/// depend on the worker, without which everything but the videos goes on.
#[utoipa::path(
    tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "`not_ready`", body = contract::Problem, content_type = "application/problem+json"),
    ),
    security(())
)]
#[get("/readyz")]
async fn readyz(state: Data<State>) -> AppResult<HttpResponse> {
    if state.is_stopping() {
        return Err(AppError::not_ready(NOT_READY, "the service is stopping"));
    }
    state.store().ping().await.map_err(|error| AppError::not_ready(NOT_READY, error))?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Metrics
///
/// In Prometheus' format. Here only if the service listens on loopback and `METRICS_BIND` does not name
/// another place.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "All metrics", body = String, content_type = "text/plain")),
    security(())
)]
#[get("/metrics")]
async fn metrics(state: Data<State>) -> AppResult<HttpResponse> {
    state.metrics.answer()
}
