//! The jobs that this worker runs, and how each is told that it is no longer its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::JobId;
use tokio_util::sync::CancellationToken;

/// The jobs that this worker runs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashMap<JobId, Held>>>);

#[derive(Clone, Debug)]
struct Held {
    epoch: i64,
    lost: CancellationToken,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; gives the token that fires when it is lost. A runner that had it under an earlier lease,
    /// which ran out unnoticed, is told at once.
    pub(super) fn add(&self, id: &JobId, epoch: i64) -> CancellationToken {
        let lost = CancellationToken::new();
        if let Some(earlier) = self.lock().insert(id.clone(), Held { epoch, lost: lost.clone() }) {
            earlier.lost.cancel();
        }
        lost
    }

    /// Removes a job, unless it has been claimed anew meanwhile.
    pub(super) fn remove(&self, id: &JobId, epoch: i64) {
        let mut jobs = self.lock();
        if jobs.get(id).is_some_and(|held| held.epoch == epoch) {
            jobs.remove(id);
        }
    }

    /// How many run.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Every job with its epoch.
    pub(super) fn leases(&self) -> Vec<(JobId, i64)> {
        self.lock().iter().map(|(id, held)| (id.clone(), held.epoch)).collect()
    }

    /// Tells a job's runner, if it is ours, that the job was cancelled under it.
    pub fn cancel(&self, id: &JobId) {
        if let Some(held) = self.lock().get(id) {
            held.lost.cancel();
        }
    }

    /// Tells a job's runner that this lease is lost; says whether there was one that did not know.
    pub(super) fn lose(&self, id: &JobId, epoch: i64) -> bool {
        let jobs = self.lock();
        let held = jobs.get(id).filter(|held| held.epoch == epoch && !held.lost.is_cancelled());
        held.map(|held| held.lost.cancel()).is_some()
    }
}
