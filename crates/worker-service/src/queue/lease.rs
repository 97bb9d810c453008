//! A job in the hands of the one who runs it. Every write goes through here: it is decided by the lifecycle,
//! carries the lease's epoch, and changes nothing if the lease is lost (I11).

use std::{sync::Arc, time::Duration};

use contract::{
    JobStatus, Stage, Timestamp,
    worker_api::{JobError, JobResult},
};
use foundation::s3::ObjectKey;
use telemetry::event;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use crate::{
    jobs::{
        attempts, log,
        state::{self, Change, Input, Retry, Rules},
    },
    store::{Attempt, AttemptState, Error, Job, Store},
};

/// How long to wait before a write is tried again that the database did not take.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);

/// A claimed job. Whoever holds this runs the job, until the lease is lost or one of the methods that
/// consume it has ended or handed back the job.
///
/// A write that the database fails is tried again until it succeeds or the lease is lost. Any of the methods
/// may be dropped midway: what was begun runs to its end in a task of its own.
#[derive(Debug)]
pub struct Lease {
    job: Job,
    attempts: Vec<Attempt>,
    store: Store,
    rules: Rules,
    lost: CancellationToken,
    stopping: CancellationToken,
    whole: Whole,
    hints: Arc<Notify>,
}

/// What must not be cut in two: a submission to the provider, from the POST to the commit of its answer. Whoever
/// holds it is let come to its end.
pub(super) type Whole = Arc<Mutex<()>>;

impl Lease {
    /// A job just claimed. `lost` and `stopping` are fired by whoever keeps the lease alive.
    #[must_use]
    pub fn new(
        job: Job,
        attempts: Vec<Attempt>,
        store: Store,
        lost: CancellationToken,
        stopping: CancellationToken,
    ) -> Self {
        let rules = store.rules().clone();
        Self { job, attempts, store, rules, lost, stopping, whole: Whole::default(), hints: Arc::default() }
    }

    /// The same, of whose provider's hints `hints` tells.
    #[must_use]
    pub fn hinted_by(self, hints: Arc<Notify>) -> Self {
        Self { hints, ..self }
    }

    /// The time by the database's clock, on which all workers agree.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// The job as it is after the last write.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The newest submission to the provider, if there was one. Found `submitting` after a claim, its fate is
    /// unknown; found with an operation, it is only ever polled (I15).
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// All submissions to the provider, oldest first.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Fires when the lease is lost or the job cancelled. The queue drops the workflow's future then, so this
    /// is for tasks that the workflow has started beside it.
    #[must_use]
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Fires when this worker is to end. At the next point where nothing is lost, call
    /// [`release`](Self::release); whoever does not is cut off when the time for the shutdown is over.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Woken when the provider may have news of the job. It is never more than a reason to ask.
    #[must_use]
    pub fn hints(&self) -> &Arc<Notify> {
        &self.hints
    }

    /// What the queue waits for before it drops the workflow's future.
    pub(super) fn whole(&self) -> Whole {
        Arc::clone(&self.whole)
    }

    /// As long as the answer is held, the queue does not drop the workflow's future: not for the end of the
    /// worker, unless its very last second has come, not for the job's deadline, and not for a lost lease. For
    /// a submission, which half done is one of unknown fate (I16); it must come to its end by itself.
    pub async fn uncut(&self) -> OwnedMutexGuard<()> {
        self.whole().lock_owned().await
    }

    /// Tells how the work comes on. Progress never falls within an attempt: a lower number leaves it.
    pub async fn progress(
        &mut self,
        stage: Stage,
        progress: i32,
        eta_seconds: Option<i64>,
    ) -> Result<(), Error> {
        self.write(Input::Progressed { stage, progress, eta_seconds }).await
    }

    /// Writes down that a submission is about to be made and gives its number. Call this before the POST,
    /// once for each POST (I15). `resubmission` says that it repeats one whose fate is unknown (I16).
    pub async fn begin_attempt(&mut self, resubmission: bool) -> Result<i32, Error> {
        self.write(Input::AttemptBegun { resubmission }).await?;
        Ok(self.job.life.attempt)
    }

    /// Writes down the provider's name for the submission; from now on it is only polled.
    pub async fn operation_accepted(&mut self, operation: &str) -> Result<(), Error> {
        self.write(Input::OperationAccepted(operation.to_owned())).await
    }

    /// Writes down that objects are about to be uploaded, so that they are removed if nobody needs them in the
    /// end. Call this before the upload. The keys must hold the generation, the attempt and the epoch of this
    /// lease, so that no other runner ever writes to them (I13).
    pub async fn objects_begun(&self, keys: impl IntoIterator<Item = &ObjectKey>) -> Result<(), Error> {
        let keys: Vec<_> = keys.into_iter().map(ToString::to_string).collect();
        loop {
            let (store, job, keys) = (self.store.clone(), self.job.clone(), keys.clone());
            match to_its_end(async move { store.begin_objects(&job, &keys).await }).await {
                Err(Error::Database(_)) => self.pause().await?,
                other => return other,
            }
        }
    }

    /// The attempt, or something around it, failed. `ended` says what that means for the attempt; `None`
    /// leaves it, so that the retry goes on with the stored operation. The job waits for its retry or, if
    /// there is to be none, has failed with this error; the answer says which.
    pub async fn attempt_failed(
        mut self,
        ended: Option<AttemptState>,
        error: JobError,
        retry: Retry,
    ) -> Result<JobStatus, Error> {
        self.write(Input::AttemptFailed { ended, error, retry }).await?;
        Ok(self.job.life.status)
    }

    /// Writes what [`step`](crate::workflow::step) says of an attempt with which this run ends.
    pub async fn end(mut self, input: Input) -> Result<(), Error> {
        self.write(input).await
    }

    /// There will be no video: [`attempt_failed`](Self::attempt_failed) without a retry.
    pub async fn fail(self, ended: Option<AttemptState>, error: JobError) -> Result<(), Error> {
        self.attempt_failed(ended, error, Retry::Never).await.map(drop)
    }

    /// The video is stored. `processing_time` is filled in here; objects of this job that the result does not
    /// name become garbage.
    pub async fn complete(mut self, result: JobResult) -> Result<(), Error> {
        self.write(Input::Completed(result)).await
    }

    /// Hands the job back as it is, for any worker to go on with.
    pub async fn release(mut self) -> Result<(), Error> {
        let (owner, epoch) = (self.job.life.lease_owner.clone(), self.job.life.lease_epoch);
        self.write(Input::Released).await?;
        if let Some(worker) = owner {
            event!(INFO, QUEUE_MANAGER_JOB_RELEASED, jobId = %self.job.id, workerId = %worker, epoch);
        }
        Ok(())
    }

    /// How much is left of the time that the job may take from its first start.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        let now = self.now();
        let age = self.job.life.started_at.map_or(Duration::ZERO, |started| now.since(started));
        self.rules.deadline.saturating_sub(age)
    }

    /// How long the videos of the job's model took lately, if it is known.
    pub async fn usual_latency(&self) -> Option<Duration> {
        let wanted = &self.job.wanted;
        match self.store.latency(&wanted.provider, &wanted.model).await {
            Ok(latency) => latency,
            Err(error) => {
                tracing::warn!(%error, "How long videos usually take cannot be read");
                None
            }
        }
    }

    /// The job's video took so long. A guess is all that this serves, so it is not tried again.
    pub async fn learn_latency(&self, took: Duration) {
        let (store, wanted) = (self.store.clone(), self.job.wanted.clone());
        let learning = async move { store.learn_latency(&wanted.provider, &wanted.model, took).await };
        if let Err(error) = to_its_end(learning).await {
            tracing::warn!(%error, "How long a video took is not remembered");
        }
    }

    /// Whether the job was cancelled meanwhile, as far as can be known.
    pub async fn is_called_off(&self) -> bool {
        let job = self.store.job(&self.job.generation_id).await;
        job.is_ok_and(|job| job.is_some_and(|job| job.life.status == JobStatus::Cancelled))
    }

    async fn write(&mut self, input: Input) -> Result<(), Error> {
        let decided = state::decide(&self.job, input, &self.rules, self.store.now());
        let Some(change) = decided.map_err(|_| Error::LostLease(self.job.id.clone()))? else {
            return Ok(());
        };
        log::changing(&self.job, &change);
        let after = self.commit(&change).await?;
        log::changed(&self.job, &change);
        attempts::note(&mut self.attempts, &self.job.id, &change);
        self.job = after;
        Ok(())
    }

    async fn commit(&self, change: &Change) -> Result<Job, Error> {
        let mut uncertain = false;
        loop {
            let (store, job, change) = (self.store.clone(), self.job.clone(), change.clone());
            let committed = to_its_end(async move {
                // The answer to the earlier try may be all that was lost.
                if uncertain
                    && let Some(found) = store.job(&job.generation_id).await?
                    && found.life == change.life
                {
                    return Ok(found);
                }
                store.commit(&job, &change).await
            });
            match committed.await {
                Err(Error::Database(error)) => {
                    tracing::warn!(jobId = %self.job.id, %error, "The database did not take a job's change");
                    uncertain = true;
                    self.pause().await?;
                }
                other => return other,
            }
        }
    }

    async fn pause(&self) -> Result<(), Error> {
        tokio::select! {
            () = self.lost.cancelled() => Err(Error::LostLease(self.job.id.clone())),
            () = tokio::time::sleep(DATABASE_PAUSE) => Ok(()),
        }
    }
}

/// Runs a write in a task of its own, so that a caller who is dropped does not leave a transaction open.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(foundation::database::Error::Unavailable("the runtime is ending".to_owned()).into())
            }
        },
    }
}
