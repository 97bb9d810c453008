//! A world left to itself: from here on no fault happens, the user is silent, and everything goes on that can.
//! Where it comes to rest says whether the promises are kept in the end (I1, I6, I7).

use contract::{ErrorCode, GenerationStatus as Status, JobStatus};
use worker_service::store::WebhookState;

use crate::{
    action::{Action, System},
    invariant::Invariant::{self, I1, I6, I7},
    runner::Move,
    world::{At, Operation, World},
};

/// What a world that was left to itself failed to keep; `None` if it kept all.
pub type Drained = Option<Invariant>;

/// A world that goes on for longer than this goes round in circles.
const LONGEST: usize = 500;

impl System {
    /// Leaves a world to itself. What was found out of one world holds for all that it passes through.
    pub fn drained(&self, world: &World) -> Drained {
        let mut passed = Vec::new();
        let mut now = world.clone();
        let end = loop {
            let core = now.core();
            if let Some(known) = self.drained.lock().expect("nobody panics with it").get(&core) {
                break *known;
            }
            passed.push(core);
            if passed.len() > LONGEST {
                break Some(I1);
            }
            match self.step(&now) {
                // What breaks at a step is that invariant's own matter.
                Some(next) if next.broken.what().is_some() => break None,
                Some(next) => now = next,
                None => break now.unkept(),
            }
        };
        let mut known = self.drained.lock().expect("nobody panics with it");
        known.extend(passed.into_iter().map(|core| (core, end)));
        end
    }

    /// The next thing that happens by itself; `None` if there is nothing left.
    fn step(&self, world: &World) -> Option<World> {
        let network = &world.network;
        let packet = 0;
        let action = if !network.acknowledgements.is_empty() {
            Action::AcknowledgementArrives { packet, stays: false }
        } else if !network.answers.is_empty() {
            Action::AnswerArrives { packet, stays: false }
        } else if !network.commands.is_empty() {
            Action::CommandArrives { packet, stays: false }
        } else if !network.webhooks.is_empty() {
            Action::WebhookArrives { packet, stays: false }
        } else if network.status.is_some() {
            Action::StatusArrives
        } else if world.can_send_command(usize::MAX) {
            Action::SendCommand
        } else if !world.runners.is_empty() {
            let index = 0;
            Action::Runner { index, does: world.well(index) }
        } else if let Some(&sequence) = world.sendable(usize::MAX).last() {
            Action::SendWebhook { sequence }
        } else if world.is_claimable() {
            Action::JobIsClaimed
        } else if world.worker.in_grace {
            Action::GraceEnds
        } else {
            return self.reconciled(world);
        };
        Some(self.after(world, action))
    }

    /// The world after a question of the reconciler's and its answer, if that changes anything.
    fn reconciled(&self, world: &World) -> Option<World> {
        let told = world.status();
        if !world.is_in_the_making() || told.as_ref().is_some_and(|told| !world.would_change(told)) {
            return None;
        }
        let mut after = world.clone();
        after.take_status(told.as_ref(), self.defect);
        Some(after).filter(|after| after != world)
    }
}

impl World {
    /// What a runner does if nothing goes wrong any more.
    fn well(&self, index: usize) -> Move {
        match self.runners[index].at {
            At::Begin | At::Posted(_) => Move::Go,
            At::Post { .. } => Move::Accepted,
            At::Follow => match self.operation(index).state {
                Operation::Failed { for_good } => Move::Failed { for_good },
                _ => Move::Finished,
            },
            At::Deliver => Move::Stored,
        }
    }

    /// What a world at rest has not kept.
    fn unkept(&self) -> Drained {
        let generation = &self.api.generation;
        let waits_for_the_user =
            matches!(generation.status, Status::PendingClarification | Status::PendingConfirmation);
        if !generation.status.is_terminal() && !waits_for_the_user {
            return Some(I1);
        }
        let revision = self.worker.job.as_ref().map_or(0, |job| job.wanted.revision);
        if self.api.outbox.is_some() || revision != generation.job.revision {
            return Some(I6);
        }
        let open = self.worker.webhooks.iter().any(|row| row.state == WebhookState::Pending);
        if open || !self.agrees() {
            return Some(I7);
        }
        None
    }

    /// Whether the job has come to what the generation has, or the generation was ended on the API's side and
    /// the job leaves nothing behind.
    fn agrees(&self) -> bool {
        let generation = &self.api.generation;
        let Some(job) = &self.worker.job else { return false };
        let (status, discarded) = (job.life.status, job.life.discarded);
        let over = matches!(status, JobStatus::Cancelled | JobStatus::Failed) || discarded;
        match generation.status {
            Status::PendingClarification => status == JobStatus::Pending,
            Status::PendingConfirmation => status == JobStatus::PendingConfirmation,
            Status::Completed => status == JobStatus::Completed && discarded == self.api.deleted,
            // The API fails what the worker refuses, and calls off what may have come of it.
            Status::Failed => {
                status == JobStatus::Failed || (generation.error_code == Some(ErrorCode::Internal) && over)
            }
            Status::Cancelled => over,
            Status::Confirmed | Status::Queued | Status::Processing => false,
        }
    }
}
