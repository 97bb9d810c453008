//! Every metric's name, kind, labels and meaning, in one place, and the recorder behind `/metrics`. Labels are
//! of few values: statuses, outcomes, route patterns, never ids.
//!
//! `metrics::counter!(telemetry::metric::WEBHOOKS_RECEIVED, "outcome" => "applied").increment(1);`

use std::{error::Error, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::InitError;

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name of its constant, for example `WEBHOOKS_RECEIVED`.
    pub constant: &'static str,
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// Its labels, separated by `, `.
    pub labels: &'static str,
    /// What it counts.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident, $name:literal, $labels:literal, $help:literal;)*) => {
        $(
            #[doc = concat!($help, " Labels: ", $labels)]
            pub const $constant: &str = $name;
        )*

        /// Every metric, in the order of this file.
        pub const METRICS: &[Metric] = &[$(Metric {
            constant: stringify!($constant),
            name: $name,
            kind: Kind::$kind,
            labels: $labels,
            help: $help,
        }),*];
    };
}

metrics! {
    HTTP_REQUESTS = Counter, "reelay_http_requests_total", "method, route, status", "Requests answered.";
    HTTP_REQUEST_SECONDS = Histogram, "reelay_http_request_duration_seconds", "method, route", "From a request's head to its answer's head.";

    // api-service
    GENERATIONS_CREATED = Counter, "reelay_generations_created_total", "provider", "Generations created.";
    GENERATIONS_FINISHED = Counter, "reelay_generations_finished_total", "status, error_code", "Generations that reached a terminal state.";
    GENERATION_SECONDS = Histogram, "reelay_generation_duration_seconds", "status", "From the beginning of a generation's first attempt to its terminal state.";
    WORKER_COMMANDS = Counter, "reelay_worker_commands_total", "outcome", "Commands sent to the worker: accepted, refused or unreachable.";
    WORKER_COMMANDS_PENDING = Gauge, "reelay_worker_commands_pending", "", "Commands that the worker has not accepted yet.";
    WEBHOOKS_RECEIVED = Counter, "reelay_webhooks_received_total", "outcome", "Webhooks: applied, duplicate, late, unknown, invalid or refused.";
    INTENT_MODEL = Counter, "reelay_intent_model_total", "outcome", "Messages and prompts that a language model was to read, by what came of it: answered, late, unreachable, status, malformed, refused, paused or busy.";
    RECONCILER_REPAIRS = Counter, "reelay_reconciler_repairs_total", "status", "Generations whose news came by asking, not by webhook.";
    PUSH_LISTENERS = Gauge, "reelay_push_listeners", "transport", "Open event streams: sse or websocket.";

    // worker-service
    JOBS = Gauge, "reelay_jobs", "status", "Jobs that are not finished.";
    JOBS_FINISHED = Counter, "reelay_jobs_finished_total", "status, error_code", "Jobs that reached a terminal state.";
    JOB_RETRIES = Counter, "reelay_job_retries_total", "provider", "Attempts after the first.";
    JOB_SECONDS = Histogram, "reelay_job_duration_seconds", "provider, status", "From a job's first start to its end.";
    QUEUE_WAIT_SECONDS = Histogram, "reelay_queue_wait_seconds", "", "From a job's place in the queue to its claim.";
    LEASES_LOST = Counter, "reelay_leases_lost_total", "", "Jobs whose runner lost its lease: another took over, or might have. A cancel is none.";
    JOBS_RESCUED = Counter, "reelay_jobs_rescued_total", "", "Jobs taken from a worker that fell silent, not those that one handed back.";
    PROVIDER_REQUESTS = Counter, "reelay_provider_requests_total", "provider, operation, outcome", "Calls of a provider. Submissions: accepted, rejected or unknown; polls: pending, finished, failed, unclear or refused; cancels: cancelled or unclear; downloads: succeeded or failed.";
    PROVIDER_REQUEST_SECONDS = Histogram, "reelay_provider_request_duration_seconds", "provider, operation", "How long a provider took to answer.";
    SUBMISSIONS_UNKNOWN = Counter, "reelay_submissions_unknown_total", "provider", "Submissions whose fate at the provider is unknown.";
    SUBMISSIONS_REPEATED = Counter, "reelay_submissions_repeated_total", "provider", "Unknown submissions sent again, which may be paid twice.";
    UPLOADED_BYTES = Counter, "reelay_uploaded_bytes_total", "", "Bytes stored in the bucket.";
    WEBHOOK_DELIVERIES = Counter, "reelay_webhook_deliveries_total", "outcome", "Tries: delivered, failed or dead.";
    WEBHOOK_DELIVERY_SECONDS = Histogram, "reelay_webhook_delivery_duration_seconds", "outcome", "How long a try took.";
    WEBHOOKS_PENDING = Gauge, "reelay_webhooks_pending", "", "Webhooks still to be delivered.";
    WEBHOOKS_DEAD = Gauge, "reelay_webhooks_dead", "", "Webhooks in the dead-letter list.";

    // Both
    TASK_RESTARTS = Counter, "reelay_task_restarts_total", "task", "Background tasks that failed and were started again.";
}

/// Upper bounds for durations in seconds: from a query to a slow video.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
    900.0, 1800.0,
];

/// How often observations are folded into their histograms, so that they take no room while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// What `/metrics` answers with.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// The text of all metrics, in Prometheus' exposition format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Installs the process's recorder, or gives the one that is installed (several services in one test).
pub fn install_metrics() -> Result<Metrics, InitError> {
    static INSTALLED: OnceLock<Result<Metrics, String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| install().map_err(|error| error.to_string()));
    installed.clone().map_err(InitError::Metrics)
}

fn install() -> Result<Metrics, Box<dyn Error>> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(seconds, SECONDS)?.install_recorder()?;
    describe();
    let upkeep = handle.clone();
    std::thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            upkeep.run_upkeep();
        }
    })?;
    Ok(Metrics(handle))
}

fn describe() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}
