//! How an operator sees the worker: alive, ready, and its metrics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpResponse, get, web::Data};
use contract::{JobStatus, Problem};
use serde::Serialize;
use telemetry::metric;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::State;
use crate::{
    bucket::Bucket,
    error::{AppError, AppResult},
    store::Store,
};

const NOT_READY: &str = "The worker is stopping, or without its database or bucket.";
/// How often the worker looks at what it needs.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the database may take to answer a probe.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the worker has what it needs, as it last saw it: a probe costs nobody a request to the bucket.
#[derive(Clone, Debug)]
pub struct Health(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    bucket: AtomicBool,
    writes: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Seen { bucket: AtomicBool::new(true), writes: AtomicBool::new(true) }))
    }
}

impl Health {
    /// Looks once.
    pub(super) async fn look(&self, store: &Store, bucket: &dyn Bucket) {
        let ready = bucket.ready().await;
        if let Err(error) = &ready
            && self.0.bucket.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, "The bucket cannot be reached");
        }
        self.0.bucket.store(ready.is_ok(), Ordering::Relaxed);
        // A full disk still reads.
        let writes = store.probe_write().await;
        if let Err(error) = &writes
            && self.0.writes.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, "The database takes no writes");
        }
        self.0.writes.store(writes.is_ok(), Ordering::Relaxed);
        if let Ok(counts) = store.counts().await {
            for (status, count) in
                [(JobStatus::Confirmed, counts.waiting), (JobStatus::Active, counts.active)]
            {
                ::metrics::gauge!(metric::JOBS, "status" => status.as_str()).set(count as f64);
            }
            ::metrics::gauge!(metric::WEBHOOKS_PENDING).set(counts.webhooks_pending as f64);
            ::metrics::gauge!(metric::WEBHOOKS_DEAD).set(counts.webhooks_dead as f64);
        }
    }

    /// Looks again and again, until `stop` fires.
    pub(super) async fn watch(self, store: Store, bucket: Arc<dyn Bucket>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look(&store, &*bucket).await;
        }
    }

    fn lack(&self) -> Option<&'static str> {
        if !self.0.bucket.load(Ordering::Relaxed) {
            return Some("the bucket cannot be reached");
        }
        (!self.0.writes.load(Ordering::Relaxed)).then_some("the database takes no writes")
    }
}

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(healthz).service(readyz).service(metrics);
}

/// The worker's own state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// `ok`.
    status: &'static str,
}

/// Alive
///
/// Answers as long as the process can answer at all; whoever restarts a process asks here.
#[utoipa::path(tag = "operations", responses((status = 200, description = "Alive", body = Answer)), security(()))]
#[get("/healthz")]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Answer { status: "ok" })
}

/// Ready
///
/// The database answers and takes writes, the bucket can be reached, and the worker is not stopping.
#[utoipa::path(
    tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Answer),
        (status = 503, description = "`not_ready`", body = Problem, content_type = "application/problem+json"),
    ),
    security(())
)]
#[get("/readyz")]
async fn readyz(state: Data<State>) -> AppResult<HttpResponse> {
    if state.stopping().is_cancelled() {
        return Err(AppError::not_ready(NOT_READY, "the worker is stopping"));
    }
    if let Some(lack) = state.health().lack() {
        return Err(AppError::not_ready(NOT_READY, lack));
    }
    match timeout(PATIENCE, state.store().ping()).await {
        Ok(Ok(())) => Ok(HttpResponse::Ok().json(Answer { status: "ok" })),
        Ok(Err(error)) => Err(AppError::not_ready(NOT_READY, error)),
        Err(_) => Err(AppError::not_ready(NOT_READY, "the database does not answer")),
    }
}

/// Metrics
///
/// In Prometheus' format. Here only if the worker listens on loopback and `METRICS_BIND` does not name
/// another place.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "All metrics", body = String, content_type = "text/plain")),
    security(())
)]
#[get("/metrics")]
async fn metrics(state: Data<State>) -> AppResult<HttpResponse> {
    state.metrics().answer()
}
