//! What an operator sees of the queue.

use contract::{JobId, JobStatus, Timestamp, WorkerId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{Error, Store, WorkerStatus};

/// How many jobs of each kind are shown.
const SHOWN: i64 = 1_000;

/// The queue, what runs, and who runs it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The first thousand jobs that wait, in order; those that wait for a retry included.
    pub queue: Vec<Waiting>,
    /// The jobs that are run.
    pub active_jobs: Vec<Active>,
    /// The workers, present and lately past.
    pub workers: Vec<Worker>,
}

/// A job that waits.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The job.
    pub job_id: JobId,
    /// Greater goes first.
    pub priority: i32,
    /// When the worker first heard of it.
    pub created_at: Timestamp,
    /// `confirmed`.
    pub status: JobStatus,
}

/// A job that is run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Active {
    /// The job.
    pub job_id: JobId,
    /// Who runs it; null between two workers.
    pub worker_id: Option<WorkerId>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    /// New with every start.
    pub worker_id: WorkerId,
    /// When it last said so, by the database's clock.
    pub last_heartbeat: Timestamp,
    /// What it says of itself.
    pub status: WorkerStatus,
    /// What it runs; of several jobs, the one that runs the longest.
    pub current_job_id: Option<JobId>,
}

/// The queue as it is now.
pub async fn overview(store: &Store) -> Result<Overview, Error> {
    let (waiting, active, workers) =
        (store.waiting(SHOWN).await?, store.active(SHOWN).await?, store.workers().await?);
    let current = |worker: &WorkerId| {
        active.iter().find(|job| job.life.lease_owner.as_ref() == Some(worker)).map(|job| job.id.clone())
    };
    let workers = workers
        .into_iter()
        .map(|worker| Worker {
            current_job_id: current(&worker.id),
            worker_id: worker.id,
            last_heartbeat: worker.last_heartbeat,
            status: worker.status,
        })
        .collect();
    let queue = waiting
        .into_iter()
        .map(|job| Waiting {
            job_id: job.id,
            priority: job.wanted.priority,
            created_at: job.created_at,
            status: job.life.status,
        })
        .collect();
    let active_jobs = active
        .into_iter()
        .map(|job| Active {
            job_id: job.id,
            worker_id: job.life.lease_owner,
            started_at: job.life.started_at,
        })
        .collect();
    Ok(Overview { queue, active_jobs, workers })
}
