//! The heart of the simulator: which submissions were accepted, what becomes of each, and what is remembered.
//! It knows no wire protocol; each protocol names its own operations and words its own answers.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fault::{Behaviour, Fault, UnknownMarker, without_markers};
use crate::journal::{Journal, OpenError};
use crate::options::Render;
use crate::render::Clip;
use crate::studio::{Studio, sha256};
use crate::webhooks::{Ended, Sender, Wanted};
use crate::{Options, StartError};

/// Videos are kept as long as the real provider keeps them.
const KEPT_FOR: Duration = Duration::from_hours(48);

/// How long a file is being processed under [`Fault::Processing`].
const PROCESSING_TIME: Duration = Duration::from_secs(1);

/// How often an operation is looked at whose end somebody wants to be told of: by how near it is.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How long a client shall wait after a 429.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A request for a video that its protocol has found valid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Submission {
    /// The name that its protocol gives the operation; see [`new_id`].
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) prompt: String,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) seconds: u16,
    /// How many pictures came along.
    #[serde(default)]
    pub(crate) images: usize,
    /// How the video is handed out.
    #[serde(default)]
    pub(crate) delivery: Delivery,
    /// Whom to tell when it has ended.
    #[serde(default)]
    pub(crate) webhook: Option<Wanted>,
}

/// How a finished video is handed out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Delivery {
    /// By a link to a file.
    #[default]
    Link,
    /// Inside of the answer.
    Inline,
    /// In this folder of the storage.
    Storage(String),
}

/// Why a submission is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    UnknownMarker(#[from] UnknownMarker),
    #[error("too many requests")]
    RateLimited,
    #[error("a server error was asked for")]
    ServerError,
    #[error("the submission cannot be recorded: {0}")]
    Unrecorded(#[from] io::Error),
    #[error("the simulator is stopping")]
    Stopping,
}

/// How an operation stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Running,
    /// The video can be downloaded under this id.
    Succeeded {
        file: String,
        delivery: Delivery,
    },
    Filtered,
    /// There is no video, and no reason for that.
    Empty,
    /// A filter took it for its sound, and says that the same prompt may pass.
    Unheard,
    Failed,
    Cancelled,
}

/// One line of the ledger.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerLine {
    operation: String,
    model: String,
    prompt_sha256: String,
    at: String,
    /// `running`, `succeeded`, `filtered`, `empty`, `failed` or `cancelled`.
    state: &'static str,
    /// How many pictures came along.
    images: usize,
    /// How often somebody has asked how it stands, since the simulator was started.
    polls: usize,
    /// Whether the webhook that was asked for was taken.
    told: bool,
}

/// A finished video, as somebody may download it.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) clip: Clip,
    pub(crate) finished_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    faults: Vec<Fault>,
}

impl Download {
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether the file is finished, but not ready to be fetched.
    pub(crate) fn is_processing(&self) -> bool {
        let ready_at = self.finished_at.saturating_add(PROCESSING_TIME).unwrap_or(Timestamp::MAX);
        self.has(Fault::Processing) && Timestamp::now() < ready_at
    }
}

/// What the journal says of an accepted submission; nothing in it ever changes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    #[serde(flatten)]
    submission: Submission,
    /// The id of the video to be.
    file: String,
    faults: Vec<Fault>,
    at: Timestamp,
    /// When the operation may end at the earliest. Wall-clock time, so that it goes on over a restart.
    due_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Entry {
    Accepted(Box<Accepted>),
    /// The video of this operation was finished.
    Rendered(String),
    /// This operation was cancelled before it ended.
    Cancelled(String),
    /// The webhook of this operation was taken.
    Told(String),
    /// A fault that strikes a prompt once has struck.
    Struck(Struck),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Struck {
    fault: Fault,
    prompt_sha256: String,
}

#[derive(Debug)]
struct Operation {
    accepted: Accepted,
    prompt_sha256: String,
    /// Somebody is at it; cleared if that fails.
    rendering: AtomicBool,
    rendered: AtomicBool,
    cancelled: AtomicBool,
    told: AtomicBool,
    polls: AtomicUsize,
}

#[derive(Debug, Default)]
struct Book {
    /// In the order of acceptance.
    operations: Vec<Arc<Operation>>,
    by_name: HashMap<String, Arc<Operation>>,
    by_file: HashMap<String, Arc<Operation>>,
    struck: HashSet<Struck>,
}

impl Book {
    fn enter(&mut self, accepted: Accepted) -> Arc<Operation> {
        let prompt_sha256 = sha256(&accepted.submission.prompt);
        let operation = Arc::new(Operation {
            accepted,
            prompt_sha256,
            rendering: AtomicBool::new(false),
            rendered: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            told: AtomicBool::new(false),
            polls: AtomicUsize::new(0),
        });
        let Accepted { submission, file, .. } = &operation.accepted;
        self.by_name.insert(submission.name.clone(), Arc::clone(&operation));
        self.by_file.insert(file.clone(), Arc::clone(&operation));
        self.operations.push(Arc::clone(&operation));
        operation
    }
}

/// All operations of this simulator.
#[derive(Debug)]
pub(crate) struct Operations {
    book: RwLock<Book>,
    journal: Journal,
    studio: Studio,
    render: Render,
    faults: Vec<Fault>,
    latency: Duration,
    webhooks: Sender,
    /// Where work goes on that must not end with the request that began it.
    home: Handle,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Operations {
    /// Takes up what the data directory remembers, and goes on with what was being rendered. Blocks on
    /// files; must be called within a tokio runtime.
    pub(crate) fn open(
        options: &Options,
        directory: &Path,
        stopping: CancellationToken,
    ) -> Result<Arc<Self>, StartError> {
        let unusable = |source: io::Error| StartError::DataDirectory { path: directory.to_owned(), source };
        let clips = directory.join("clips");
        std::fs::create_dir_all(&clips).map_err(unusable)?;
        let (journal, entries) =
            Journal::open(&directory.join("journal.jsonl")).map_err(|error| match error {
                OpenError::Io(source) => unusable(source),
                other => unusable(io::Error::other(other)),
            })?;
        let mut book = Book::default();
        for entry in entries {
            match entry {
                Entry::Accepted(accepted) => drop(book.enter(*accepted)),
                Entry::Rendered(name) => {
                    if let Some(operation) = book.by_name.get(&name) {
                        operation.rendered.store(true, Ordering::Relaxed);
                    }
                }
                Entry::Cancelled(name) => {
                    if let Some(operation) = book.by_name.get(&name) {
                        operation.cancelled.store(true, Ordering::Relaxed);
                    }
                }
                Entry::Told(name) => {
                    if let Some(operation) = book.by_name.get(&name) {
                        operation.told.store(true, Ordering::Relaxed);
                    }
                }
                Entry::Struck(struck) => drop(book.struck.insert(struck)),
            }
        }
        let at_once = options.render_threads.or_else(|| std::thread::available_parallelism().ok());
        let this = Arc::new(Self {
            studio: Studio::new(clips, at_once.map_or(1, Into::into), stopping.clone()),
            book: RwLock::new(book),
            journal,
            render: options.render,
            faults: options.faults.clone(),
            latency: options.latency,
            webhooks: Sender::open(directory, options.webhook_secret.clone()).map_err(unusable)?,
            home: Handle::current(),
            tasks: TaskTracker::new(),
            stopping,
        });
        let (now, operations) = (Timestamp::now(), this.book().operations.clone());
        let alive = operations.iter().filter(|operation| now < operation.expires_at());
        this.studio.keep_only(alive.map(|operation| this.clip(operation))).map_err(unusable)?;
        for operation in operations {
            this.start_telling(&operation);
            this.start_rendering(operation);
        }
        Ok(this)
    }

    /// Accepts a submission: once this has returned, the ledger has it, whatever happens. Gives the name that the
    /// client is told; none with [`Fault::Nameless`]. With [`Fault::Hang`] and [`Fault::Lost`] it returns only when
    /// the simulator stops.
    pub(crate) async fn submit(self: &Arc<Self>, submission: Submission) -> Result<Option<String>, Refusal> {
        let mut behaviour = Behaviour::of(&submission.prompt, &self.faults, self.latency)?;
        let told = (!behaviour.has(Fault::Nameless)).then(|| submission.name.clone());
        if behaviour.has(Fault::Hang) {
            return Err(self.silence().await);
        }
        if behaviour.has(Fault::ServerError) {
            return Err(Refusal::ServerError);
        }
        if self.strikes(&behaviour, Fault::RateLimited, &submission.prompt).await? {
            return Err(Refusal::RateLimited);
        }
        let lost = self.strikes(&behaviour, Fault::Lost, &submission.prompt).await?;
        if !self.strikes(&behaviour, Fault::Audio, &submission.prompt).await? {
            behaviour.faults.retain(|fault| *fault != Fault::Audio);
        }
        // A client that goes away takes its request's future with it, so what must happen whole happens elsewhere.
        let this = Arc::clone(self);
        let accept = async move { this.accept(submission, behaviour).await };
        self.tasks.spawn_on(accept, &self.home).await.map_err(io::Error::other)??;
        if lost { Err(self.silence().await) } else { Ok(told) }
    }

    async fn accept(self: &Arc<Self>, submission: Submission, behaviour: Behaviour) -> io::Result<()> {
        let at = Timestamp::now();
        let due_at = at.checked_add(behaviour.latency).map_err(io::Error::other)?;
        let accepted = Accepted { submission, file: new_id(), faults: behaviour.faults, at, due_at };
        let entry = Entry::Accepted(Box::new(accepted));
        self.journal.append(&entry).await?;
        if let Entry::Accepted(accepted) = entry {
            let operation = self.book_mut().enter(*accepted);
            let Submission { name, model, .. } = &operation.accepted.submission;
            tracing::info!(operation = name, model, "Submission accepted");
            self.start_telling(&operation);
            self.start_rendering(operation);
        }
        Ok(())
    }

    /// Somebody asks how the operation of this name stands.
    pub(crate) fn asked_after(&self, name: &str) {
        if let Some(operation) = self.book().by_name.get(name) {
            operation.polls.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The keys that webhooks are signed with.
    pub(crate) fn key_set(&self) -> serde_json::Value {
        self.webhooks.key_set()
    }

    /// How the operation of this name stands.
    pub(crate) fn outcome(self: &Arc<Self>, name: &str) -> Option<Outcome> {
        let operation = Arc::clone(self.book().by_name.get(name)?);
        let outcome = operation.outcome(Timestamp::now());
        if outcome == Outcome::Running {
            // Should rendering have failed (a full disk, say), the next poll tries it again.
            self.start_rendering(operation);
        }
        Some(outcome)
    }

    /// Gives up an operation that has not ended; `None` if there is none of this name.
    pub(crate) async fn cancel(self: &Arc<Self>, name: &str) -> io::Result<Option<()>> {
        let Some(operation) = self.book().by_name.get(name).map(Arc::clone) else { return Ok(None) };
        if operation.outcome(Timestamp::now()) == Outcome::Running {
            self.journal.append(&Entry::Cancelled(name.to_owned())).await?;
            operation.cancelled.store(true, Ordering::Relaxed);
            tracing::info!(operation = name, "Operation cancelled");
        }
        Ok(Some(()))
    }

    /// The finished video of this id, unless it has expired.
    pub(crate) fn download(&self, file: &str) -> Option<Download> {
        let now = Timestamp::now();
        let operation = Arc::clone(self.book().by_file.get(file)?);
        let finished = matches!(operation.outcome(now), Outcome::Succeeded { .. });
        (finished && now < operation.expires_at()).then(|| Download {
            clip: self.clip(&operation),
            finished_at: operation.accepted.due_at,
            expires_at: operation.expires_at(),
            faults: operation.accepted.faults.clone(),
        })
    }

    /// Where the videos are.
    pub(crate) fn studio(&self) -> &Studio {
        &self.studio
    }

    /// Every accepted submission, the oldest first.
    pub(crate) fn ledger(&self) -> Vec<LedgerLine> {
        let now = Timestamp::now();
        self.book().operations.iter().map(|operation| operation.ledger_line(now)).collect()
    }

    /// Waits until nothing runs in the background any more; after `stopping` was cancelled that is soon.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The client gets no answer; only the end of the simulator ends the wait.
    async fn silence(&self) -> Refusal {
        self.stopping.cancelled().await;
        Refusal::Stopping
    }

    /// Whether a fault that strikes each prompt once is asked for and strikes now.
    async fn strikes(&self, behaviour: &Behaviour, fault: Fault, prompt: &str) -> io::Result<bool> {
        if !behaviour.has(fault) {
            return Ok(false);
        }
        let struck = Struck { fault, prompt_sha256: sha256(prompt) };
        if !self.book_mut().struck.insert(struck.clone()) {
            return Ok(false);
        }
        self.journal.append(&Entry::Struck(struck)).await?;
        Ok(true)
    }

    fn start_rendering(self: &Arc<Self>, operation: Arc<Operation>) {
        let needed = !operation.rendered.load(Ordering::Relaxed) && operation.shall_have_video();
        if !needed || operation.rendering.swap(true, Ordering::Relaxed) {
            return;
        }
        let this = Arc::clone(self);
        let work = async move {
            let name = &operation.accepted.submission.name;
            if let Err(error) = this.studio.make(&this.clip(&operation)).await {
                if !this.stopping.is_cancelled() {
                    tracing::error!(operation = name, %error, "The video cannot be rendered");
                }
                operation.rendering.store(false, Ordering::Relaxed);
                return;
            }
            operation.rendered.store(true, Ordering::Relaxed);
            // If this line is lost, the next start looks for the video itself.
            if let Err(error) = this.journal.append(&Entry::Rendered(name.clone())).await {
                tracing::warn!(operation = name, %error, "That a video is finished was not recorded");
            }
        };
        self.tasks.spawn_on(work, &self.home);
    }

    /// Sees to it that whoever wants to be told of an operation's end is.
    fn start_telling(self: &Arc<Self>, operation: &Arc<Operation>) {
        let Accepted { submission, faults, .. } = &operation.accepted;
        let is_told = operation.told.load(Ordering::Relaxed) || Timestamp::now() >= operation.expires_at();
        let Some(wanted) = submission.webhook.clone() else { return };
        if is_told || faults.contains(&Fault::Silent) {
            return;
        }
        let (this, operation) = (Arc::clone(self), Arc::clone(operation));
        let stopping = self.stopping.clone();
        let work = async move {
            // What is not taken by then is begun anew by the next start.
            if stopping.run_until_cancelled(this.tell(&operation, &wanted)).await.is_none() {
                return;
            }
            operation.told.store(true, Ordering::Relaxed);
            let name = &operation.accepted.submission.name;
            // If this line is lost, the next start tells it again, as may happen with any webhook.
            if let Err(error) = this.journal.append(&Entry::Told(name.clone())).await {
                tracing::warn!(operation = name, %error, "That a webhook was taken was not recorded");
            }
        };
        self.tasks.spawn_on(work, &self.home);
    }

    /// Waits for the operation's end, and tells it until it is taken.
    async fn tell(&self, operation: &Operation, wanted: &Wanted) {
        let ended = loop {
            let now = Timestamp::now();
            let ended = match operation.outcome(now) {
                Outcome::Running => None,
                Outcome::Succeeded { file, .. } => Some(Ended::Succeeded { file }),
                Outcome::Filtered | Outcome::Empty => Some(Ended::Empty),
                Outcome::Unheard | Outcome::Failed => Some(Ended::Failed),
                Outcome::Cancelled => Some(Ended::Cancelled),
            };
            if let Some(ended) = ended {
                break ended;
            }
            let left = Duration::try_from(operation.accepted.due_at.duration_since(now)).unwrap_or_default();
            let is_endless = operation.accepted.faults.contains(&Fault::Never);
            let soon = if is_endless { LOOK_EVERY.1 } else { LOOK_EVERY.0 };
            tokio::time::sleep(left.clamp(soon, LOOK_EVERY.1)).await;
        };
        let (id, name) = (format!("evt_{}", new_id()), &operation.accepted.submission.name);
        let body = wanted.body(name, &ended, Timestamp::now()).to_string();
        let times = if operation.accepted.faults.contains(&Fault::Echo) { 3 } else { 1 };
        for _ in 0..times {
            let sending = wanted.uris.iter().map(|uri| self.webhooks.send(&id, uri, &body));
            futures_util::future::join_all(sending).await;
        }
    }

    fn clip(&self, operation: &Operation) -> Clip {
        let Submission { prompt, width, height, seconds, .. } = &operation.accepted.submission;
        let words = match self.render {
            Render::Full => without_markers(prompt),
            Render::Cached => "a ready video for every prompt".to_owned(),
        };
        Clip { words, width: *width, height: *height, seconds: *seconds }
    }

    // A panic elsewhere leaves the book whole: every change to it is one insertion after another.
    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn book_mut(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation {
    fn outcome(&self, now: Timestamp) -> Outcome {
        let faults = &self.accepted.faults;
        if self.cancelled.load(Ordering::Relaxed) {
            Outcome::Cancelled
        } else if now < self.accepted.due_at || faults.contains(&Fault::Never) {
            Outcome::Running
        } else if faults.contains(&Fault::Fail) {
            Outcome::Failed
        } else if faults.contains(&Fault::Filtered) {
            Outcome::Filtered
        } else if faults.contains(&Fault::Empty) {
            Outcome::Empty
        } else if faults.contains(&Fault::Audio) {
            Outcome::Unheard
        } else if self.rendered.load(Ordering::Relaxed) {
            let delivery = self.accepted.submission.delivery.clone();
            Outcome::Succeeded { file: self.accepted.file.clone(), delivery }
        } else {
            Outcome::Running
        }
    }

    fn shall_have_video(&self) -> bool {
        let without = [Fault::Never, Fault::Fail, Fault::Filtered, Fault::Empty, Fault::Audio];
        !without.iter().any(|fault| self.accepted.faults.contains(fault))
    }

    fn expires_at(&self) -> Timestamp {
        self.accepted.due_at.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
    }

    fn ledger_line(&self, now: Timestamp) -> LedgerLine {
        let Accepted { submission, at, .. } = &self.accepted;
        LedgerLine {
            operation: submission.name.clone(),
            model: submission.model.clone(),
            prompt_sha256: self.prompt_sha256.clone(),
            at: rfc3339(*at),
            state: match self.outcome(now) {
                Outcome::Running => "running",
                Outcome::Succeeded { .. } => "succeeded",
                Outcome::Filtered | Outcome::Unheard => "filtered",
                Outcome::Empty => "empty",
                Outcome::Failed => "failed",
                Outcome::Cancelled => "cancelled",
            },
            images: submission.images,
            polls: self.polls.load(Ordering::Relaxed),
            told: self.told.load(Ordering::Relaxed),
        }
    }
}

/// A time in UTC with milliseconds, as all of Reelay writes it.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A new random id of twelve lower-case letters and digits, as the provider's own are.
pub(crate) fn new_id() -> String {
    const SIGNS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..12).map(|_| char::from(SIGNS[rand::random_range(0..SIGNS.len())])).collect()
}
