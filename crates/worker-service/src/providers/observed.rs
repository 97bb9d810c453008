//! Tells the log and the metrics what is asked of a provider and what it says, the same for all of them.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use telemetry::{event, metric};

use super::{Cancelled, Hook, Operation, Polled, Provider, Source, Submission, Submitted, veo3};
use crate::media::{DownloadError, Downloaded};

/// A provider that is watched.
pub(super) struct Observed(pub(super) Arc<dyn Provider>);

/// An event of the one provider that has a component of its own in the log, or of any other, with its name.
macro_rules! tell {
    ($self:ident, $level:ident, $veo3:ident, $other:ident, $($fields:tt)*) => {
        if $self.name() == veo3::NAME {
            event!($level, $veo3, $($fields)*);
        } else {
            event!($level, $other, provider = $self.name(), $($fields)*);
        }
    };
}

#[async_trait]
impl Provider for Observed {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn usual_latency(&self) -> Duration {
        self.0.usual_latency()
    }

    fn hook(&self) -> Option<&Hook> {
        self.0.hook()
    }

    async fn submit(&self, submission: &Submission) -> Submitted {
        let (job, attempt, begun) = (&submission.job_id, submission.attempt, Instant::now());
        let prompt = telemetry::prompt(&submission.prompt);
        tell!(self, INFO, GENERATION_WORKFLOW_CALLING_VEO3, GENERATION_WORKFLOW_CALLING_PROVIDER, jobId = %job, prompt);
        tell!(self, INFO, VEO3_SERVICE_SUBMITTING, PROVIDER_SERVICE_SUBMITTING, jobId = %job, attempt);
        let submitted = self.0.submit(submission).await;
        let duration = milliseconds(begun);
        let (video, status) = match &submitted {
            Submitted::Accepted(operation) => {
                tell!(self, INFO, VEO3_SERVICE_OPERATION_ACCEPTED, PROVIDER_SERVICE_OPERATION_ACCEPTED, jobId = %job, operation, attempt, durationMs = duration);
                (Some(operation.as_str()), "accepted")
            }
            Submitted::Rejected(failure) => {
                let status = failure.error.code.as_str();
                tell!(self, WARN, VEO3_SERVICE_SUBMISSION_REFUSED, PROVIDER_SERVICE_SUBMISSION_REFUSED, jobId = %job, attempt, status, durationMs = duration);
                (None, "rejected")
            }
            Submitted::Unknown { reason } => {
                tell!(self, WARN, VEO3_SERVICE_SUBMISSION_UNKNOWN, PROVIDER_SERVICE_SUBMISSION_UNKNOWN, jobId = %job, attempt);
                tracing::warn!(jobId = %job, attempt, reason, "The provider did not say whether it took a submission");
                (None, "unknown")
            }
            Submitted::Lost { reason } => {
                tell!(self, WARN, VEO3_SERVICE_SUBMISSION_UNKNOWN, PROVIDER_SERVICE_SUBMISSION_UNKNOWN, jobId = %job, attempt);
                tracing::warn!(jobId = %job, attempt, reason, "The provider took a submission that cannot be asked for");
                (None, "lost")
            }
        };
        tell!(self, INFO, GENERATION_WORKFLOW_VEO3_RESPONSE, GENERATION_WORKFLOW_PROVIDER_RESPONSE, jobId = %job, videoId = video, status);
        self.observe("submit", status, begun);
        submitted
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        let (job, name, begun) = (&operation.job_id, &operation.name, Instant::now());
        tell!(self, INFO, VEO3_SERVICE_POLLING, PROVIDER_SERVICE_POLLING, jobId = %job, operation = name);
        let polled = self.0.poll(operation).await;
        let (outcome, finished) = match &polled {
            Polled::Pending { .. } => ("pending", None),
            Polled::Finished(_) => ("finished", Some("succeeded")),
            Polled::Failed(failure) => ("failed", Some(failure.error.code.as_str())),
            Polled::Lost(error) => ("lost", Some(error.code.as_str())),
            Polled::Unclear { reason, .. } => {
                tracing::warn!(jobId = %job, operation = name, reason, "The provider did not say how a video stands");
                ("unclear", None)
            }
            Polled::Refused(_) => ("refused", None),
        };
        if let Some(status) = finished {
            tell!(self, INFO, VEO3_SERVICE_OPERATION_FINISHED, PROVIDER_SERVICE_OPERATION_FINISHED, jobId = %job, operation = name, status);
        }
        self.observe("poll", outcome, begun);
        polled
    }

    async fn cancel(&self, operation: &Operation) -> Cancelled {
        let begun = Instant::now();
        let cancelled = self.0.cancel(operation).await;
        let outcome = match &cancelled {
            Cancelled::Impossible => return cancelled,
            Cancelled::Done => "cancelled",
            Cancelled::Unclear { reason } => {
                tracing::warn!(jobId = %operation.job_id, operation = operation.name, reason, "The provider did not say whether it cancelled a video");
                "unclear"
            }
        };
        event!(INFO, PROVIDER_SERVICE_OPERATION_CANCELLED, provider = self.name(), jobId = %operation.job_id, operation = operation.name, status = outcome);
        self.observe("cancel", outcome, begun);
        cancelled
    }

    async fn download(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let (job, name, begun) = (&operation.job_id, &operation.name, Instant::now());
        tell!(self, INFO, VEO3_SERVICE_DOWNLOADING, PROVIDER_SERVICE_DOWNLOADING, jobId = %job, operation = name);
        let fetched = self.0.download(operation, source, into).await;
        if fetched.is_ok() {
            let duration = milliseconds(begun);
            tell!(self, INFO, VEO3_SERVICE_DOWNLOADED, PROVIDER_SERVICE_DOWNLOADED, jobId = %job, operation = name, durationMs = duration);
        }
        self.observe("download", if fetched.is_ok() { "succeeded" } else { "failed" }, begun);
        fetched
    }
}

impl Observed {
    fn observe(&self, operation: &'static str, outcome: &'static str, begun: Instant) {
        let provider = self.name();
        metrics::counter!(metric::PROVIDER_REQUESTS, "provider" => provider, "operation" => operation, "outcome" => outcome)
            .increment(1);
        metrics::histogram!(metric::PROVIDER_REQUEST_SECONDS, "provider" => provider, "operation" => operation)
            .record(begun.elapsed().as_secs_f64());
    }
}

fn milliseconds(begun: Instant) -> u64 {
    begun.elapsed().as_millis() as u64
}
