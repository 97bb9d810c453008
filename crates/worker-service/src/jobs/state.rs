//! The lifecycle of a job as a pure function: what a command of the API or a report of a runner makes of it.
//! No I/O, no clock, no randomness: whoever calls brings the time and commits the [`Change`].
//!
//! ```text
//! pending ─ pending_confirmation ─ confirmed ─claim→ active ─→ completed | failed
//!                                      ↑───── retry ────┘        any but these ─cancel→ cancelled
//! ```

use std::time::Duration;

use contract::{
    ErrorCode, JobId, JobStatus, Stage, Timestamp, WorkerId,
    events::EventType,
    worker_api::{Command, DesiredState, JobError, JobResult, JobSnapshot},
};

use crate::store::{AttemptState, Job, Json, Life, Wanted};

/// A job that loses its lease this often without coming further is given up as poison (I14).
pub const LOST_LEASES: i32 = 3;

/// The numbers that the rules need.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How many attempts may be made again.
    pub max_retries: i32,
    /// How long the first, second, … retry waits; the last one stands for all that follow.
    pub retry_delays: Vec<Duration>,
    /// How long a job may take from its first start: nobody waits beyond it for another try.
    pub deadline: Duration,
}

/// What happens to a job besides a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A worker claims it: from the queue, or from a worker whose lease has run out or was handed back.
    Claimed(WorkerId),
    /// Its worker hands it back, to be claimed by whoever comes first.
    Released,
    /// The work comes on.
    Progressed {
        /// What is being done.
        stage: Stage,
        /// 0–99.
        progress: i32,
        /// Seconds until it is probably done.
        eta_seconds: Option<i64>,
    },
    /// A submission to the provider is about to be made.
    AttemptBegun {
        /// Whether it repeats one whose fate is unknown.
        resubmission: bool,
    },
    /// The provider took the submission and calls it so.
    OperationAccepted(String),
    /// Something went wrong.
    AttemptFailed {
        /// What this means for the attempt; `None` leaves it as it is, so that a retry goes on with it.
        ended: Option<AttemptState>,
        /// What the user is told if this is the end.
        error: JobError,
        /// Whether to try again.
        retry: Retry,
    },
    /// The attempt may have been charged and nothing will come of it, so there is no other: the job has failed, and
    /// this is what the user is told.
    AttemptLost(JobError),
    /// The video is stored.
    Completed(JobResult),
    /// The time for the whole job is over.
    DeadlinePassed,
}

/// Whether a failed attempt is followed by another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It would not help.
    Never,
    /// After the schedule's delay, as long as retries are left.
    OnSchedule,
    /// Likewise, but not sooner than the provider asks for.
    NotBefore(Duration),
    /// As on schedule, by a budget of its own, as great and with the schedule anew. For what was accepted, see
    /// [`go_on`](crate::workflow::step::go_on).
    OnOwnSchedule {
        /// How many of the retries so far, at most, were spent on something else.
        spent: i32,
    },
    /// After this time, and not counted as a retry: the grace window of an unknown submission (I16).
    Uncounted(Duration),
}

/// What to write: one transaction, or nothing of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The job's new state.
    pub life: Life,
    /// What becomes of its times.
    pub timing: Timing,
    /// What the API is told; its sequence is counted in `life` already.
    pub event: Option<EventType>,
    /// What becomes of the attempt.
    pub attempt: Option<AttemptChange>,
    /// What becomes of its objects.
    pub objects: Objects,
}

/// The columns that follow the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// They stay as they are.
    Keep,
    /// Its worker gets a new lease.
    Lease,
    /// The lease ends now, so that any worker may claim it.
    Expire,
    /// There is no lease, and nothing to wait for.
    Clear,
    /// There is no lease, and it is not to be claimed before so much time has passed.
    Wait(Duration),
}

/// What to write of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptChange {
    /// It is new.
    Begun {
        /// Its number.
        number: i32,
        /// Whether it repeats one whose fate is unknown.
        resubmission: bool,
    },
    /// It has a name at the provider.
    Accepted {
        /// Its number.
        number: i32,
        /// The name.
        operation: String,
    },
    /// It is over, or nobody knows.
    Ended {
        /// Its number.
        number: i32,
        /// How.
        state: AttemptState,
        /// Why, if it came to nothing.
        error: Option<JobError>,
    },
}

/// What to write of a job's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objects {
    /// They stay as they are.
    Keep,
    /// Only these are needed from now on.
    Only(Vec<String>),
    /// None is needed.
    None,
}

/// What a command makes of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The job as it was, or as it would be without this command's state if it is new.
    pub job: Job,
    /// Whether it is new.
    pub created: bool,
    /// What the API wants now.
    pub wanted: Wanted,
    /// What it becomes.
    pub change: Change,
}

/// Takes a command, if it is newer than what the job has; `None` leaves everything as it is.
///
/// The newest revision alone decides, so the order of arrival does not matter (I6). A job that has begun
/// keeps what it is making; from then on only a cancel is heard.
#[must_use]
pub fn take(job: Option<&Job>, command: &Command, rules: &Rules, now: Timestamp) -> Option<Taken> {
    if job.is_some_and(|job| command.revision <= job.wanted.revision) {
        return None;
    }
    let created = job.is_none();
    let job = job.cloned().unwrap_or_else(|| new_job(command, rules, now));
    let begun = job.life.started_at.is_some() || job.life.status.is_terminal();
    let wanted =
        if begun { Wanted { revision: command.revision, ..job.wanted.clone() } } else { wanted(command) };
    let change = match command.state {
        DesiredState::Cancelled => cancel(&job, now),
        _ if begun => unchanged(&job),
        DesiredState::Pending => move_to(&job, JobStatus::Pending, now),
        DesiredState::PendingConfirmation => move_to(&job, JobStatus::PendingConfirmation, now),
        DesiredState::Confirmed => move_to(&job, JobStatus::Confirmed, now),
    };
    Some(Taken { job, created, wanted, change })
}

fn new_job(command: &Command, rules: &Rules, now: Timestamp) -> Job {
    Job {
        id: JobId::new(),
        generation_id: command.generation_id.clone(),
        user_id: command.user_id.clone(),
        conversation_id: command.conversation_id.clone(),
        max_retries: rules.max_retries,
        created_at: now,
        wanted: wanted(command),
        life: Life {
            status: JobStatus::Pending,
            stage: None,
            progress: 0,
            eta_seconds: None,
            sequence: 0,
            attempt: 0,
            retry_count: 0,
            lease_owner: None,
            lease_epoch: 0,
            lost_leases: 0,
            result: None,
            error: None,
            discarded: false,
            queued_at: None,
            updated_at: now,
            started_at: None,
            completed_at: None,
        },
        run_after: None,
        lease_until: None,
    }
}

fn wanted(command: &Command) -> Wanted {
    Wanted {
        revision: command.revision,
        provider: command.provider.clone(),
        model: command.model.clone(),
        prompt: command.prompt.clone(),
        parameters: Json::new(command.parameters.clone()),
        priority: command.priority,
        traceparent: command.traceparent.clone(),
    }
}

/// A change of nothing.
fn unchanged(job: &Job) -> Change {
    Change {
        life: job.life.clone(),
        timing: Timing::Keep,
        event: None,
        attempt: None,
        objects: Objects::Keep,
    }
}

/// Moves a job that has not begun to where the API wants it.
fn move_to(job: &Job, status: JobStatus, now: Timestamp) -> Change {
    let mut change = unchanged(job);
    if status != job.life.status {
        change.life.status = status;
        change.life.updated_at = now;
        change.life.queued_at = (status == JobStatus::Confirmed).then_some(now);
    }
    change
}

fn cancel(job: &Job, now: Timestamp) -> Change {
    let mut change = unchanged(job);
    match job.life.status {
        JobStatus::Completed if !job.life.discarded => {
            change.life.discarded = true;
            change.life.updated_at = now;
            change.objects = Objects::None;
        }
        status if status.is_terminal() => {}
        _ => {
            // Whoever runs it has lost it from here on.
            change.life.lease_epoch += 1;
            change.end(JobStatus::Cancelled, EventType::Cancelled, now);
        }
    }
    change
}

/// What an input other than a command makes of a job; `None` if it changes nothing.
///
/// A report on a job that is not active is [`Refused`]: its runner has lost it.
pub fn decide(job: &Job, input: Input, rules: &Rules, now: Timestamp) -> Result<Option<Change>, Refused> {
    if let Input::Claimed(worker) = input {
        return claim(job, worker, now).map(Some);
    }
    if job.life.status != JobStatus::Active {
        return Err(Refused(job.life.status));
    }
    let mut change = unchanged(job);
    change.life.updated_at = now;
    let life = &mut change.life;
    match input {
        Input::Claimed(_) => {}
        Input::Released => {
            // Who was cut off may still have a write under way: it comes too late from here on.
            life.lease_epoch += 1;
            life.lease_owner = None;
            change.timing = Timing::Expire;
        }
        Input::Progressed { stage, progress, eta_seconds } => {
            let progress = progress.clamp(life.progress, 99.max(life.progress));
            if (Some(stage), progress, eta_seconds) == (life.stage, life.progress, life.eta_seconds) {
                return Ok(None);
            }
            if progress > life.progress {
                life.lost_leases = 0;
            }
            (life.stage, life.progress, life.eta_seconds) = (Some(stage), progress, eta_seconds);
            change.tell(EventType::Progress);
        }
        Input::AttemptBegun { resubmission } => {
            life.attempt += 1;
            life.lost_leases = 0;
            (life.stage, life.progress, life.eta_seconds) = (Some(Stage::Submitting), 0, None);
            change.attempt = Some(AttemptChange::Begun { number: life.attempt, resubmission });
            // The first one is what `generation.started` has just told.
            if life.attempt > 1 {
                change.tell(EventType::Progress);
            }
        }
        Input::OperationAccepted(operation) => {
            life.lost_leases = 0;
            life.stage = Some(Stage::Generating);
            change.attempt = Some(AttemptChange::Accepted { number: life.attempt, operation });
            change.tell(EventType::Progress);
        }
        Input::AttemptFailed { ended, error, retry } => {
            change.attempt = ended.map(|state| {
                let error = Some(error.clone());
                AttemptChange::Ended { number: job.life.attempt, state, error }
            });
            let retries = (job.life.retry_count, job.max_retries);
            match delay(retries, retry, rules).filter(|delay| ends_before_deadline(job, *delay, rules, now)) {
                Some(delay) => change.wait(delay, error, !matches!(retry, Retry::Uncounted(_))),
                None => change.fail(error, now),
            }
        }
        Input::AttemptLost(error) => {
            change.attempt = Some(AttemptChange::Ended {
                number: life.attempt,
                state: AttemptState::Lost,
                error: Some(error.clone()),
            });
            change.fail(error, now);
        }
        Input::Completed(result) => {
            let processing = life.started_at.map_or(Duration::ZERO, |started| now.since(started));
            let result = JobResult { processing_time: processing.as_secs_f64(), ..result };
            let keys = [&result.video_key, &result.thumbnail_key].into_iter();
            let keys = keys.chain(result.posters.iter().map(|poster| &poster.key));
            change.objects = Objects::Only(keys.cloned().collect());
            change.attempt = Some(AttemptChange::Ended {
                number: life.attempt,
                state: AttemptState::Finished,
                error: None,
            });
            life.progress = 100;
            life.error = None;
            life.result = Some(Json::new(result));
            change.finish(JobStatus::Completed, EventType::Completed, now);
        }
        Input::DeadlinePassed => {
            // Whoever was cut off may still have a write under way.
            life.lease_epoch += 1;
            change.fail(timed_out(), now);
        }
    }
    Ok(Some(change))
}

/// The report comes from a runner that has lost the job: it is no longer active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job is {0}, not active")]
pub struct Refused(pub JobStatus);

fn claim(job: &Job, worker: WorkerId, now: Timestamp) -> Result<Change, Refused> {
    let mut change = unchanged(job);
    let life = &mut change.life;
    match life.status {
        JobStatus::Confirmed => {
            life.status = JobStatus::Active;
            if life.started_at.is_none() {
                life.started_at = Some(now);
                life.stage = Some(Stage::Submitting);
                change.tell(EventType::Started);
            }
        }
        JobStatus::Active => {
            // Without an owner it was handed back in order; with one, the owner fell silent.
            if life.lease_owner.is_some() {
                life.lost_leases += 1;
            }
            // Waiting for the provider is no step of ours that could bring a worker down.
            if life.lost_leases >= LOST_LEASES && life.stage != Some(Stage::Generating) {
                life.lease_epoch += 1;
                change.fail(poison(), now);
                return Ok(change);
            }
        }
        status => return Err(Refused(status)),
    }
    let life = &mut change.life;
    life.lease_epoch += 1;
    life.lease_owner = Some(worker);
    life.updated_at = now;
    change.timing = Timing::Lease;
    Ok(change)
}

/// How long to wait before the next try, if there is to be one, after so many retries, of which there may be so many.
fn delay((made, most): (i32, i32), retry: Retry, rules: &Rules) -> Option<Duration> {
    let scheduled = |spent: i32| {
        let made = made.saturating_sub(spent).max(0);
        let delays = &rules.retry_delays;
        let delay = usize::try_from(made).ok().and_then(|made| delays.get(made)).or(delays.last());
        (made < most).then(|| delay.copied().unwrap_or_default())
    };
    match retry {
        Retry::Never => None,
        Retry::OnSchedule => scheduled(0),
        Retry::OnOwnSchedule { spent } => scheduled(spent),
        Retry::NotBefore(wait) => scheduled(0).map(|delay| delay.max(wait)),
        Retry::Uncounted(wait) => Some(wait),
    }
}

/// Whether a pause ends while there is time left for the job.
fn ends_before_deadline(job: &Job, pause: Duration, rules: &Rules, now: Timestamp) -> bool {
    job.life.started_at.is_none_or(|started| now.since(started).saturating_add(pause) < rules.deadline)
}

/// Whether a job whose lease has run out may be what brought its workers down: it was lost before, and has not come
/// further since. Waiting for the provider is no step of ours that could do that.
#[must_use]
pub fn is_suspect(job: &Job) -> bool {
    let life = &job.life;
    life.status == JobStatus::Active
        && life.lease_owner.is_some()
        && life.lost_leases > 0
        && life.stage != Some(Stage::Generating)
}

impl Change {
    fn tell(&mut self, event: EventType) {
        self.life.sequence += 1;
        self.event = Some(event);
    }

    /// Back to the queue, to be claimed again after the delay.
    fn wait(&mut self, delay: Duration, error: JobError, counted: bool) {
        let life = &mut self.life;
        life.status = JobStatus::Confirmed;
        life.stage = Some(Stage::Retrying);
        life.eta_seconds = None;
        life.lease_owner = None;
        life.lost_leases = 0;
        life.retry_count += i32::from(counted);
        life.error = Some(Json::new(error));
        self.timing = Timing::Wait(delay);
        self.tell(EventType::Progress);
    }

    fn fail(&mut self, error: JobError, now: Timestamp) {
        self.life.error = Some(Json::new(error));
        self.end(JobStatus::Failed, EventType::Failed, now);
    }

    /// The end without a video.
    fn end(&mut self, status: JobStatus, event: EventType, now: Timestamp) {
        self.objects = Objects::None;
        self.finish(status, event, now);
    }

    fn finish(&mut self, status: JobStatus, event: EventType, now: Timestamp) {
        let life = &mut self.life;
        life.status = status;
        life.stage = None;
        life.eta_seconds = None;
        life.lease_owner = None;
        life.updated_at = now;
        life.completed_at = Some(now);
        self.timing = Timing::Clear;
        self.tell(event);
    }
}

fn poison() -> JobError {
    JobError::new(ErrorCode::Poison, "The video could not be processed, even after several tries.", false)
}

fn timed_out() -> JobError {
    JobError::new(ErrorCode::Timeout, "The video took too long to make.", true)
}

/// The job as the API is told of it; whether it is billable, once it has ended, [`attempts::is_billable`] says.
///
/// [`attempts::is_billable`]: super::attempts::is_billable
#[must_use]
pub fn snapshot(job: &Job, queue_position: Option<i64>, billable: bool) -> JobSnapshot {
    let life = &job.life;
    JobSnapshot {
        generation_id: job.generation_id.clone(),
        job_id: job.id.clone(),
        status: life.status,
        sequence: life.sequence,
        attempt: life.attempt,
        stage: life.stage,
        progress: life.progress,
        eta_seconds: life.eta_seconds,
        queue_position,
        provider: job.wanted.provider.clone(),
        model: job.wanted.model.clone(),
        // What was accepted has retries of its own: nobody is told of more than there may be.
        retry_count: life.retry_count.min(job.max_retries),
        max_retries: job.max_retries,
        created_at: job.created_at,
        updated_at: life.updated_at,
        started_at: life.started_at,
        completed_at: life.completed_at,
        result: life.result.clone().map(Json::into_inner),
        // While it waits for a retry, why the last attempt failed is nobody's business yet.
        error: life.error.clone().map(Json::into_inner).filter(|_| life.status == JobStatus::Failed),
        billable: billable && life.status.is_terminal(),
    }
}

/// Whether the job stands in the queue for its first run, where it has a position.
#[must_use]
pub fn is_waiting(job: &Job) -> bool {
    job.life.status == JobStatus::Confirmed && job.life.stage.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_of_its_own_begins_anew_and_is_as_great() {
        let seconds = Duration::from_secs;
        let retry_delays = vec![seconds(5), seconds(30)];
        let rules = Rules { max_retries: 3, retry_delays, deadline: Duration::from_mins(30) };
        let own = |spent| Retry::OnOwnSchedule { spent };
        for (made, retry, expected) in [
            (0, Retry::OnSchedule, Some(5)),
            (2, Retry::OnSchedule, Some(30)),
            (3, Retry::OnSchedule, None),
            (5, Retry::OnSchedule, None),
            (0, own(0), Some(5)),
            (3, own(0), None),
            (3, own(3), Some(5)),
            (4, own(3), Some(30)),
            (5, own(3), Some(30)),
            (6, own(3), None),
            (2, own(1), Some(30)),
            (4, own(1), None),
            // Not all that is said to be spent need have been.
            (1, own(3), Some(5)),
            (0, Retry::NotBefore(seconds(60)), Some(60)),
            (0, Retry::NotBefore(seconds(1)), Some(5)),
            (3, Retry::NotBefore(seconds(1)), None),
            (9, Retry::Uncounted(seconds(7)), Some(7)),
            (0, Retry::Never, None),
        ] {
            assert_eq!(delay((made, 3), retry, &rules), expected.map(seconds), "{made} {retry:?}");
        }
    }
}
