//! A runner on its way through a job: production's [`step`] says what comes next and production's lifecycle what
//! it writes; this is the workflow's I/O and the lease.

use contract::{ErrorCode, JobStatus, Stage};
use worker_service::{
    jobs::{
        attempts,
        state::{Input, Retry, decide},
    },
    store::AttemptState,
    workflow::step::{self, Step},
};

use crate::{
    defect::Defect,
    fixture::{self, NOW, RULES},
    invariant::Invariant::{I6, I15, I16, I17},
    row::Row,
    world::{At, Operation, Post, Posted, World},
};

/// What a runner does, or what it meets with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The only thing there is to do.
    Go,
    /// Its POST is taken and answered.
    Accepted,
    /// Its POST is not answered; whether the provider took it is in `taken`.
    Unanswered { taken: bool },
    /// Its POST is taken, and the answer names no operation.
    Nameless,
    /// Its POST is refused.
    Rejected { for_good: bool },
    /// The operation comes on.
    Pending,
    /// The operation is finished.
    Finished,
    /// The provider reports that the operation failed.
    Failed { for_good: bool },
    /// The provider does not answer for the operation.
    Refused,
    /// The provider knows the operation no more, or has made nothing of it and does not say that it failed.
    Gone,
    /// The video is stored.
    Stored,
    /// It could not be stored.
    NotStored,
    /// It is no video.
    Invalid,
    /// The worker stops, and it hands the job back.
    Released,
    /// The job's time is over.
    Late,
}

impl World {
    /// What a runner can do next; what costs of the budget is left out where there is none left.
    pub fn moves(&self, index: usize, moves: &mut Vec<Move>) {
        let (runner, left) = (&self.runners[index], &self.left);
        match runner.at {
            At::Begin | At::Posted(_) => moves.push(Move::Go),
            At::Post { .. } => {
                moves.push(Move::Accepted);
                if left.unanswered > 0 {
                    moves.extend([Move::Unanswered { taken: true }, Move::Unanswered { taken: false }]);
                    moves.push(Move::Nameless);
                }
                if left.failures > 0 {
                    moves.extend([Move::Rejected { for_good: true }, Move::Rejected { for_good: false }]);
                }
            }
            At::Follow => match self.operation(index).state {
                Operation::Making => {
                    moves.push(Move::Finished);
                    if left.progress > 0 {
                        moves.push(Move::Pending);
                    }
                    if left.failures > 0 {
                        moves.extend([Move::Failed { for_good: true }, Move::Failed { for_good: false }]);
                        moves.extend([Move::Refused, Move::Gone]);
                    }
                }
                Operation::Made => moves.push(Move::Finished),
                Operation::Failed { for_good } => moves.push(Move::Failed { for_good }),
                Operation::Refused => {}
            },
            At::Deliver => {
                moves.push(Move::Stored);
                if left.failures > 0 {
                    moves.extend([Move::NotStored, Move::Invalid]);
                }
            }
        }
        if left.stops > 0 {
            moves.push(Move::Late);
            if matches!(runner.at, At::Begin | At::Follow) {
                moves.push(Move::Released);
            }
        }
    }

    /// Where the runner's operation stands in the ledger, by the name that is written down.
    fn operation_number(&self, index: usize) -> usize {
        let attempt = self.runners[index].attempts.last().expect("who follows has an attempt");
        let name = attempt.operation.as_deref().expect("who follows has an operation");
        name.parse().expect("names are places in the ledger")
    }

    /// How the provider stands to the runner's operation.
    pub fn operation(&self, index: usize) -> Post {
        self.provider.posts[self.operation_number(index)]
    }

    /// A runner makes a move. Mirrors `Run` in worker-service's `workflow/mod.rs` and `workflow/delivery.rs`.
    pub fn run(&mut self, index: usize, with: Move, defect: Defect) {
        let at = self.runners[index].at;
        match with {
            Move::Go => match at {
                At::Begin => self.begin(index, defect),
                At::Posted(posted) => self.answered(index, posted, defect),
                _ => {}
            },
            Move::Accepted => {
                let number = self.post(index, Operation::Making, defect);
                self.runners[index].at = At::Posted(Posted::Accepted(number));
            }
            Move::Unanswered { taken } => {
                self.left.unanswered -= 1;
                if taken {
                    self.post(index, Operation::Making, defect);
                }
                self.runners[index].at = At::Posted(Posted::Unknown);
            }
            Move::Nameless => {
                self.left.unanswered -= 1;
                self.post(index, Operation::Making, defect);
                self.runners[index].at = At::Posted(Posted::Nameless);
            }
            Move::Rejected { for_good } => {
                self.left.failures -= 1;
                self.post(index, Operation::Refused, defect);
                self.runners[index].at = At::Posted(Posted::Rejected { for_good });
            }
            Move::Pending => {
                self.left.progress -= 1;
                // The second time the provider says less.
                let progress = if self.runners[index].job.life.progress < 50 { 50 } else { 20 };
                let input = Input::Progressed { stage: Stage::Generating, progress, eta_seconds: None };
                self.write_as(index, input, defect);
            }
            Move::Finished => {
                self.found(index, Operation::Made);
                self.runners[index].at = At::Deliver;
            }
            Move::Failed { for_good } => {
                if self.operation(index).state == Operation::Making {
                    self.left.failures -= 1;
                }
                self.found(index, Operation::Failed { for_good });
                let retry = if for_good { Retry::Never } else { Retry::OnSchedule };
                self.fail(index, Some(AttemptState::Failed), ErrorCode::ProviderError, retry, defect);
            }
            Move::Refused => {
                self.left.failures -= 1;
                let retry = self.go_on(index);
                self.fail(index, None, ErrorCode::ProviderUnavailable, retry, defect);
            }
            Move::Gone => {
                self.left.failures -= 1;
                self.write_as(index, Input::AttemptLost(fixture::error(ErrorCode::ProviderError)), defect);
            }
            Move::Stored => {
                self.write_as(index, Input::Completed(fixture::result()), defect);
            }
            Move::NotStored => {
                self.left.failures -= 1;
                let retry = self.go_on(index);
                self.fail(index, None, ErrorCode::StorageError, retry, defect);
            }
            Move::Invalid => {
                self.left.failures -= 1;
                self.fail(index, None, ErrorCode::InvalidVideo, Retry::Never, defect);
            }
            Move::Released => {
                self.left.stops -= 1;
                self.write_as(index, Input::Released, defect);
            }
            Move::Late => {
                self.left.stops -= 1;
                self.settle(index, Input::DeadlinePassed, defect);
            }
        }
    }

    /// What is written down of the attempts decides. Mirrors `Workflow::begin` and the begin of `Run::submit`.
    fn begin(&mut self, index: usize, defect: Defect) {
        let attempts = self.runners[index].attempts.clone();
        match defect.next(&attempts) {
            Step::Submit { resubmission } => {
                if defect == Defect::PostsBeforeItCommits
                    || self.write_as(index, Input::AttemptBegun { resubmission }, defect)
                {
                    self.runners[index].at = At::Post { resubmission };
                }
            }
            Step::GiveUp => {
                self.write_as(index, step::given_up(), defect);
            }
            Step::Unknown { .. } => {
                self.write_as(index, defect.fate_unknown(&attempts), defect);
            }
            Step::Poll { .. } => self.runners[index].at = At::Follow,
        }
    }

    /// The POST reaches the provider. Gives its place in the ledger.
    fn post(&mut self, index: usize, state: Operation, defect: Defect) -> usize {
        let runner = &self.runners[index];
        let attempt = runner.job.life.attempt + i32::from(defect == Defect::PostsBeforeItCommits);
        let resubmission = runner.at == At::Post { resubmission: true };
        let agreed = runner.job.wanted.prompt == self.api.generation.words();
        self.broken.unless(agreed, I6);
        let again = self.provider.posts.iter().any(|post| post.attempt == attempt);
        self.broken.unless(!again, I15);
        self.broken.unless(!resubmission || self.worker.grace_over, I16);
        self.provider.posts.push(Post { attempt, resubmission, state });
        let count = |of: fn(&Post) -> bool| self.provider.posts.iter().filter(|post| of(post)).count();
        let resubmissions = count(|post| post.resubmission);
        let accepted = count(|post| post.state != Operation::Refused);
        let failed = count(|post| matches!(post.state, Operation::Failed { .. }));
        self.broken.unless(resubmissions <= 1, I16);
        self.broken.unless(accepted <= 1 + failed + resubmissions, I17);
        self.provider.posts.len() - 1
    }

    /// How a POST ended is written down.
    fn answered(&mut self, index: usize, posted: Posted, defect: Defect) {
        let late = defect == Defect::PostsBeforeItCommits;
        if late && !self.write_as(index, Input::AttemptBegun { resubmission: false }, defect) {
            return;
        }
        match posted {
            Posted::Accepted(number) => {
                if self.write_as(index, Input::OperationAccepted(number.to_string()), defect) {
                    self.runners[index].at = At::Follow;
                }
            }
            Posted::Unknown => {
                let input = defect.fate_unknown(&self.runners[index].attempts);
                self.write_as(index, input, defect);
            }
            Posted::Nameless => {
                self.write_as(index, step::submission_lost(), defect);
            }
            Posted::Rejected { for_good } => {
                let retry = if for_good { Retry::Never } else { Retry::OnSchedule };
                let code = ErrorCode::ProviderUnavailable;
                self.fail(index, Some(AttemptState::Rejected), code, retry, defect);
            }
        }
    }

    /// Notes in the ledger how an operation has ended, which it told.
    fn found(&mut self, index: usize, state: Operation) {
        let number = self.operation_number(index);
        self.provider.posts[number].state = state;
    }

    /// The retry of a runner's operation, which the provider has taken.
    fn go_on(&self, index: usize) -> Retry {
        let runner = &self.runners[index];
        step::go_on(&runner.job, &runner.attempts, Retry::OnSchedule)
    }

    fn fail(
        &mut self,
        index: usize,
        ended: Option<AttemptState>,
        code: ErrorCode,
        retry: Retry,
        defect: Defect,
    ) {
        let error = fixture::error(code);
        self.write_as(index, Input::AttemptFailed { ended, error, retry }, defect);
    }

    /// A runner writes. Mirrors `Lease::write`: decided on its own copy of the job, committed under its lease;
    /// whoever has lost it stops, as does who has ended the job or handed it back. Says whether the runner goes on.
    fn write_as(&mut self, index: usize, input: Input, defect: Defect) -> bool {
        let runner = self.runners[index].clone();
        let change = match defect.report(&runner.job, input) {
            Ok(Some(change)) => change,
            Ok(None) => return true,
            Err(_) => return self.stop(index),
        };
        if !self.commit(runner.claim, &runner.job, &change, defect) {
            return self.stop(index);
        }
        let row = self.worker.job.clone().expect("it was written");
        if row.life.status != JobStatus::Active || row.life.lease_owner.is_none() {
            return self.stop(index);
        }
        let runner = &mut self.runners[index];
        runner.job = row;
        if change.attempt.is_some() {
            let mut list = runner.attempts.to_vec();
            attempts::note(&mut list, &runner.job.id, &change);
            runner.attempts = Row::new(list);
        }
        true
    }

    /// The end of a run that was cut off is written down. Mirrors `Store::decide_and_commit`: decided on the row
    /// as it is, if the lease is still this one.
    fn settle(&mut self, index: usize, input: Input, defect: Defect) {
        let runner = self.runners[index].clone();
        let row = self.worker.job.clone().expect("a runner has a job");
        if row.life.lease_epoch == runner.job.life.lease_epoch
            && let Ok(Some(change)) = decide(&row, input, &RULES, NOW)
        {
            self.commit(runner.claim, &row, &change, defect);
        }
        self.stop(index);
    }

    fn stop(&mut self, index: usize) -> bool {
        self.runners.remove(index);
        false
    }
}
