//! The API's side: production's [`state::decide`] decides, this does what the store does around it.

use api_service::generations::{
    generation::{Generation, Job},
    state::{self, Change, Decision, Input, Unchanged},
};
use contract::{
    GenerationStatus as Status,
    events::{self, EventType},
    worker_api::JobSnapshot,
};

use crate::{
    defect::Defect,
    fixture::{LATER, NOW},
    invariant::Invariant::{I2, I3, I4, I5, I7, I8},
    row::Row,
    world::{Answer, World},
};

/// Mirrors the origins of `Store::happen` in api-service's `storage/generations.rs`: what is written down with
/// the effect.
#[derive(Clone, Copy)]
enum Origin {
    User,
    Webhook(i64),
    Command(i64),
    Ourselves,
}

impl World {
    /// A user's action. Mirrors the check of `Store::happen`: a deleted conversation is out of reach.
    pub fn user(&mut self, input: Input<'_>, defect: Defect) {
        if !self.api.deleted {
            self.happen(input, Origin::User, defect);
        }
    }

    /// Time passes for a generation that nobody confirms.
    pub fn expire(&mut self, defect: Defect) {
        self.happen(Input::Expired(LATER), Origin::Ourselves, defect);
    }

    /// Mirrors `Store::discard_conversation`.
    pub fn discard(&mut self, defect: Defect) {
        self.happen(Input::Discarded, Origin::Ourselves, defect);
        self.api.deleted = true;
    }

    /// Mirrors `Store::happen` in api-service's `storage/generations.rs`: one transaction under the
    /// conversation's lock, so what is read is still so when the change is written.
    fn happen(&mut self, input: Input<'_>, origin: Origin, defect: Defect) {
        if let Origin::Webhook(sequence) = origin
            && !self.api.inbox.add(sequence)
            && defect != Defect::ForgetsTheInbox
        {
            return;
        }
        if let Origin::Command(revision) = origin {
            let still_this = self.api.outbox.as_ref().is_some_and(|row| row.revision == revision);
            if still_this {
                self.api.outbox = None;
            } else if matches!(input, Input::CommandRefused) {
                return;
            }
        }
        let before = self.api.generation.clone();
        if let Ok(Decision::Change(change)) = defect.decide(&before, input) {
            if let Origin::Webhook(sequence) = origin {
                let first = self.api.effects.add(sequence);
                self.broken.unless(first, I8);
            }
            let snapshot = if let Input::Snapshot(snapshot) = input { Some(snapshot) } else { None };
            self.write(&before, *change, snapshot);
        }
    }

    /// Mirrors `write_change` in api-service's `storage/steps.rs`, and watches what is written.
    fn write(&mut self, before: &Generation, change: Change, snapshot: Option<&JobSnapshot>) {
        let Change { after, says, command, .. } = change;
        let had_ended = before.status.is_terminal();
        let told =
            Generation { job: Job { revision: before.job.revision, ..after.job.clone() }, ..after.clone() };
        self.broken.unless(!had_ended || told == *before, I2);
        if says.is_some() && (had_ended || after.status.is_terminal()) {
            self.api.ends += 1;
        }
        self.broken.unless(self.api.ends == u8::from(after.status.is_terminal()), I3);
        if let Some(snapshot) = snapshot {
            let newer = snapshot.sequence > before.job.sequence;
            self.broken.unless(!had_ended && (newer || only_the_place_moved(before, &after)), I4);
        }
        self.broken.unless(after.job.sequence >= before.job.sequence, I4);
        let fell = after.attempt == before.attempt && after.progress < before.progress;
        self.broken.unless(!fell, I5);
        if let Some(state) = command {
            self.api.outbox = Some(Row::new(state::command(&after, state, None)));
        }
        self.api.generation = Row::new(after);
    }

    /// The dispatcher sends what stands in the outbox. Mirrors `dispatcher::send`.
    pub fn send_command(&mut self) {
        if let Some(row) = self.api.outbox.clone() {
            self.network.commands.push(row);
        }
    }

    /// Whether the outbox's row can be sent: another replica's older command may still be under way, a second
    /// of this revision is what duplicates are for.
    pub fn can_send_command(&self, in_flight: usize) -> bool {
        let network = &self.network;
        self.api.outbox.as_ref().is_some_and(|row| {
            network.commands.len() < in_flight
                && network.commands.iter().all(|command| command.revision != row.revision)
                && network.answers.iter().all(|answer| answer.revision != row.revision)
        })
    }

    /// The worker's answer to a command arrives.
    pub fn take_answer(&mut self, answer: &Answer, defect: Defect) {
        let input = match &answer.said {
            Some(said) => Input::CommandAccepted(said),
            None => Input::CommandRefused,
        };
        self.happen(input, Origin::Command(answer.revision), defect);
    }

    /// A webhook arrives; says whether it was answered 2xx. Mirrors `webhooks::service::receive`.
    pub fn take_webhook(
        &mut self,
        sequence: i64,
        kind: EventType,
        body: &JobSnapshot,
        defect: Defect,
    ) -> bool {
        let well_formed = kind.agrees_with(body.status) && events::check(body).is_ok();
        // What the worker says must be what the API understands, or it would be sent until it is dead.
        self.broken.unless(well_formed, I7);
        if well_formed {
            self.happen(Input::Snapshot(body), Origin::Webhook(sequence), defect);
        }
        well_formed
    }

    /// Whether the reconciler, or a reader, would ask the worker.
    pub fn is_in_the_making(&self) -> bool {
        matches!(self.api.generation.status, Status::Confirmed | Status::Queued | Status::Processing)
    }

    /// What the worker said when it was asked arrives. Mirrors `reconciler::repair` and `Store::command_again`.
    pub fn take_status(&mut self, told: Option<&JobSnapshot>, defect: Defect) {
        let Some(snapshot) = told else {
            if self.api.outbox.is_none() && self.is_in_the_making() {
                let generation = &self.api.generation;
                let again = state::command(generation, state::desired(generation.status), None);
                self.api.outbox = Some(Row::new(again));
            }
            return;
        };
        if events::check(snapshot).is_ok() {
            self.happen(Input::Snapshot(snapshot), Origin::Ourselves, defect);
        }
    }

    /// What production decides of a snapshot, without writing it.
    pub fn would_change(&self, told: &JobSnapshot) -> bool {
        !matches!(
            state::decide(&self.api.generation, Input::Snapshot(told), NOW),
            Ok(Decision::Nothing(
                Unchanged::Late | Unchanged::Terminal | Unchanged::OtherJob | Unchanged::OutOfPlace
            ))
        )
    }
}

/// A snapshot that is not newer may tell how the queue has moved, and nothing else.
fn only_the_place_moved(before: &Generation, after: &Generation) -> bool {
    let mut moved = before.clone();
    moved.queue_position = after.queue_position;
    moved.updated_at = after.updated_at;
    moved.eta_seconds = after.eta_seconds;
    before.status == Status::Queued && moved == *after
}
