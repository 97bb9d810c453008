//! The attempts of a job as they are after a change: what a runner keeps of them without asking the database.

use contract::JobId;

use super::state::{AttemptChange, Change};
use crate::store::{Attempt, AttemptState, Json};

/// Whether the provider may charge for an attempt that is left like this: it took the submission, and did not say that
/// nothing came of it.
#[must_use]
pub const fn is_billable(state: AttemptState) -> bool {
    matches!(state, AttemptState::Accepted | AttemptState::Finished)
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
