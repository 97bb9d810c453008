//! The making of a video, from a claimed job to its end. For now a placeholder that fails every job: the
//! workflow proper takes its place, keeping [`Workflow::run`], which is all that the queue knows of it.

use contract::{ErrorCode, worker_api::JobError};

use crate::{queue::Lease, store::Error};

/// What making a video needs.
#[derive(Debug, Default)]
pub struct Workflow {}

impl Workflow {
    /// Takes the job as far as it goes: to its end, back to the queue, or until the lease is lost.
    ///
    /// The queue drops this future when the lease is lost or the job's deadline passes; an error, like a
    /// panic, gives the job up to be claimed again.
    pub async fn run(&self, lease: Lease) -> Result<(), Error> {
        let error = JobError {
            code: ErrorCode::Internal,
            message: "The video could not be made.".to_owned(),
            retryable: true,
        };
        lease.fail(None, error).await
    }
}
