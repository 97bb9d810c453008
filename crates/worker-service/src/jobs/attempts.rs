//! The attempts of a job as they are after a change: what a runner keeps of them without asking the database.

use contract::{JobId, JobStatus};

use super::state::{AttemptChange, Change};
use crate::store::{Attempt, AttemptState, Json};

/// Whether the provider may charge for an attempt that is left like this when its job has ended. Whoever calls a job off
/// while nobody knows whether the provider has taken it pays as if it had: it may, and nobody can tell it to stop.
#[must_use]
pub const fn is_billable(state: AttemptState, ended: JobStatus) -> bool {
    match state {
        AttemptState::Accepted | AttemptState::Finished | AttemptState::Submitting | AttemptState::Lost => {
            true
        }
        AttemptState::Unknown => matches!(ended, JobStatus::Cancelled),
        AttemptState::Rejected | AttemptState::Failed => false,
    }
}

/// Brings a job's attempts, oldest first, to where a change that was written has taken them in the database.
pub fn note(attempts: &mut Vec<Attempt>, job: &JobId, change: &Change) {
    let at = change.life.updated_at;
    match &change.attempt {
        None => {}
        Some(AttemptChange::Begun { number, resubmission }) => attempts.push(Attempt {
            job_id: job.clone(),
            number: *number,
            state: AttemptState::Submitting,
            operation: None,
            resubmission: *resubmission,
            error: None,
            created_at: at,
            updated_at: at,
        }),
        Some(AttemptChange::Accepted { operation, .. }) => {
            if let Some(attempt) = attempts.last_mut() {
                attempt.state = AttemptState::Accepted;
                attempt.operation = Some(operation.clone());
                attempt.updated_at = at;
            }
        }
        Some(AttemptChange::Ended { state, error, .. }) => {
            if let Some(attempt) = attempts.last_mut() {
                attempt.state = *state;
                attempt.error = error.clone().map(Json::new);
                attempt.updated_at = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_may_have_made_may_be_charged_for() {
        use AttemptState::{Accepted, Failed, Finished, Lost, Rejected, Submitting, Unknown};
        for (state, failed, cancelled) in [
            (Submitting, true, true),
            (Accepted, true, true),
            (Finished, true, true),
            (Lost, true, true),
            (Unknown, false, true),
            (Rejected, false, false),
            (Failed, false, false),
        ] {
            assert_eq!(is_billable(state, JobStatus::Failed), failed, "{state}");
            assert_eq!(is_billable(state, JobStatus::Cancelled), cancelled, "{state}");
        }
    }
}
