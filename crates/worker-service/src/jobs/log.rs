//! What is logged and counted of a job's changes, from whichever side they come.

use contract::{JobStatus, worker_api::JobError};
use telemetry::{event, metric};

use super::state::Change;
use crate::store::Job;

/// Before a change is written.
pub fn changing(job: &Job, change: &Change) {
    let (id, old, new) = (&job.id, job.life.status, change.life.status);
    match new {
        _ if new == old => {}
        JobStatus::Completed => {
            let result = change.life.result.as_ref().map(|result| result.video_key.as_str());
            event!(INFO, JOB_MANAGER_COMPLETING_JOB, jobId = %id, result);
        }
        JobStatus::Failed => {
            event!(INFO, JOB_MANAGER_FAILING_JOB, jobId = %id, error = code(change));
        }
        _ => event!(INFO, JOB_MANAGER_UPDATING_STATUS, jobId = %id, oldStatus = %old, newStatus = %new),
    }
}

/// After a change was committed. `job` is the job as it was before.
pub fn changed(job: &Job, change: &Change) {
    let (id, old, new) = (&job.id, job.life.status, change.life.status);
    if change.event.is_some() {
        let generation = &job.generation_id;
        event!(INFO, GENERATION_WORKFLOW_SENDING_WEBHOOK, jobId = %id, generationId = %generation, status = %new);
    }
    if new == old {
        return;
    }
    match new {
        JobStatus::Completed => event!(INFO, JOB_MANAGER_JOB_COMPLETED, jobId = %id, status = %new),
        JobStatus::Failed => {
            event!(WARN, JOB_MANAGER_JOB_FAILED, jobId = %id, status = %new, error = code(change));
        }
        _ => event!(INFO, JOB_MANAGER_STATUS_UPDATED, jobId = %id, status = %new),
    }
    if new.is_terminal() {
        metrics::counter!(metric::JOBS_FINISHED, "status" => new.as_str(), "error_code" => code(change))
            .increment(1);
        if let (Some(started), Some(ended)) = (change.life.started_at, change.life.completed_at) {
            let provider = job.wanted.provider.clone();
            metrics::histogram!(metric::JOB_SECONDS, "provider" => provider, "status" => new.as_str())
                .record(ended.since(started).as_secs_f64());
        }
    }
    if change.life.retry_count > job.life.retry_count {
        metrics::counter!(metric::JOB_RETRIES, "provider" => job.wanted.provider.clone()).increment(1);
    }
}

fn code(change: &Change) -> &'static str {
    let error: Option<&JobError> = change.life.error.as_deref();
    error.filter(|_| change.life.status == JobStatus::Failed).map_or("", |error| error.code.as_str())
}
