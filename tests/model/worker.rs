//! The worker's database: production's [`take`] and [`decide`] decide, this does what the store does around
//! them.

use contract::{
    JobStatus,
    events::EventType,
    worker_api::{Command, CommandAnswer, JobSnapshot},
};
use worker_service::{
    jobs::{
        attempts,
        state::{Change, Input, Timing, decide, is_waiting, snapshot, take},
    },
    store::{Job, Wanted, WebhookState},
};

use crate::{
    defect::Defect,
    fixture::{GRACE, JOB, NOW, RULES, WORKER},
    invariant::Invariant::{I5, I7, I11},
    row::Row,
    world::{At, Event, Runner, Try, Webhook, World},
};

impl World {
    /// A command arrives. Mirrors `Store::try_command` in worker-service's `storage/commands.rs`, and
    /// `Jobs::take`, which answers.
    pub fn take_command(&mut self, command: &Command) -> CommandAnswer {
        let before = self.worker.job.clone();
        let job = match (take(before.as_deref(), command, &RULES, NOW), before) {
            (None, Some(job)) => job,
            (taken, _) => {
                let mut taken = taken.expect("without a job every command is taken");
                taken.job.id = JOB.clone();
                self.write_job(&taken.job, Some(&taken.wanted), &taken.change);
                self.worker.job.clone().expect("it was written")
            }
        };
        CommandAnswer {
            generation_id: job.generation_id.clone(),
            job_id: job.id.clone(),
            status: job.life.status,
            queue_position: place(&job),
            revision: job.wanted.revision,
        }
    }

    /// How the job stands, for who asks. Mirrors `Jobs::status`.
    pub fn status(&self) -> Option<JobSnapshot> {
        self.worker.job.as_deref().map(|job| snapshot(job, place(job), self.is_billable(job)))
    }

    /// Whether a worker would claim the job now. Mirrors `pick_waiting` and `pick_lapsed`.
    pub fn is_claimable(&self) -> bool {
        self.worker.job.as_ref().is_some_and(|job| match job.life.status {
            JobStatus::Confirmed => !self.worker.in_grace,
            JobStatus::Active => self.worker.lapsed,
            _ => false,
        })
    }

    /// A worker claims the job. Mirrors `Store::claim` in worker-service's `storage/leases.rs`.
    pub fn claim(&mut self) {
        let before = self.worker.job.clone().expect("it is claimable");
        let input = Input::Claimed(WORKER.clone());
        let Ok(Some(change)) = decide(&before, input, &RULES, NOW) else { return };
        self.write_job(&before, None, &change);
        let job = self.worker.job.clone().expect("it was written");
        if job.life.status == JobStatus::Active {
            self.worker.claims += 1;
            self.worker.holder = Some(self.worker.claims);
            let attempts = self.worker.attempts.clone();
            self.runners.push(Runner { job, attempts, claim: self.worker.claims, at: At::Begin });
        }
    }

    /// Commits a runner's change, if the job's status and lease are still what it was decided on; says whether
    /// they were. Mirrors `Store::commit` and the guard of `Steps::apply` in worker-service's
    /// `storage/steps.rs`.
    pub fn commit(&mut self, claim: u8, before: &Job, change: &Change, defect: Defect) -> bool {
        let row = self.worker.job.clone().expect("a runner has a job");
        let held = row.life.lease_epoch == before.life.lease_epoch && row.life.status == before.life.status;
        if !held && defect != Defect::WritesWithoutTheLease {
            return false;
        }
        self.broken.unless(self.worker.holder == Some(claim), I11);
        self.write_job(before, None, change);
        true
    }

    /// Mirrors what `Steps::apply`, `Steps::effects` and `Steps::tell` write in worker-service's
    /// `storage/steps.rs`, and watches it.
    fn write_job(&mut self, before: &Job, wanted: Option<&Wanted>, change: &Change) {
        let wanted = wanted.unwrap_or(&before.wanted).clone();
        let after = Job { wanted, life: change.life.clone(), ..before.clone() };
        if let Some(row) = &self.worker.job {
            let same_attempt = row.life.attempt == after.life.attempt;
            self.broken.unless(!same_attempt || after.life.progress >= row.life.progress, I5);
        }
        match change.timing {
            Timing::Keep => {}
            Timing::Lease => (self.worker.lapsed, self.worker.in_grace) = (false, false),
            Timing::Expire => (self.worker.lapsed, self.worker.holder) = (true, None),
            Timing::Clear => {
                (self.worker.lapsed, self.worker.in_grace, self.worker.holder) = (false, false, None);
            }
            Timing::Wait(delay) => {
                (self.worker.lapsed, self.worker.in_grace, self.worker.holder) =
                    (false, delay >= GRACE, None);
            }
        }
        let job = Row::new(after);
        if change.attempt.is_some() {
            let mut list = self.worker.attempts.to_vec();
            attempts::note(&mut list, &job.id, change);
            self.worker.attempts = Row::new(list);
        }
        if let Some(kind) = change.event {
            self.tell(&job, kind);
        }
        self.worker.job = Some(job);
    }

    fn is_billable(&self, job: &Job) -> bool {
        let ended = job.life.status;
        self.worker.attempts.iter().any(|attempt| attempts::is_billable(attempt.state, ended))
    }

    /// Puts a webhook into the outbox in place of those that are not delivered yet.
    fn tell(&mut self, job: &Job, kind: EventType) {
        for older in &mut self.worker.webhooks {
            if older.state == WebhookState::Pending {
                (older.state, older.asked_again) = (WebhookState::Superseded, false);
            }
        }
        let body = Some(Row::new(snapshot(job, None, self.is_billable(job))));
        let state = WebhookState::Pending;
        self.worker.webhooks.push(Webhook { kind, state, asked_again: false, body });
        // Each is counted on the job's row, so that no two tell the same sequence.
        self.broken.unless(self.worker.webhooks.len() as i64 == job.life.sequence, I7);
    }

    /// The sequences of the webhooks that can be sent.
    pub fn sendable(&self, in_flight: usize) -> Vec<i64> {
        let network = &self.network;
        let free = network.webhooks.len() < in_flight;
        let pending = (1..).zip(&self.worker.webhooks).filter(|(_, row)| row.state == WebhookState::Pending);
        pending
            .map(|(sequence, _)| sequence)
            .filter(|sequence| free && !network.is_trying(*sequence))
            .collect()
    }

    pub fn webhook(&mut self, sequence: i64) -> &mut Webhook {
        &mut self.worker.webhooks[usize::try_from(sequence - 1).expect("sequences begin at 1")]
    }

    /// The dispatcher sends a webhook. Mirrors `Store::claim_webhooks` and `Dispatcher::deliver`.
    pub fn send_webhook(&mut self, sequence: i64) {
        let row = self.webhook(sequence);
        row.asked_again = false;
        let (kind, body) = (row.kind, row.body.clone().expect("what is pending has a body"));
        self.network.webhooks.push(Event { sequence, kind, body });
    }

    /// What a try came to is written down. Mirrors `Store::record_try`: what was superseded stays so, and what was asked
    /// for again is due for that, unless the try of before has delivered it after all.
    pub fn record(&mut self, sequence: i64, tried: Try, state: WebhookState, defect: Defect) {
        let row = self.webhook(sequence);
        let is_over = tried == Try::OfBefore && state != WebhookState::Delivered;
        let counts = row.state == WebhookState::Pending && (!is_over || defect == Defect::CountsOldTries);
        if counts {
            (row.state, row.asked_again) = (state, false);
        }
        // Who has asked for it again is not told that it is dead by what came before.
        self.broken.unless(!(counts && is_over), I7);
        let taken = self.api.inbox.has(sequence);
        self.broken.unless(state != WebhookState::Delivered || taken, I7);
    }

    /// An operator has a webhook delivered again, whatever became of it. Mirrors `Store::redeliver`.
    pub fn redeliver(&mut self, sequence: i64) {
        let row = self.webhook(sequence);
        (row.state, row.asked_again) = (WebhookState::Pending, true);
    }

    /// Bodies that nothing can send any more are all the same.
    pub fn forget_bodies(&mut self) {
        if self.left.redeliveries == 0 {
            for row in &mut self.worker.webhooks {
                if row.state != WebhookState::Pending {
                    row.body = None;
                }
            }
        }
    }
}

fn place(job: &Job) -> Option<i64> {
    is_waiting(job).then_some(1)
}
