//! Claims jobs while it has room, runs each, and keeps their leases alive. A job is handed back in order if
//! this worker ends, given up if its runner breaks, and dropped if the lease is lost.

use std::{
    any::Any,
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use contract::{JobId, JobStatus, WorkerId};
use futures_util::FutureExt as _;
use telemetry::{continue_trace, event, metric};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Lease, Running};
use crate::{
    jobs::{
        log,
        state::{Input, is_suspect},
    },
    settings::QueueSettings,
    store::{Claimed, Error, Renewed, Store, WorkerStatus},
};

/// How often to look without being woken: for retries that became due, lapsed leases, and what another
/// replica wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a submission under way is waited for at the end, if nobody says until when.
const SUBMISSION_PATIENCE: Duration = Duration::from_mins(1);
/// How often the end of a job's run is offered to a database that does not take it.
const WRITE_TRIES: u32 = 5;

/// The numbers of a runner.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs at once here.
    pub running: usize,
    /// Jobs at once of one user, on all workers.
    pub per_user: usize,
    /// How often leases are renewed.
    pub heartbeat: Duration,
    /// How long a lease holds without that.
    pub lease: Duration,
    /// How long a job may take from its first start.
    pub deadline: Duration,
    /// How long jobs may take to come to a good point when the worker ends.
    pub shutdown: Duration,
}

impl From<&QueueSettings> for Limits {
    fn from(settings: &QueueSettings) -> Self {
        Self {
            running: settings.running,
            per_user: settings.running_per_user,
            heartbeat: settings.heartbeat,
            lease: settings.lease,
            deadline: settings.deadline,
            shutdown: settings.shutdown,
        }
    }
}

/// Runs jobs by `work`, which takes a lease as far as it goes.
///
/// [`run`](Self::run) and [`keep_alive`](Self::keep_alive) are two tasks, because leases must be renewed until
/// the last job has been handed back.
#[derive(Debug)]
pub struct Runner<W> {
    store: Store,
    worker: WorkerId,
    running: Running,
    limits: Limits,
    work: W,
    stopping: CancellationToken,
    cut: CancellationToken,
    /// When even a submission under way is cut off, once the worker ends.
    last: OnceLock<Instant>,
    out_of_time: CancellationToken,
}

/// How a job's run came to its end.
enum End {
    /// The work returned.
    Returned(Result<(), Error>),
    /// The work panicked.
    Panicked(String),
    /// The lease is another's, or the job was cancelled.
    Lost,
    /// The job's time is over.
    Late,
    /// The worker's time is over.
    CutOff,
}

/// Takes a job off the list of those that run, whatever happens to its runner: what is not on it lapses.
struct OnList(Running, JobId, i64);

impl Drop for OnList {
    fn drop(&mut self) {
        self.0.remove(&self.1, self.2);
    }
}

impl<W, Work> Runner<W>
where
    W: Fn(Lease) -> Work + Send + Sync + 'static,
    Work: Future<Output = Result<(), Error>> + Send + 'static,
{
    /// A runner for a worker that [is on the list](Store::register_worker).
    pub fn new(store: Store, worker: WorkerId, running: Running, limits: Limits, work: W) -> Arc<Self> {
        let [stopping, cut, out_of_time] = [(); 3].map(|()| CancellationToken::new());
        let last = OnceLock::new();
        Arc::new(Self { store, worker, running, limits, work, stopping, cut, last, out_of_time })
    }

    /// Says until when jobs may be waited for at the end of [`run`](Self::run). To be called before it is told
    /// to stop.
    pub fn end_by(&self, last: Instant) {
        // The first word holds.
        let _ = self.last.set(last);
    }

    /// Claims and runs until `stop` fires; then asks the jobs to stop, waits for them, cuts off those that do
    /// not, as soon as they have no submission under way, and hands them back.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut jobs = JoinSet::new();
        // Beside a job that may bring the worker down there runs no other.
        let mut alone = false;
        while !stop.is_cancelled() {
            alone &= !jobs.is_empty();
            let free = if alone { 0 } else { self.limits.running.saturating_sub(jobs.len()) };
            for claimed in self.claim(free).await {
                alone |= is_suspect(&claimed.before);
                self.start(claimed, &mut jobs);
            }
            let has_room = !alone && jobs.len() < self.limits.running;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = jobs.join_next() => report(ended),
                () = self.store.wakes().queue.notified(), if has_room => {}
                () = sleep(LOOK_EVERY), if has_room => {}
            }
        }
        self.stopping.cancel();
        self.mark(WorkerStatus::Stopping).await;
        let soon = Instant::now() + self.limits.shutdown;
        let last = self.last.get().copied().unwrap_or(soon + SUBMISSION_PATIENCE);
        for (until, cut) in [(soon.min(last), &self.cut), (last, &self.out_of_time)] {
            if timeout_at(until, drain(&mut jobs)).await.is_err() {
                cut.cancel();
            }
        }
        drain(&mut jobs).await;
        self.mark(WorkerStatus::Stopped).await;
    }

    async fn mark(&self, status: WorkerStatus) {
        if let Err(error) = self.store.mark_worker(&self.worker, status).await {
            tracing::warn!(workerId = %self.worker, %error, "The list of workers was not updated");
        }
    }

    async fn claim(&self, free: usize) -> Vec<Claimed> {
        if free == 0 {
            return Vec::new();
        }
        match self.store.claim(&self.worker, free, self.limits.per_user).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(workerId = %self.worker, %error, "No job can be claimed");
                Vec::new()
            }
        }
    }

    fn start(self: &Arc<Self>, claimed: Claimed, jobs: &mut JoinSet<()>) {
        let Claimed { job, from, rescued, before, change, .. } = &claimed;
        let (id, epoch) = (job.id.clone(), job.life.lease_epoch);
        let span = tracing::info_span!("job", jobId = %id, generationId = %job.generation_id);
        continue_trace(&span, job.wanted.traceparent.as_deref());
        let entered = span.enter();
        if *rescued {
            metrics::counter!(metric::JOBS_RESCUED).increment(1);
            let worker = from.as_ref().map(tracing::field::display);
            event!(WARN, QUEUE_MANAGER_JOB_RESCUED, jobId = %id, workerId = worker, epoch);
        }
        log::changing(before, change);
        log::changed(before, change);
        if job.life.status != JobStatus::Active {
            return;
        }
        if let (None, Some(queued)) = (before.life.started_at, before.life.queued_at) {
            let waited = self.store.now().since(queued);
            metrics::histogram!(metric::QUEUE_WAIT_SECONDS).record(waited.as_secs_f64());
        }
        event!(INFO, QUEUE_MANAGER_JOB_CLAIMED, jobId = %id, workerId = %self.worker, epoch);
        drop(entered);
        let (lost, hints) = self.running.add(&id, epoch);
        let on_list = OnList(self.running.clone(), id, epoch);
        jobs.spawn(Arc::clone(self).run_one(claimed, (lost, hints), on_list).instrument(span));
    }

    async fn run_one(
        self: Arc<Self>,
        claimed: Claimed,
        (lost, hints): (CancellationToken, Arc<Notify>),
        on_list: OnList,
    ) {
        let Claimed { job, attempts, .. } = claimed;
        let (id, epoch) = (job.id.clone(), job.life.lease_epoch);
        let now = self.store.now();
        let age = now.since(job.life.started_at.unwrap_or(now));
        let left = self.limits.deadline.saturating_sub(age);
        let lease = Lease::new(job, attempts, self.store.clone(), lost.clone(), self.stopping.clone());
        let lease = lease.hinted_by(hints);
        let whole = lease.whole();
        let interrupted = async {
            let end = tokio::select! {
                biased;
                () = lost.cancelled() => End::Lost,
                () = self.cut.cancelled() => End::CutOff,
                () = sleep(left) => End::Late,
            };
            tokio::select! {
                _ = whole.lock() => {}
                () = self.out_of_time.cancelled() => {}
            }
            end
        };
        let end = if left.is_zero() {
            End::Late
        } else {
            tokio::select! {
                biased;
                end = interrupted => end,
                returned = AssertUnwindSafe(async { (self.work)(lease).await }).catch_unwind() => match returned {
                    Ok(result) => End::Returned(result),
                    Err(panic) => End::Panicked(message(&*panic)),
                },
            }
        };
        if let End::Returned(Err(Error::LostLease(_))) = end {
            // Its own write was the first to notice.
            self.lose(vec![(id.clone(), epoch)]).await;
        }
        drop(on_list);
        match end {
            End::Lost | End::Returned(Err(Error::LostLease(_))) => {}
            End::Late => self.settle(&id, epoch, Input::DeadlinePassed).await,
            End::CutOff => {
                self.settle(&id, epoch, Input::Released).await;
                event!(INFO, QUEUE_MANAGER_JOB_RELEASED, jobId = %id, workerId = %self.worker, epoch);
            }
            // A job that has ended or was handed back is not touched by this; one that was merely dropped is
            // free for the next.
            End::Returned(Ok(())) => self.abandon(&id, epoch).await,
            End::Returned(Err(error)) => {
                event!(ERROR, SERVICE_TASK_FAILED, task = "job", error = %error);
                self.abandon(&id, epoch).await;
            }
            End::Panicked(error) => {
                event!(ERROR, SERVICE_TASK_FAILED, task = "job", error);
                self.abandon(&id, epoch).await;
            }
        }
    }

    /// Writes what a job's runner can no longer write itself. If the database does not take it in a while,
    /// the lease runs out and the next runner finds the same.
    async fn settle(&self, id: &JobId, epoch: i64, input: Input) {
        for pause in 1..=WRITE_TRIES {
            match self.store.decide_and_commit(id, epoch, input.clone()).await {
                Ok(Some((before, change))) => {
                    log::changing(&before, &change);
                    log::changed(&before, &change);
                    return;
                }
                Err(Error::Database(error)) => {
                    tracing::warn!(%error, "The end of a job's run was not written down");
                    sleep(Duration::from_millis(200) * pause).await;
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    async fn abandon(&self, id: &JobId, epoch: i64) {
        if let Err(error) = self.store.abandon(id, epoch).await {
            tracing::warn!(%error, "A job was not given up at once; its lease will run out");
        }
    }

    /// Renews the leases, and the hold on the worker's name, until `stop` fires. Who is told by the database that
    /// a lease is lost, or cannot reach it for as long as a lease holds, stops running the job.
    pub async fn keep_alive(self: Arc<Self>, stop: CancellationToken) {
        // Apart from each other: the name's session may hang where the leases can still be renewed.
        tokio::join!(self.keep_leases(&stop), self.keep_name(&stop));
    }

    async fn keep_leases(&self, stop: &CancellationToken) {
        let mut renewed = Instant::now();
        let mut beats = interval_at(renewed + self.limits.heartbeat, self.limits.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            self.beat(&mut renewed).await;
        }
    }

    async fn keep_name(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(sleep(self.limits.heartbeat)).await.is_some() {
            stop.run_until_cancelled(self.store.keep_names()).await;
        }
    }

    async fn beat(&self, renewed: &mut Instant) {
        // In this order: what is claimed from here on is not yet in the database's answer.
        let held = self.running.leases();
        let begun = Instant::now();
        let ids: Vec<JobId> = held.iter().map(|(id, _)| id.clone()).collect();
        match self.renew(ids, self.patience(*renewed)).await {
            Ok(kept) => {
                *renewed = begun;
                for lease in &kept {
                    if let Some(at) = lease.noticed_at {
                        self.running.noticed(&lease.job, lease.epoch, at);
                    }
                }
                let kept: HashSet<_> = kept.into_iter().map(|lease| (lease.job, lease.epoch)).collect();
                let lost = held.into_iter().filter(|lease| !kept.contains(lease)).collect();
                self.lose(lost).await;
            }
            Err(error) => {
                tracing::warn!(workerId = %self.worker, error, "Leases cannot be renewed");
                if renewed.elapsed() >= self.limits.lease {
                    for lease in self.drop_runners(held) {
                        self.tell_lost(lease);
                    }
                }
            }
        }
    }

    /// How long the database may take over one renewal: so that there is time for another, and no longer than the
    /// lease holds.
    fn patience(&self, renewed: Instant) -> Duration {
        let (left, share) = (self.limits.lease.saturating_sub(renewed.elapsed()), self.limits.lease / 3);
        if left.is_zero() { share } else { left.min(share) }
    }

    async fn renew(&self, ids: Vec<JobId>, patience: Duration) -> Result<Vec<Renewed>, String> {
        let (store, worker) = (self.store.clone(), self.worker.clone());
        // A task of its own, since a transaction must not be dropped: one that is given up here ends with its
        // connection.
        let renewing = tokio::spawn(async move { store.heartbeat(&worker, &ids).await });
        match timeout(patience, renewing).await {
            Ok(Ok(answer)) => answer.map_err(|error| error.to_string()),
            Ok(Err(panic)) => Err(panic.to_string()),
            Err(_) => Err(format!("no answer within {patience:?}")),
        }
    }

    /// Tells the runners of these leases that they are lost, and the operator, unless both know or it is only that
    /// the job was cancelled or has ended.
    async fn lose(&self, leases: Vec<(JobId, i64)>) {
        let leases = self.drop_runners(leases);
        if leases.is_empty() {
            return;
        }
        let looked = timeout(self.limits.lease / 3, self.store.lost_leases(&leases)).await;
        // If it cannot be known, it is said.
        let lost = looked.ok().and_then(Result::ok).unwrap_or(leases);
        for lease in lost {
            self.tell_lost(lease);
        }
    }

    /// Gives those whose runner did not know.
    fn drop_runners(&self, leases: Vec<(JobId, i64)>) -> Vec<(JobId, i64)> {
        leases.into_iter().filter(|(id, epoch)| self.running.lose(id, *epoch)).collect()
    }

    fn tell_lost(&self, (id, epoch): (JobId, i64)) {
        metrics::counter!(metric::LEASES_LOST).increment(1);
        event!(WARN, QUEUE_MANAGER_HEARTBEAT_LOST, jobId = %id, workerId = %self.worker, epoch);
    }
}

async fn drain(jobs: &mut JoinSet<()>) {
    while let Some(ended) = jobs.join_next().await {
        report(ended);
    }
}

/// The work's own panics are caught before; this would be ours.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        event!(ERROR, SERVICE_TASK_FAILED, task = "job", error = %error);
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}
