//! The jobs that this worker runs, and how each is told that it is no longer its own, or that its provider has news.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::{JobId, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The jobs that this worker runs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashMap<JobId, Held>>>);

#[derive(Clone, Debug)]
struct Held {
    epoch: i64,
    lost: CancellationToken,
    hints: Arc<Notify>,
    /// The newest hint that has been written down and the runner was told of.
    noticed: Option<Timestamp>,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; gives the token that fires when it is lost, and what is woken by its provider's hints. A runner
    /// that had it under an earlier lease, which ran out unnoticed, is told at once.
    pub(super) fn add(&self, id: &JobId, epoch: i64) -> (CancellationToken, Arc<Notify>) {
        let (lost, hints) = (CancellationToken::new(), Arc::<Notify>::default());
        let held = Held { epoch, lost: lost.clone(), hints: Arc::clone(&hints), noticed: None };
        if let Some(earlier) = self.lock().insert(id.clone(), held) {
            earlier.lost.cancel();
        }
        (lost, hints)
    }

    /// Tells a job's runner, if it is ours, that its provider may have news; says whether it is, as far as we know: the
    /// lease may have run out unnoticed. Hints that come while the runner is busy are one. Whoever calls this has seen
    /// that it is the job's own provider that tells.
    pub fn hint(&self, id: &JobId) -> bool {
        let jobs = self.lock();
        let held = jobs.get(id).filter(|held| !held.lost.is_cancelled());
        held.map(|held| held.hints.notify_one()).is_some()
    }

    /// The runner was told of the hint that is written down with that time, so the heartbeat need not tell it again.
    pub fn knows(&self, id: &JobId, at: Timestamp) {
        if let Some(held) = self.lock().get_mut(id) {
            held.noticed = held.noticed.max(Some(at));
        }
    }

    /// Some replica has written down a hint for a job of ours at that time. Each is passed on once.
    pub(super) fn noticed(&self, id: &JobId, epoch: i64, at: Timestamp) {
        let mut jobs = self.lock();
        if let Some(held) = jobs.get_mut(id).filter(|held| held.epoch == epoch && held.noticed < Some(at)) {
            held.noticed = Some(at);
            held.hints.notify_one();
        }
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_hint_reaches_the_runner_of_its_job_once() {
        let (running, id, other) = (Running::default(), JobId::new(), JobId::new());
        let (_, hints) = running.add(&id, 1);
        let told = || hints.notified().now_or_never().is_some();
        assert!(!running.hint(&other) && !told());
        assert!(running.hint(&id) && running.hint(&id));
        assert!(told() && !told(), "two that nobody has taken are one");
        let at = Timestamp::from_micros;
        for (epoch, micros, tells) in
            [(1, 5, true), (1, 5, false), (1, 4, false), (2, 9, false), (1, 6, true)]
        {
            running.noticed(&id, epoch, at(micros));
            assert_eq!(told(), tells, "{epoch} {micros}");
        }
        running.knows(&id, at(8));
        for (micros, tells) in [(8, false), (9, true)] {
            running.noticed(&id, 1, at(micros));
            assert_eq!(told(), tells, "{micros}");
        }
        running.remove(&id, 1);
        assert!(!running.hint(&id));
    }

    #[test]
    fn a_runner_that_has_lost_its_job_takes_no_hints() {
        let (running, id) = (Running::default(), JobId::new());
        let (_, hints) = running.add(&id, 1);
        assert!(running.lose(&id, 1));
        assert!(!running.hint(&id));
        assert!(hints.notified().now_or_never().is_none());
        running.add(&id, 2);
        assert!(running.hint(&id), "it was claimed anew");
    }
}
