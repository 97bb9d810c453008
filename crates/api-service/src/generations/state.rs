//! The lifecycle of a generation, pure: a state and what happens to it give a change, or say why there is
//! none. Nothing else decides what a generation becomes; the store writes it down in the transaction that decided.
//!
//! ```text
//! pending_clarification → pending_confirmation → confirmed → queued → processing → completed | failed | cancelled
//! ```
//!
//! It holds I2 (a terminal state never changes), I3 (exactly one message of the assistant with the terminal
//! state), I4 (a snapshot counts only if it is newer; of an equal one the place in the queue) and I5 (progress never falls within an attempt).

use contract::{
    ErrorCode, GenerationStatus as Status, JobId, JobStatus, Money, Stage, Timestamp,
    worker_api::{Command, CommandAnswer, DesiredState, JobError, JobSnapshot},
};
use serde_json::{Map, Value};

use super::{
    clarification::{self, Settled},
    generation::{Generation, PosterLink},
    wording::Wording,
};
use crate::{
    conversations::message::MessageKind,
    intent::reply,
    usage::budget::{self, ChargeState},
};

/// Something that happens to a generation.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// It was just inserted. Without open questions it comes with its price and the final parameters.
    Created(Option<&'a Quote>),
    /// The user answered the questions; the answers were found good.
    Answered {
        /// The answers as they were given.
        responses: &'a Map<String, Value>,
        /// What they make of the request.
        quote: &'a Quote,
    },
    /// The user answered in the chat, and only some of the answers were found good.
    AnsweredInPart(&'a InPart),
    /// The user wants it otherwise before saying yes: the new plan and its price.
    Amended(&'a Quote),
    /// The user wants to have it asked for in other words before saying yes.
    Reworded(&'a Wording),
    /// The user said yes, perhaps naming the price, perhaps in other words.
    Confirmed(Option<&'a Money>, &'a Wording),
    /// The user called it off.
    Cancelled,
    /// Its conversation was deleted: it is called off, and what is stored goes.
    Discarded,
    /// Nobody confirmed it in time: it has waited since before this.
    Expired(Timestamp),
    /// The worker took a command and answered.
    CommandAccepted(&'a CommandAnswer),
    /// The worker will never take the command.
    CommandRefused,
    /// The worker told the job's state, by webhook or when it was asked.
    Snapshot(&'a JobSnapshot),
}

/// A request with nothing left to ask, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The final prompt and parameters.
    pub settled: Settled,
    /// What it costs.
    pub price: Money,
    /// What people call the model that makes it.
    pub model: String,
    /// What becomes of the enhanced prompt along with it.
    pub wording: Wording,
}

/// A request of which less is left to ask than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPart {
    /// How far it is settled, and what is left to ask.
    pub draft: clarification::Draft,
    /// What becomes of the enhanced prompt along with it.
    pub wording: Wording,
    /// What is said to the answers that were not good.
    pub says: String,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The generation changes.
    Change(Box<Change>),
    /// It stays as it is, and that is all right.
    Nothing(Unchanged),
}

/// Why an input leaves a generation as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// The action has taken effect before.
    AlreadyDone,
    /// The generation has ended (I2).
    Terminal,
    /// The snapshot is not newer than the last one that was applied (I4).
    Late,
    /// The snapshot is of a job that another has replaced.
    OtherJob,
    /// The worker speaks of a state that this generation has not reached or has left by itself.
    OutOfPlace,
}

impl Unchanged {
    /// The reason in a word, for the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyDone => "already_done",
            Self::Terminal => "terminal",
            Self::Late => "late",
            Self::OtherJob => "other_job",
            Self::OutOfPlace => "out_of_place",
        }
    }
}

/// A user's action that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not in this status.
    InvalidState(Status),
    /// The price that was agreed to is not the price.
    PriceChanged(Option<Money>),
}

/// How a generation changes: everything that one transaction has to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The generation before; its row must still have this status (the guard of the update).
    pub before: Generation,
    /// The generation afterwards.
    pub after: Generation,
    /// What the assistant says to it.
    pub says: Option<(MessageKind, String)>,
    /// What the worker has to be told; the new revision stands in `after`.
    pub command: Option<DesiredState>,
}

impl Change {
    /// Whether this is the user's yes, which sends it to be made.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        self.before.job.confirmed_at.is_none() && self.after.job.confirmed_at.is_some()
    }
}

/// Decides what an input makes of a generation.
pub fn decide(generation: &Generation, input: Input<'_>, now: Timestamp) -> Result<Decision, Rejection> {
    let status = generation.status;
    let invalid = Err(Rejection::InvalidState(status));
    match input {
        Input::Created(quote) => match (status, quote) {
            (Status::PendingClarification, None) => Ok(ask(generation)),
            (Status::PendingClarification, Some(quote)) => Ok(tell_price(generation, quote, None, now)),
            _ => invalid,
        },
        Input::Answered { responses, quote } => match status {
            Status::PendingClarification => Ok(tell_price(generation, quote, Some(responses), now)),
            _ if generation.clarification_responses.as_ref() == Some(responses) => {
                Ok(Decision::Nothing(Unchanged::AlreadyDone))
            }
            _ => invalid,
        },
        Input::AnsweredInPart(in_part) => match status {
            Status::PendingClarification => Ok(ask_the_rest(generation, in_part, now)),
            _ => invalid,
        },
        Input::Amended(quote) => match status {
            Status::PendingConfirmation => {
                Ok(tell_price(generation, quote, generation.clarification_responses.as_ref(), now))
            }
            _ => invalid,
        },
        Input::Reworded(wording) => match status {
            Status::PendingClarification | Status::PendingConfirmation => {
                Ok(reword(generation, wording, now))
            }
            _ => invalid,
        },
        Input::Confirmed(agreed, wording) => match status {
            Status::PendingConfirmation => confirm(generation, agreed, wording, now),
            // Whatever has become of it since: the yes had its effect.
            _ if generation.job.confirmed_at.is_some() => Ok(Decision::Nothing(Unchanged::AlreadyDone)),
            _ => invalid,
        },
        Input::Cancelled => match status {
            Status::Cancelled => Ok(Decision::Nothing(Unchanged::AlreadyDone)),
            Status::Completed | Status::Failed => invalid,
            _ => Ok(cancel(generation, now)),
        },
        Input::Discarded => match status {
            // The row stays; only the worker is told, which holds the objects.
            Status::Completed => Ok(Draft::of(generation).tell(DesiredState::Cancelled)),
            Status::Failed | Status::Cancelled => Ok(Decision::Nothing(Unchanged::Terminal)),
            _ => Ok(cancel(generation, now)),
        },
        Input::Expired(before) => match status {
            // Whoever looked may have looked before the user did something.
            Status::PendingClarification | Status::PendingConfirmation if generation.updated_at < before => {
                Ok(expire(generation, now))
            }
            _ => Ok(Decision::Nothing(Unchanged::OutOfPlace)),
        },
        Input::CommandAccepted(answer) => Ok(accepted(generation, answer, now)),
        Input::CommandRefused if status.is_terminal() => Ok(Decision::Nothing(Unchanged::Terminal)),
        Input::CommandRefused => {
            // Nobody knows yet what the worker has made of an earlier command.
            let draft = fail(Draft::of(generation), &internal(), None, now, now);
            // The worker may have a job from an earlier command, which must not go on.
            Ok(draft.tell(DesiredState::Cancelled))
        }
        Input::Snapshot(snapshot) => Ok(snapshot_applied(generation, snapshot, now)),
    }
}

/// The command that tells the worker where the user has taken a generation, with the revision that stands in it.
#[must_use]
pub fn command(generation: &Generation, state: DesiredState, traceparent: Option<String>) -> Command {
    Command {
        generation_id: generation.id.clone(),
        user_id: generation.user_id.clone(),
        conversation_id: generation.conversation_id.clone(),
        revision: generation.job.revision,
        state,
        provider: generation.provider.clone(),
        model: generation.model.clone(),
        prompt: generation.words().to_owned(),
        parameters: generation.parameters.clone(),
        priority: 0,
        traceparent,
    }
}

/// What the worker should have been told of a generation in this status, if it has to be told again.
#[must_use]
pub const fn desired(status: Status) -> DesiredState {
    match status {
        Status::PendingClarification => DesiredState::Pending,
        Status::PendingConfirmation => DesiredState::PendingConfirmation,
        Status::Confirmed | Status::Queued | Status::Processing | Status::Completed => {
            DesiredState::Confirmed
        }
        Status::Failed | Status::Cancelled => DesiredState::Cancelled,
    }
}

/// A change in the making.
struct Draft(Change);

impl Draft {
    fn of(generation: &Generation) -> Self {
        let (before, after) = (generation.clone(), generation.clone());
        Self(Change { before, after, says: None, command: None })
    }

    fn to(mut self, status: Status, now: Timestamp) -> Self {
        self.0.after.status = status;
        self.0.after.updated_at = now;
        self
    }

    fn says(mut self, kind: MessageKind, words: String) -> Self {
        self.0.says = Some((kind, words));
        self
    }

    fn tell(mut self, state: DesiredState) -> Decision {
        self.0.after.job.revision += 1;
        self.0.command = Some(state);
        self.done()
    }

    fn done(self) -> Decision {
        Decision::Change(Box::new(self.0))
    }
}

fn ask(generation: &Generation) -> Decision {
    let open = generation.clarification_questions.as_deref().unwrap_or_default();
    let words = reply::questions(generation.language, open, generation.id.as_str());
    Draft::of(generation).says(MessageKind::Clarification, words).tell(DesiredState::Pending)
}

/// What is settled by now goes on as if it had been said at first; the status stays, and the revision rises.
fn ask_the_rest(generation: &Generation, in_part: &InPart, now: Timestamp) -> Decision {
    let mut draft = Draft::of(generation).to(Status::PendingClarification, now);
    let after = &mut draft.0.after;
    after.prompt.clone_from(&in_part.draft.prompt);
    after.parameters = in_part.draft.parameters.clone();
    after.clarification_questions = Some(in_part.draft.questions.clone());
    in_part.wording.apply(after);
    draft.says(MessageKind::Clarification, in_part.says.clone()).tell(DesiredState::Pending)
}

fn tell_price(
    generation: &Generation,
    quote: &Quote,
    responses: Option<&Map<String, Value>>,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::of(generation).to(Status::PendingConfirmation, now);
    let after = &mut draft.0.after;
    after.prompt.clone_from(&quote.settled.prompt);
    after.parameters = quote.settled.parameters.clone();
    after.estimated_cost = Some(quote.price.clone());
    after.clarification_responses = responses.cloned();
    quote.wording.apply(after);
    let words = reply::confirmation(after, &quote.model);
    draft.says(MessageKind::Confirmation, words).tell(DesiredState::PendingConfirmation)
}

/// Other words are no other price, so nothing is said to them; but the revision rises, so that a yes in the chat is
/// for what was seen.
fn reword(generation: &Generation, wording: &Wording, now: Timestamp) -> Decision {
    let mut draft = Draft::of(generation);
    wording.apply(&mut draft.0.after);
    if draft.0.after.enhanced_prompt == generation.enhanced_prompt {
        return Decision::Nothing(Unchanged::AlreadyDone);
    }
    draft.to(generation.status, now).tell(desired(generation.status))
}

fn confirm(
    generation: &Generation,
    agreed: Option<&Money>,
    wording: &Wording,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    if let Some(agreed) = agreed
        && !generation.estimated_cost.as_ref().is_some_and(|told| same_amount(told, agreed))
    {
        return Err(Rejection::PriceChanged(generation.estimated_cost.clone()));
    }
    let mut draft = Draft::of(generation).to(Status::Confirmed, now);
    draft.0.after.job.confirmed_at = Some(now);
    wording.apply(&mut draft.0.after);
    Ok(draft.tell(DesiredState::Confirmed))
}

/// Whether two amounts are the same money, however many zeros they are written with.
fn same_amount(a: &Money, b: &Money) -> bool {
    fn plain(amount: &str) -> &str {
        if amount.contains('.') { amount.trim_end_matches('0').trim_end_matches('.') } else { amount }
    }
    a.currency == b.currency && plain(&a.amount) == plain(&b.amount)
}

/// What becomes of the price of one that is being made, only the worker can tell, when it has stopped.
fn cancel(generation: &Generation, now: Timestamp) -> Decision {
    let charge = (generation.status == Status::Processing).then_some(ChargeState::Held);
    called_off(Draft::of(generation), charge, now, now).tell(DesiredState::Cancelled)
}

fn expire(generation: &Generation, now: Timestamp) -> Decision {
    let mut draft = called_off(Draft::of(generation), None, now, now);
    let words = reply::expired(generation.language);
    draft.0.after.error_code = Some(ErrorCode::Expired);
    draft.0.after.error_message = Some(words.clone());
    draft.says(MessageKind::Text, words).tell(DesiredState::Cancelled)
}

fn called_off(draft: Draft, charge: Option<ChargeState>, at: Timestamp, now: Timestamp) -> Draft {
    let mut draft = ended(draft, Status::Cancelled, now);
    draft.0.after.cancelled_at = Some(at);
    let words = reply::cancelled(draft.0.after.language, draft.0.after.id.as_str(), charge);
    draft.says(MessageKind::Text, words)
}

/// Something is wrong between the services: the worker refuses a command, or leaves out why a job failed or what it made.
fn internal() -> JobError {
    JobError::new(ErrorCode::Internal, "Something is wrong between the services.", true)
}

fn fail(draft: Draft, error: &JobError, charge: Option<ChargeState>, at: Timestamp, now: Timestamp) -> Draft {
    let mut draft = ended(draft, Status::Failed, now);
    let after = &mut draft.0.after;
    // Not the error's own message, which is in English.
    let words = reply::failed(after.language, error, charge);
    after.error_code = Some(error.code);
    after.error_message = Some(words.clone());
    after.failed_at = Some(at);
    draft.says(MessageKind::Error, words)
}

/// What all ends have in common: nothing is awaited any more.
fn ended(draft: Draft, status: Status, now: Timestamp) -> Draft {
    let mut draft = draft.to(status, now);
    let after = &mut draft.0.after;
    after.queue_position = None;
    after.stage = None;
    after.eta_seconds = None;
    draft
}

fn accepted(generation: &Generation, answer: &CommandAnswer, now: Timestamp) -> Decision {
    if generation.status.is_terminal() {
        return Decision::Nothing(Unchanged::Terminal);
    }
    let mut draft = Draft::of(generation);
    draft.0.after.take_job(&answer.job_id);
    // The answer to an older command, or a job that has ended meanwhile, says nothing of the queue.
    let waits = matches!(answer.status, JobStatus::Confirmed | JobStatus::Active);
    if generation.status == Status::Confirmed && waits {
        draft.0.after.status = Status::Queued;
        draft.0.after.queue_position = answer.queue_position;
    }
    if draft.0.after == *generation {
        return Decision::Nothing(Unchanged::AlreadyDone);
    }
    let status = draft.0.after.status;
    draft.to(status, now).done()
}

fn snapshot_applied(generation: &Generation, snapshot: &JobSnapshot, now: Timestamp) -> Decision {
    if generation.status.is_terminal() {
        return Decision::Nothing(Unchanged::Terminal);
    }
    if generation.worker_job_id.as_ref().is_some_and(|job| *job != snapshot.job_id) {
        return Decision::Nothing(Unchanged::OtherJob);
    }
    if snapshot.sequence == generation.job.sequence {
        return moved_up(generation, snapshot, now);
    }
    if snapshot.sequence < generation.job.sequence {
        return Decision::Nothing(Unchanged::Late);
    }
    if !matches!(generation.status, Status::Confirmed | Status::Queued | Status::Processing) {
        return Decision::Nothing(Unchanged::OutOfPlace);
    }
    let mut draft = Draft::of(generation);
    let after = &mut draft.0.after;
    after.take_job(&snapshot.job_id);
    after.take_progress(snapshot);
    let begun = after.started_at.or(snapshot.started_at).is_some() || snapshot.stage == Some(Stage::Retrying);
    match snapshot.status {
        JobStatus::Pending | JobStatus::PendingConfirmation => Decision::Nothing(Unchanged::OutOfPlace),
        JobStatus::Confirmed if !begun => {
            after.queue_position = snapshot.queue_position;
            draft.to(Status::Queued, now).done()
        }
        // Between two attempts, or taken back from a worker that stopped: to the user it goes on.
        JobStatus::Confirmed | JobStatus::Active => {
            after.started_at = after.started_at.or(snapshot.started_at).or(Some(now));
            after.queue_position = None;
            draft.to(Status::Processing, now).done()
        }
        JobStatus::Completed => complete(draft, snapshot, now),
        JobStatus::Failed => {
            let error = snapshot.error.clone();
            let error = error.unwrap_or_else(internal);
            let at = snapshot.completed_at.unwrap_or(now);
            fail(draft, &error, budget::outcome(snapshot), at, now).done()
        }
        JobStatus::Cancelled => {
            let at = snapshot.completed_at.unwrap_or(now);
            called_off(draft, budget::outcome(snapshot), at, now).done()
        }
    }
}

/// A job that waits moves up in the queue without changing itself, so that its sequence stays the same. Only
/// then a snapshot that is not newer counts, and only for the place in the queue.
///
/// Snapshots of the same sequence have no order: the answer to a question may arrive after a later one's. So
/// only a place further ahead is taken, with the time that goes with it; the place never goes back.
fn moved_up(generation: &Generation, snapshot: &JobSnapshot, now: Timestamp) -> Decision {
    let waits = generation.status == Status::Queued && snapshot.status == JobStatus::Confirmed;
    if !waits || !is_ahead(snapshot.queue_position, generation.queue_position) {
        return Decision::Nothing(Unchanged::Late);
    }
    let mut draft = Draft::of(generation).to(Status::Queued, now);
    draft.0.after.queue_position = snapshot.queue_position;
    draft.0.after.eta_seconds = snapshot.eta_seconds;
    draft.done()
}

/// Whether a place in the queue is further ahead than the one that is known.
fn is_ahead(told: Option<i64>, known: Option<i64>) -> bool {
    told.is_some_and(|told| known.is_none_or(|known| told < known))
}

fn complete(draft: Draft, snapshot: &JobSnapshot, now: Timestamp) -> Decision {
    let at = snapshot.completed_at.unwrap_or(now);
    let Some(result) = &snapshot.result else {
        return fail(draft, &internal(), budget::outcome(snapshot), at, now).done();
    };
    let mut draft = ended(draft, Status::Completed, now);
    let after = &mut draft.0.after;
    after.progress = 100;
    after.started_at = after.started_at.or(snapshot.started_at);
    after.completed_at = Some(at);
    after.result_url = Some(result.video_url.clone());
    after.thumbnail_url = Some(result.thumbnail_url.clone());
    after.posters = result.posters.iter().map(PosterLink::from).collect();
    after.job.posters.clone_from(&result.posters);
    after.duration = Some(result.duration);
    after.file_size = Some(result.file_size);
    after.resolution = Some(result.resolution.clone());
    after.format = Some(result.format.clone());
    after.processing_time = Some(result.processing_time);
    after.job.video_key = Some(result.video_key.clone());
    after.job.thumbnail_key = Some(result.thumbnail_key.clone());
    after.job.sha256 = Some(result.sha256.clone());
    let words = reply::ready(draft.0.after.language);
    draft.says(MessageKind::GenerationResult, words).done()
}

impl Generation {
    /// Takes over the job that the worker names. Another one than before means that the worker lost the first
    /// and began again: its sequence, attempts and progress begin again, too.
    fn take_job(&mut self, job: &JobId) {
        if self.worker_job_id.as_ref().is_some_and(|known| known != job) {
            self.job.sequence = -1;
            self.attempt = 0;
            self.progress = 0;
            self.stage = None;
        }
        self.worker_job_id = Some(job.clone());
    }

    /// Takes over how far the job is; progress falls only where a new attempt begins (I5).
    fn take_progress(&mut self, snapshot: &JobSnapshot) {
        // The last percent is for the end alone.
        let told = snapshot.progress.clamp(0, 99);
        self.progress = if snapshot.attempt > self.attempt { told } else { self.progress.max(told) };
        self.attempt = self.attempt.max(snapshot.attempt);
        self.stage = snapshot.stage;
        self.eta_seconds = snapshot.eta_seconds;
        self.job.sequence = snapshot.sequence;
    }
}

#[cfg(test)]
pub(super) mod tests;
