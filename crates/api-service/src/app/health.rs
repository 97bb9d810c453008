//! How an operator sees the service: alive, ready, and its metrics.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::State;
use crate::error::{AppError, AppResult};

const NOT_READY: &str = "The service is starting, stopping or without its database.";
/// For how long an answer of the database's serves others who ask.
const LOOKED: Duration = Duration::from_secs(1);

/// What the database last answered to a probe, and when.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), String>)>>);

impl Readiness {
    /// Whether the database takes writes: on a full disk it still reads. Whoever asks while another looks waits for
    /// what that one sees.
    async fn look(&self, state: &State) -> Result<(), String> {
        let mut seen = self.0.lock().await;
        if let Some((when, answer)) = &*seen
            && when.elapsed() < LOOKED
        {
            return answer.clone();
        }
        let store = state.store().clone();
        let probed = state.at_home(async move { Ok(store.probe_write().await?) }).await;
        let answer =
            probed.map_err(|error| error.cause().unwrap_or("the database takes no writes").to_owned());
        *seen = Some((Instant::now(), answer.clone()));
        answer
    }
}

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
/// Whether requests should be sent here: the database answers and takes writes, and the service is not stopping. It does not
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
    state.readiness.look(&state).await.map_err(|cause| AppError::not_ready(NOT_READY, cause))?;
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
