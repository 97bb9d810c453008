//! The making of a video, from a claimed job to its end, in steps that are each written down before the next:
//! submit, poll, fetch and examine, store. Whoever claims the job later goes on from what is written down.
//!
//! The workflow decides what follows from what a provider or the bucket says; it speaks neither's protocol, and
//! all that it writes goes through the [`Lease`].

pub mod cancels;
mod delivery;
mod estimate;
pub mod step;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use contract::{ErrorCode, ErrorReason, Stage, Timestamp, worker_api::JobError};
use foundation::{
    crash::{Place, sending},
    s3::{Links, S3Settings},
    settings::Setting,
};
use telemetry::{event, metric};
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use self::{estimate::Pace, step::Step};
use crate::{
    bucket::Bucket,
    jobs::state::{Input, Retry},
    media::Workspace,
    providers::{Image, Operation, Polled, Provider, Providers, Submission, Submitted},
    queue::Lease,
    store::{AttemptState, Error},
    uploads::{self, service::Uploads},
};

foundation::settings! {
    /// How videos are made.
    pub struct WorkflowSettings {
        /// The shortest time between two questions how a video stands. How long videos of a model usually take
        /// decides when it is worth asking.
        pub poll_interval: Duration = or_default("POLL_INTERVAL", "1s"),
        /// The longest that a provider is not asked. One that tells by itself when a video is done (see
        /// PROVIDER_WEBHOOK_URL) is left alone four times as long until the usual time is over.
        pub longest_poll_interval: Duration = or_default("POLL_INTERVAL_LONGEST", "30s"),
        /// How long a job waits after a submission of which nobody knows whether the provider took it.
        pub submission_grace: Duration = or_default("SUBMISSION_GRACE", "10m"),
        /// What follows then: retry_once, which may be paid twice, or fail.
        pub submission_unknown: UnknownPolicy = or_default("SUBMISSION_UNKNOWN", "retry_once"),
        /// The folder for videos on their way from the provider to the bucket; without it, the system's.
        pub temp_dir: Option<PathBuf> = optional("WORKER_TEMP_DIR"),
    }
}

/// What becomes of a submission whose fate is unknown (I16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// After the grace window it is sent again, once in a job's life.
    RetryOnce,
    /// The job fails.
    Fail,
}

impl Setting for UnknownPolicy {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "retry_once" => Ok(Self::RetryOnce),
            "fail" => Ok(Self::Fail),
            _ => Err("must be retry_once or fail".to_owned()),
        }
    }
}

/// What making a video needs. Cheap to clone.
#[derive(Clone)]
pub struct Workflow(Arc<Inner>);

struct Inner {
    settings: WorkflowSettings,
    providers: Providers,
    bucket: Arc<dyn Bucket>,
    uploads: Uploads,
    links: Links,
    /// Whether the bucket is at Cloudflare, which the log names.
    is_r2: bool,
    workspace: Workspace,
}

impl std::fmt::Debug for Workflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workflow").field("providers", &self.0.providers).finish_non_exhaustive()
    }
}

impl Workflow {
    /// Makes videos by these providers and stores them in this bucket. Fails if there can be no temporary
    /// files. Blocks on files.
    pub fn new(
        settings: WorkflowSettings,
        providers: Providers,
        bucket: Arc<dyn Bucket>,
        uploads: Uploads,
        storage: &S3Settings,
    ) -> io::Result<Self> {
        let workspace = Workspace::open(&settings.temp_dir.clone().unwrap_or_else(std::env::temp_dir))?;
        let host = storage.endpoint.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            settings,
            providers,
            bucket,
            uploads,
            links: Links::new(storage),
            is_r2: host.ends_with(".r2.cloudflarestorage.com"),
            workspace,
        })))
    }

    /// Takes the job as far as it goes: to its end, back to the queue, or until the lease is lost.
    ///
    /// The queue drops this future when the lease is lost or the job's deadline passes; an error, like a
    /// panic, gives the job up to be claimed again.
    pub async fn run(&self, lease: Lease) -> Result<(), Error> {
        let job = lease.job();
        let span = tracing::info_span!("job", jobId = %job.id, generationId = %job.generation_id);
        telemetry::continue_trace(&span, job.wanted.traceparent.as_deref());
        Box::pin(self.begin(lease)).instrument(span).await
    }

    async fn begin(&self, lease: Lease) -> Result<(), Error> {
        let job = lease.job();
        let (name, prompt) = (job.wanted.provider.clone(), telemetry::prompt(&job.wanted.prompt));
        event!(INFO, GENERATION_WORKFLOW_STARTING, jobId = %job.id, generationId = %job.generation_id, prompt, provider = name);
        let Some(provider) = self.0.providers.get(&name) else {
            let message = "The provider of this video is not available here.";
            let error = JobError::new(ErrorCode::InvalidRequest, message, false);
            return lease.fail(None, error.because(ErrorReason::ModelNotOffered)).await;
        };
        let run = Run { workflow: &self.0, provider: provider.as_ref(), lease };
        match step::next(run.lease.attempts(), self.0.settings.submission_unknown) {
            Step::Submit { resubmission } => Box::pin(run.submit(resubmission)).await,
            Step::GiveUp => run.lease.end(step::given_up()).await,
            Step::Unknown { since } => {
                metrics::counter!(metric::SUBMISSIONS_UNKNOWN, "provider" => name).increment(1);
                run.fate_unknown(since).await
            }
            Step::Poll { operation, since } => run.follow(operation, since, false).await,
        }
    }
}

/// How often hints may cause a question, at most.
const HINTED_EVERY: Duration = Duration::from_secs(1);

/// Why a wait was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    /// It is time to ask.
    Due,
    /// The provider has told that there may be news.
    Hinted,
    /// This worker is to end.
    Stopping,
}

/// When a provider may be asked next.
#[derive(Clone, Copy, Debug)]
struct Next {
    /// Then at the latest.
    at: Instant,
    /// Not before then, whatever hints come.
    hinted_at: Instant,
}

/// A job on its way.
struct Run<'a> {
    workflow: &'a Inner,
    provider: &'a dyn Provider,
    lease: Lease,
}

impl Run<'_> {
    /// Asks the provider for the video: one attempt, one request (I15).
    async fn submit(mut self, resubmission: bool) -> Result<(), Error> {
        if self.lease.stopping().is_cancelled() {
            return self.lease.release().await;
        }
        let images = match self.images().await? {
            Ok(images) => images,
            Err((error, Retry::Never)) => return self.lease.fail(None, error).await,
            Err((error, retry)) => return self.lease.attempt_failed(None, error, retry).await.map(drop),
        };
        let uncut = self.lease.uncut().await;
        let attempt = self.lease.begin_attempt(resubmission).await?;
        if resubmission {
            metrics::counter!(metric::SUBMISSIONS_REPEATED, "provider" => self.provider.name()).increment(1);
        }
        let begun = self.lease.now();
        let job = self.lease.job();
        let submission = Submission {
            job_id: job.id.clone(),
            attempt,
            model: job.wanted.model.clone(),
            prompt: job.wanted.prompt.clone(),
            parameters: job.wanted.parameters.clone().into_inner(),
            images,
        };
        match sending(Place::Submitted, self.provider.submit(&submission)).await {
            Submitted::Accepted(operation) => {
                if let Err(error) = self.lease.operation_accepted(&operation).await {
                    self.call_off(operation).await;
                    return Err(error);
                }
                drop(uncut);
                self.follow(operation, begun, true).await
            }
            Submitted::Rejected(failure) => {
                let ended = Some(AttemptState::Rejected);
                self.lease.attempt_failed(ended, failure.error, failure.retry).await.map(drop)
            }
            Submitted::Unknown { .. } => {
                metrics::counter!(metric::SUBMISSIONS_UNKNOWN, "provider" => self.provider.name())
                    .increment(1);
                self.fate_unknown(begun).await
            }
            Submitted::Lost { .. } => {
                metrics::counter!(metric::SUBMISSIONS_UNKNOWN, "provider" => self.provider.name())
                    .increment(1);
                self.lease.end(step::submission_lost()).await
            }
        }
    }

    /// Fetches the pictures that the video is made from, before an attempt begins: what fails here costs nothing.
    async fn images(&self) -> Result<Result<Vec<Image>, (JobError, Retry)>, Error> {
        let job = self.lease.job();
        let wanted = job.wanted.parameters.clone().into_inner().images;
        if wanted.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let failed = |code, reason: ErrorReason, message: &str, retry| {
            let retryable = code == ErrorCode::StorageError;
            Ok(Err((JobError::new(code, message, retryable).because(reason), retry)))
        };
        match self.workflow.uploads.fetch(&wanted).await {
            Ok(Some(images)) => {
                event!(INFO, GENERATION_WORKFLOW_PICTURES_FETCHED, jobId = %job.id, count = images.len());
                Ok(Ok(images))
            }
            Ok(None) => {
                let message = "A picture that this video is made from is no longer kept. Upload it again.";
                failed(ErrorCode::InvalidRequest, ErrorReason::PictureGone, message, Retry::Never)
            }
            Err(uploads::service::Error::Store(error)) => Err(error),
            Err(uploads::service::Error::Bucket(error)) => {
                tracing::warn!(%error, "A picture could not be fetched");
                let message =
                    "A picture that this video is made from could not be fetched. Please try again later.";
                failed(ErrorCode::StorageError, ErrorReason::PictureNotFetched, message, Retry::OnSchedule)
            }
        }
    }

    /// Nobody knows whether the provider took the submission: no other before the grace window is over.
    async fn fate_unknown(self, since: Timestamp) -> Result<(), Error> {
        let settings = &self.workflow.settings;
        let grace = settings.submission_grace.saturating_sub(self.lease.now().since(since));
        let input = step::fate_unknown(self.lease.attempts(), settings.submission_unknown, grace);
        self.lease.end(input).await
    }

    /// A job that was cancelled while the provider took it: nobody else will ever know this operation's name.
    async fn call_off(&self, name: String) {
        if self.lease.is_called_off().await {
            self.provider.cancel(&Operation { job_id: self.lease.job().id.clone(), name }).await;
        }
    }

    /// Asks again and again how the operation stands, when it is worth asking; at once if it `is_new` to nobody.
    async fn follow(mut self, operation: String, since: Timestamp, is_new: bool) -> Result<(), Error> {
        let settings = &self.workflow.settings;
        let pace = Pace { shortest: settings.poll_interval, longest: settings.longest_poll_interval };
        let usual = self.lease.usual_latency().await.unwrap_or_else(|| self.provider.usual_latency());
        let operation = Operation { job_id: self.lease.job().id.clone(), name: operation };
        let is_told = self.provider.hook().is_some();
        let until_asked = |elapsed, left| {
            let wait =
                if is_told { pace.safety_net(elapsed, usual) } else { pace.until_asked(elapsed, usual) };
            pace.within(wait, left)
        };
        let (mut hinted, mut pending): (Option<Instant>, Option<Duration>) = (None, None);
        let begun = Instant::now();
        let first = if is_new { until_asked(Duration::ZERO, self.lease.time_left()) } else { Duration::ZERO };
        let mut next = Next { at: begun + first, hinted_at: begun };
        let mut reported = None;
        loop {
            let waited = self.wait(next, since, usual, reported).await?;
            let by_hint = waited == Waited::Hinted;
            if waited == Waited::Stopping {
                return self.lease.release().await;
            }
            let (elapsed, now) = (self.lease.now().since(since), Instant::now());
            if by_hint {
                hinted = Some(now);
            }
            let soon = hinted.map(|hinted| pace.after_hint(now - hinted));
            let pause = until_asked(elapsed, self.lease.time_left());
            let pause = soon.map_or(pause, |soon| soon.min(pause));
            let left_alone = match sending(Place::Polled, self.provider.poll(&operation)).await {
                Polled::Pending { progress } => {
                    reported = progress.map(estimate::reported).or(reported);
                    pending = Some(elapsed);
                    self.come_on(elapsed, usual, reported).await?;
                    Duration::ZERO
                }
                Polled::Finished(source) => {
                    if is_new && estimate::tells_latency(is_told && !by_hint, elapsed, pending, usual) {
                        self.lease.learn_latency(elapsed).await;
                    }
                    return self.deliver(&operation, &source).await;
                }
                Polled::Failed(failure) => {
                    let failure = step::after_report(self.lease.attempts(), failure);
                    let ended = Some(AttemptState::Failed);
                    return self.lease.attempt_failed(ended, failure.error, failure.retry).await.map(drop);
                }
                Polled::Lost(error) => return self.lease.end(Input::AttemptLost(error)).await,
                // Who asks to be left alone is, whatever hints come, but not until the job's time is over.
                Polled::Unclear { wait, .. } => pace.within(wait.unwrap_or_default(), self.lease.time_left()),
                // The operation may well stand, so a retry goes on with it.
                Polled::Refused(failure) => {
                    let retry = step::go_on(self.lease.job(), self.lease.attempts(), failure.retry);
                    return self.lease.attempt_failed(None, failure.error, retry).await.map(drop);
                }
            };
            let answered = Instant::now();
            next = Next {
                at: answered + pause.max(left_alone),
                hinted_at: (answered + left_alone).max(hinted.map_or(answered, |then| then + HINTED_EVERY)),
            };
        }
    }

    /// Waits until the provider is to be asked, or tells that it may be, while the progress goes on.
    async fn wait(
        &mut self,
        when: Next,
        since: Timestamp,
        usual: Duration,
        reported: Option<i32>,
    ) -> Result<Waited, Error> {
        let (stopping, hints) = (self.lease.stopping().clone(), Arc::clone(self.lease.hints()));
        let (mut asked_at, mut waited) = (when.at, Waited::Due);
        loop {
            let next = asked_at.min(Instant::now() + estimate::tick(usual));
            tokio::select! {
                biased;
                () = stopping.cancelled() => return Ok(Waited::Stopping),
                () = hints.notified(), if waited == Waited::Due => {
                    waited = Waited::Hinted;
                    asked_at = asked_at.min(when.hinted_at.max(Instant::now()));
                    continue;
                }
                () = sleep_until(next) => {}
            }
            if next >= asked_at {
                return Ok(waited);
            }
            self.come_on(self.lease.now().since(since), usual, reported).await?;
        }
    }

    /// Tells how far it is: as the provider says, or as others went.
    async fn come_on(
        &mut self,
        elapsed: Duration,
        usual: Duration,
        reported: Option<i32>,
    ) -> Result<(), Error> {
        let (guessed, eta) = estimate::generating(elapsed, usual);
        self.lease.progress(Stage::Generating, reported.unwrap_or(guessed), eta).await
    }
}
