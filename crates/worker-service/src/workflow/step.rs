//! What to do next with a job, by what is written down of its attempts. Pure.

use std::time::Duration;

use contract::{ErrorCode, ErrorReason, Timestamp, worker_api::JobError};

use super::UnknownPolicy;
use crate::{
    jobs::state::{Input, Retry},
    providers::Failure,
    store::{Attempt, AttemptState, Job, Json},
};

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider for the video.
    Submit {
        /// Whether the last submission may have been taken after all.
        resubmission: bool,
    },
    /// A submission was under way when its worker went down: nobody knows what became of it.
    Unknown {
        /// When it was begun.
        since: Timestamp,
    },
    /// The provider has it: never submit it again, only ask (I15).
    Poll {
        /// The provider's name for it.
        operation: String,
        /// When it was submitted.
        since: Timestamp,
    },
    /// The fate of the last submission is unknown, or it was lost, and there must be no other (I16).
    GiveUp,
}

/// The next step after these attempts, oldest first.
#[must_use]
pub fn next(attempts: &[Attempt], policy: UnknownPolicy) -> Step {
    let Some(last) = attempts.last() else { return Step::Submit { resubmission: false } };
    match (last.state, &last.operation) {
        (AttemptState::Accepted | AttemptState::Finished, Some(operation)) => {
            Step::Poll { operation: operation.clone(), since: last.created_at }
        }
        (AttemptState::Submitting | AttemptState::Accepted | AttemptState::Finished, _) => {
            Step::Unknown { since: last.created_at }
        }
        (AttemptState::Unknown, _) if !may_submit_again(attempts, policy) => Step::GiveUp,
        (AttemptState::Unknown, _) => Step::Submit { resubmission: true },
        (AttemptState::Lost, _) => Step::GiveUp,
        (AttemptState::Rejected | AttemptState::Failed, _) => Step::Submit { resubmission: false },
    }
}

/// Whether a submission of unknown fate may be followed by another: once in a job's life (I16).
fn may_submit_again(attempts: &[Attempt], policy: UnknownPolicy) -> bool {
    policy == UnknownPolicy::RetryOnce && !attempts.iter().any(|attempt| attempt.resubmission)
}

/// What is written down of a submission whose fate is unknown: no other before `grace`, what is left of the grace
/// window, is over, and none at all if there must be no other (I16).
#[must_use]
pub fn fate_unknown(attempts: &[Attempt], policy: UnknownPolicy, grace: Duration) -> Input {
    let retry = if may_submit_again(attempts, policy) { Retry::Uncounted(grace) } else { Retry::Never };
    Input::AttemptFailed { ended: Some(AttemptState::Unknown), error: unknown_error(), retry }
}

/// What is written down of a submission that the provider took without a name by which it could be asked for: it is
/// never sent again, since it is most probably charged (I16).
#[must_use]
pub fn submission_lost() -> Input {
    let message = "The video service took the request but did not say how to ask for the video, so there will be none. It \
                   was not sent again, because this one may have been charged.";
    let error = JobError::new(ErrorCode::SubmissionUnknown, message, true);
    Input::AttemptLost(error.because(ErrorReason::SubmissionLost))
}

/// What is written down when a job [is given up](Step::GiveUp).
#[must_use]
pub fn given_up() -> Input {
    Input::AttemptFailed { ended: None, error: unknown_error(), retry: Retry::Never }
}

/// What follows from a failure that a provider has reported. Where its filter says that the same words may pass the
/// next time, that is tried once in a job's life.
#[must_use]
pub fn after_report(attempts: &[Attempt], failure: Failure) -> Failure {
    let is_filtered = |error: &JobError| error.code == ErrorCode::ContentFiltered;
    let mut earlier = attempts.iter().filter_map(|attempt| attempt.error.clone().map(Json::into_inner));
    if is_filtered(&failure.error) && earlier.any(|error| is_filtered(&error)) {
        return Failure { retry: Retry::Never, ..failure };
    }
    failure
}

/// The retry of what the provider has taken, after a poll was refused, or its video could not be fetched or stored.
/// Going on with it costs nothing, and a video that is given up is paid for: so it has retries of its own, however many
/// there were before the provider took it.
#[must_use]
pub fn go_on(job: &Job, attempts: &[Attempt], retry: Retry) -> Retry {
    match retry {
        Retry::OnSchedule => Retry::OnOwnSchedule { spent: spent(job, attempts) },
        other => other,
    }
}

/// How many of a job's retries were for submissions, at most: one after each that came to nothing. Those for pictures
/// that could not be fetched are not written down one by one, so where there are pictures, all may have been.
fn spent(job: &Job, attempts: &[Attempt]) -> i32 {
    let is_over = |attempt: &&Attempt| matches!(attempt.state, AttemptState::Rejected | AttemptState::Failed);
    let over = i32::try_from(attempts.iter().filter(is_over).count()).unwrap_or(i32::MAX);
    if job.wanted.parameters.images.is_empty() { over } else { over.max(job.max_retries) }
}

fn unknown_error() -> JobError {
    let message = "It is unknown whether the video service took the request, so it was not sent again. Please try again.";
    JobError::new(ErrorCode::SubmissionUnknown, message, true)
}

#[cfg(test)]
mod tests {
    use contract::{
        ConversationId, GenerationId, ImageInput, ImageRole, JobId, Parameters, UploadId, UserId,
        worker_api::{Command, DesiredState},
    };

    use super::*;
    use crate::jobs::state::{Rules, take};

    /// A job of at most three retries, from so many pictures.
    fn job(pictures: usize) -> Job {
        let picture = || ImageInput { upload_id: UploadId::new(), role: ImageRole::FirstFrame };
        let images = (0..pictures).map(|_| picture()).collect();
        let command = Command {
            generation_id: GenerationId::new(),
            user_id: UserId::new(),
            conversation_id: ConversationId::new(),
            revision: 1,
            state: DesiredState::Confirmed,
            provider: "veo3".to_owned(),
            model: "m".to_owned(),
            prompt: "p".to_owned(),
            parameters: Parameters { images, ..Parameters::default() },
            priority: 0,
            traceparent: None,
        };
        let rules = Rules { max_retries: 3, retry_delays: Vec::new(), deadline: Duration::from_mins(30) };
        take(None, &command, &rules, Timestamp::from_micros(7)).unwrap().job
    }

    fn attempt(state: AttemptState, operation: Option<&str>, resubmission: bool) -> Attempt {
        let (job_id, at) = (JobId::new(), Timestamp::from_micros(7));
        let operation = operation.map(str::to_owned);
        Attempt {
            job_id,
            number: 1,
            state,
            operation,
            resubmission,
            error: None,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn what_is_written_down_decides_what_comes_next() {
        use AttemptState::{Accepted, Failed, Lost, Rejected, Submitting, Unknown};
        let since = Timestamp::from_micros(7);
        let submit = |resubmission| Step::Submit { resubmission };
        let next = |attempts: &[Attempt]| next(attempts, UnknownPolicy::RetryOnce);
        assert_eq!(next(&[]), submit(false));
        for (state, operation, expected) in [
            (Submitting, None, Step::Unknown { since }),
            (Accepted, Some("o"), Step::Poll { operation: "o".to_owned(), since }),
            (Unknown, None, submit(true)),
            (Rejected, None, submit(false)),
            (Failed, Some("o"), submit(false)),
            (Lost, None, Step::GiveUp),
            (Lost, Some("o"), Step::GiveUp),
        ] {
            assert_eq!(next(&[attempt(state, operation, false)]), expected, "{state}");
        }
        let attempts = [attempt(Failed, Some("o"), false), attempt(Submitting, None, false)];
        assert_eq!(next(&attempts), Step::Unknown { since });
    }

    #[test]
    fn what_must_not_be_submitted_again_is_given_up() {
        let unknown = [attempt(AttemptState::Unknown, None, false)];
        assert_eq!(next(&unknown, UnknownPolicy::Fail), Step::GiveUp);
        let again = [attempt(AttemptState::Unknown, None, false), attempt(AttemptState::Unknown, None, true)];
        assert_eq!(next(&again, UnknownPolicy::RetryOnce), Step::GiveUp);
        let grace = Duration::from_secs(60);
        let retry = |attempts: &[Attempt]| match fate_unknown(attempts, UnknownPolicy::RetryOnce, grace) {
            Input::AttemptFailed { ended: Some(AttemptState::Unknown), retry, .. } => retry,
            other => panic!("{other:?}"),
        };
        assert_eq!(retry(&unknown), Retry::Uncounted(grace));
        assert_eq!(retry(&again), Retry::Never);
    }

    #[test]
    fn a_filter_is_asked_again_once() {
        let failure = |code, retry| Failure { error: JobError::new(code, "", true), retry };
        let filtered = failure(ErrorCode::ContentFiltered, Retry::OnSchedule);
        let failed = failure(ErrorCode::ProviderError, Retry::OnSchedule);
        let ended = |why: &Failure| Attempt {
            error: Some(Json::new(why.error.clone())),
            ..attempt(AttemptState::Failed, Some("o"), false)
        };
        let now = attempt(AttemptState::Accepted, Some("p"), false);
        for (attempts, said, retry) in [
            (vec![now.clone()], &filtered, Retry::OnSchedule),
            (vec![ended(&failed), now.clone()], &filtered, Retry::OnSchedule),
            (vec![ended(&filtered), now.clone()], &filtered, Retry::Never),
            (vec![ended(&filtered), ended(&failed), now.clone()], &filtered, Retry::Never),
            (vec![ended(&filtered), now.clone()], &failed, Retry::OnSchedule),
        ] {
            assert_eq!(after_report(&attempts, said.clone()).retry, retry, "{attempts:?}");
        }
    }

    #[test]
    fn what_was_taken_has_retries_of_its_own() {
        use AttemptState::{Accepted, Failed, Rejected, Unknown};
        let own = |spent| Retry::OnOwnSchedule { spent };
        for (before, pictures, expected) in [
            (&[][..], 0, own(0)),
            (&[Rejected][..], 0, own(1)),
            (&[Rejected, Failed, Rejected][..], 0, own(3)),
            // After its grace window, which is no retry.
            (&[Unknown][..], 0, own(0)),
            (&[Unknown, Failed][..], 0, own(1)),
            (&[][..], 1, own(3)),
            (&[Rejected][..], 2, own(3)),
        ] {
            let mut attempts: Vec<_> = before.iter().map(|state| attempt(*state, None, false)).collect();
            attempts.push(attempt(Accepted, Some("o"), false));
            assert_eq!(
                go_on(&job(pictures), &attempts, Retry::OnSchedule),
                expected,
                "{before:?} {pictures}"
            );
            for other in [Retry::Never, Retry::NotBefore(Duration::from_secs(7))] {
                assert_eq!(go_on(&job(pictures), &attempts, other), other);
            }
        }
    }

    #[test]
    fn one_unknown_submission_is_repeated_and_no_more() {
        let first = [attempt(AttemptState::Unknown, None, false)];
        assert!(may_submit_again(&first, UnknownPolicy::RetryOnce));
        assert!(!may_submit_again(&first, UnknownPolicy::Fail));
        let again = [attempt(AttemptState::Unknown, None, false), attempt(AttemptState::Unknown, None, true)];
        assert!(!may_submit_again(&again, UnknownPolicy::RetryOnce));
        let refused_then_unknown = [
            attempt(AttemptState::Unknown, None, false),
            attempt(AttemptState::Rejected, None, true),
            attempt(AttemptState::Unknown, None, false),
        ];
        assert!(!may_submit_again(&refused_then_unknown, UnknownPolicy::RetryOnce));
    }
}
