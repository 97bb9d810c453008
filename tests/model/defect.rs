//! Production's decisions, and what they would be with a fault in them: a checker that does not see these sees
//! nothing.

use std::time::Duration;

use api_service::generations::{
    generation::Generation,
    state::{self, Decision, Input, Rejection},
};
use contract::GenerationStatus as Status;
use worker_service::{
    jobs::state::{self as job, Input as Report, Refused, Retry},
    store::{Attempt, AttemptState, Job},
    workflow::{
        UnknownPolicy,
        step::{self, Step},
    },
};

use crate::fixture::{GRACE, NOW, RULES};

const POLICY: UnknownPolicy = UnknownPolicy::RetryOnce;

/// A fault that is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Production as it is.
    None,
    /// The API applies every snapshot, however old (I4).
    AppliesOldSnapshots,
    /// The API goes on with a generation that has ended (I2).
    ChangesTheEnded,
    /// The API says nothing at the end (I3).
    EndsSilently,
    /// The worker takes the provider's progress as it comes (I5).
    TakesAnyProgress,
    /// The API's outbox row goes with the sending, not with the answer (I6).
    ForgetsTheCommand,
    /// The API fails what the worker refuses, and does not call off what may have come of it (I6).
    LeavesTheRefused,
    /// The worker takes a webhook that got no answer as delivered (I7).
    TakesSilenceForDelivery,
    /// What a try comes to counts even after the webhook was asked for again (I7).
    CountsOldTries,
    /// The API does not look into its inbox, and applies every snapshot (I8).
    ForgetsTheInbox,
    /// The API takes other words for what is being made already (I6).
    RewordsTheConfirmed,
    /// A runner's write does not ask for the lease (I11).
    WritesWithoutTheLease,
    /// A runner that finds an operation submits it all the same (I17).
    SubmitsTheAccepted,
    /// The POST comes before the commit of its attempt (I15).
    PostsBeforeItCommits,
    /// An unknown submission is repeated without a grace window (I16).
    WaitsForNoGrace,
    /// A submission of unknown fate counts as refused (I17).
    TakesSilenceForRefusal,
    /// What may have been charged and came to nothing counts as failed (I17).
    TakesTheLostForFailed,
}

impl Defect {
    /// What happens to a generation.
    pub fn decide(self, generation: &Generation, input: Input<'_>) -> Result<Decision, Rejection> {
        let is_snapshot = matches!(input, Input::Snapshot(_));
        let mut seen = generation.clone();
        match self {
            Self::AppliesOldSnapshots | Self::ForgetsTheInbox if is_snapshot => seen.job.sequence = -1,
            Self::ChangesTheEnded if is_snapshot && seen.status.is_terminal() => {
                seen.status = Status::Processing;
            }
            Self::RewordsTheConfirmed if matches!(input, Input::Reworded(_)) => {
                seen.status = Status::PendingConfirmation;
            }
            _ => {}
        }
        let mut decided = state::decide(&seen, input, NOW);
        if let (Self::EndsSilently, Ok(Decision::Change(change))) = (self, &mut decided)
            && change.after.status.is_terminal()
        {
            change.says = None;
        }
        if let (Self::LeavesTheRefused, Input::CommandRefused, Ok(Decision::Change(change))) =
            (self, input, &mut decided)
        {
            change.command = None;
            change.after.job.revision = change.before.job.revision;
        }
        if let (Self::RewordsTheConfirmed, Input::Reworded(_), Ok(Decision::Change(change))) =
            (self, input, &mut decided)
        {
            change.after.status = generation.status;
            change.command = Some(state::desired(generation.status));
        }
        decided
    }

    /// What a runner's report makes of its job.
    pub fn report(self, job: &Job, report: Report) -> Result<Option<job::Change>, Refused> {
        let mut seen = job.clone();
        if self == Self::TakesAnyProgress && matches!(report, Report::Progressed { .. }) {
            seen.life.progress = 0;
        }
        let report = match report {
            Report::AttemptLost(error) if self == Self::TakesTheLostForFailed => {
                let (ended, retry) = (Some(AttemptState::Failed), Retry::OnSchedule);
                Report::AttemptFailed { ended, error, retry }
            }
            report => report,
        };
        job::decide(&seen, report, &RULES, NOW)
    }

    /// What a runner does next.
    pub fn next(self, attempts: &[Attempt]) -> Step {
        match step::next(attempts, POLICY) {
            Step::Unknown { .. } if self == Self::TakesSilenceForRefusal => {
                Step::Submit { resubmission: false }
            }
            Step::Poll { .. } if self == Self::SubmitsTheAccepted => Step::Submit { resubmission: false },
            step => step,
        }
    }

    /// What a runner writes of a POST without an answer. Its whole grace window is still to come.
    pub fn fate_unknown(self, attempts: &[Attempt]) -> Report {
        let grace = if self == Self::WaitsForNoGrace { Duration::ZERO } else { GRACE };
        match step::fate_unknown(attempts, POLICY, grace) {
            Report::AttemptFailed { error, retry, .. } if self == Self::TakesSilenceForRefusal => {
                Report::AttemptFailed { ended: Some(AttemptState::Rejected), error, retry }
            }
            report => report,
        }
    }
}
