//! Every status against every input, and arbitrary sequences of snapshots.

mod webhooks;

use contract::{
    ErrorReason, GenerationId,
    worker_api::{JobError, JobResult, Poster},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{generations::generation::tests::generation, intent::Language};

const NOW: Timestamp = Timestamp::from_micros(1_795_426_260_000_000);

fn usd(amount: &str) -> Money {
    Money { amount: amount.to_owned(), currency: "USD".to_owned() }
}

fn quote() -> Quote {
    let settled = Settled { prompt: "a paper boat".to_owned(), parameters: contract::Parameters::default() };
    Quote { settled, price: usd("3.20"), model: "Veo 3.1".to_owned(), wording: Wording::Kept }
}

fn in_part() -> InPart {
    let prompt = "a paper boat".to_owned();
    let parameters =
        contract::Parameters { aspect_ratio: Some("9:16".to_owned()), ..contract::Parameters::default() };
    let draft = clarification::Draft { prompt, parameters, questions: Vec::new() };
    InPart { draft, wording: Wording::Kept, says: "How long?".to_owned() }
}

fn responses() -> Map<String, Value> {
    json!({"duration": 8}).as_object().unwrap().clone()
}

fn in_status(status: Status) -> Generation {
    let mut generation = generation();
    generation.status = status;
    if status != Status::PendingClarification {
        generation.clarification_responses = Some(responses());
        generation.estimated_cost = Some(usd("3.20"));
    }
    if !matches!(status, Status::PendingClarification | Status::PendingConfirmation) {
        generation.job.confirmed_at = Some(NOW);
    }
    if status == Status::Processing {
        generation.started_at = Some(NOW);
    }
    generation
}

/// The next that the worker tells of a generation.
pub(in crate::generations) fn snapshot(generation: &Generation, status: JobStatus) -> JobSnapshot {
    let ended = status.is_terminal().then_some(NOW);
    JobSnapshot {
        generation_id: generation.id.clone(),
        job_id: generation.worker_job_id.clone().unwrap_or_else(JobId::new),
        status,
        sequence: generation.job.sequence + 1,
        attempt: 1,
        stage: None,
        progress: 40,
        eta_seconds: Some(20),
        queue_position: None,
        provider: "veo3".to_owned(),
        model: "veo-3.1-generate-001".to_owned(),
        retry_count: 0,
        max_retries: 3,
        created_at: NOW,
        updated_at: NOW,
        started_at: (status == JobStatus::Active).then_some(NOW),
        completed_at: ended,
        result: (status == JobStatus::Completed).then(|| result(&generation.id)),
        error: (status == JobStatus::Failed).then(|| {
            JobError::new(ErrorCode::ContentFiltered, "The provider's safety filter refused it.", false)
        }),
        billable: status == JobStatus::Completed,
    }
}

fn poster(id: &GenerationId, width: u32, height: u32) -> Poster {
    let key = format!("generations/{id}/1/poster-{width}.jpg");
    Poster { width, height, url: format!("http://s3/reelay/{key}"), key }
}

fn result(id: &GenerationId) -> JobResult {
    JobResult {
        video_url: format!("http://s3/reelay/generations/{id}/1/video.mp4"),
        thumbnail_url: format!("http://s3/reelay/generations/{id}/1/thumbnail.jpg"),
        video_key: format!("generations/{id}/1/video.mp4"),
        thumbnail_key: format!("generations/{id}/1/thumbnail.jpg"),
        duration: 8.0,
        file_size: 123_456,
        resolution: "1280x720".to_owned(),
        format: "mp4".to_owned(),
        sha256: "ab".repeat(32),
        processing_time: 12.5,
        posters: [(320, 180), (640, 360), (1280, 720)]
            .map(|(width, height)| poster(id, width, height))
            .to_vec(),
    }
}

fn answer(generation: &Generation, status: JobStatus) -> CommandAnswer {
    CommandAnswer {
        generation_id: generation.id.clone(),
        job_id: generation.worker_job_id.clone().unwrap_or_else(JobId::new),
        status,
        queue_position: Some(3),
        revision: 1,
    }
}

/// The outcome in short: `status[+message kind][>command]`, `=reason` or `!status`.
fn outcome(generation: &Generation, input: Input<'_>) -> String {
    match decide(generation, input, NOW) {
        Ok(Decision::Change(change)) => {
            assert_eq!(change.before, *generation);
            let terminal = change.after.status.is_terminal() && !generation.status.is_terminal();
            if terminal {
                assert!(change.says.is_some(), "I3: an end comes with its message");
            }
            assert!(!generation.status.is_terminal() || change.after.status == generation.status, "I2");
            let told = i64::from(change.command.is_some());
            assert_eq!(change.after.job.revision, generation.job.revision + told, "I6");
            let says = change.says.map(|(kind, _)| format!("+{}", kind.as_str())).unwrap_or_default();
            let tells = change.command.map(|state| format!(">{}", word(state))).unwrap_or_default();
            format!("{}{says}{tells}", change.after.status)
        }
        Ok(Decision::Nothing(reason)) => format!("={}", reason.as_str()),
        Err(Rejection::InvalidState(status)) => {
            assert_eq!(status, generation.status);
            "!".to_owned()
        }
        Err(Rejection::PriceChanged(price)) => {
            assert_eq!(price, generation.estimated_cost);
            "!price".to_owned()
        }
    }
}

fn word(state: DesiredState) -> String {
    serde_json::to_value(state).unwrap().as_str().unwrap().to_owned()
}

/// One row for each input, one column for each status in the order of their declaration.
#[test]
fn every_status_meets_every_input() {
    let (quote, responses, other, in_part) = (quote(), responses(), Map::new(), in_part());
    let (told, wrong) = (usd("3.2"), usd("3.21"));
    let (other_words, own_words) =
        (Wording::Changed(Some("a boat at dusk".to_owned())), Wording::Changed(None));
    let confirm = "confirmed>confirmed";
    let price = "pending_confirmation+confirmation>pending_confirmation";
    let cancel = "cancelled+text>cancelled";
    let (done, late) = ("=already_done", "=terminal");
    let (refused, stopped) = ("failed+error", "failed+error>cancelled");
    let out = "=out_of_place";
    #[rustfmt::skip]
    let user: [(&str, Input<'_>, [&str; 8]); 14] = [
        ("created, questions", Input::Created(None), ["pending_clarification+clarification>pending", "!", "!", "!", "!", "!", "!", "!"]),
        ("created, settled", Input::Created(Some(&quote)), [price, "!", "!", "!", "!", "!", "!", "!"]),
        ("answered", Input::Answered { responses: &responses, quote: &quote }, [price, done, done, done, done, done, done, done]),
        ("answered otherwise", Input::Answered { responses: &other, quote: &quote }, [price, "!", "!", "!", "!", "!", "!", "!"]),
        ("answered in part", Input::AnsweredInPart(&in_part), ["pending_clarification+clarification>pending", "!", "!", "!", "!", "!", "!", "!"]),
        ("amended", Input::Amended(&quote), ["!", price, "!", "!", "!", "!", "!", "!"]),
        ("reworded", Input::Reworded(&other_words), ["pending_clarification>pending", "pending_confirmation>pending_confirmation", "!", "!", "!", "!", "!", "!"]),
        ("reworded as it is", Input::Reworded(&own_words), [done, done, "!", "!", "!", "!", "!", "!"]),
        ("confirmed", Input::Confirmed(None, &Wording::Kept), ["!", confirm, done, done, done, done, done, done]),
        ("confirmed, price", Input::Confirmed(Some(&told), &Wording::Kept), ["!", confirm, done, done, done, done, done, done]),
        ("cancelled", Input::Cancelled, [cancel, cancel, cancel, cancel, cancel, "!", "!", done]),
        ("discarded", Input::Discarded, [cancel, cancel, cancel, cancel, cancel, "completed>cancelled", late, late]),
        ("expired", Input::Expired(NOW), [cancel, cancel, out, out, out, out, out, out]),
        ("touched in time", Input::Expired(generation().updated_at), [out; 8]),
    ];
    for (name, input, expected) in user {
        for (status, expected) in Status::ALL.iter().zip(expected) {
            assert_eq!(outcome(&in_status(*status), input), expected, "{name} in {status}");
        }
    }
    let pending = in_status(Status::PendingConfirmation);
    assert_eq!(outcome(&pending, Input::Confirmed(Some(&wrong), &Wording::Kept)), "!price");

    #[rustfmt::skip]
    let jobs: [(JobStatus, [&str; 8], [&str; 8]); 7] = [
        // What the worker answers to a command, and what its snapshots make of it.
        (JobStatus::Pending, ["pending_clarification", "pending_confirmation", "confirmed", "queued", "processing", late, late, late], [out, out, out, out, out, late, late, late]),
        (JobStatus::PendingConfirmation, ["pending_clarification", "pending_confirmation", "confirmed", "queued", "processing", late, late, late], [out, out, out, out, out, late, late, late]),
        (JobStatus::Confirmed, ["pending_clarification", "pending_confirmation", "queued", "queued", "processing", late, late, late], [out, out, "queued", "queued", "processing", late, late, late]),
        (JobStatus::Active, ["pending_clarification", "pending_confirmation", "queued", "queued", "processing", late, late, late], [out, out, "processing", "processing", "processing", late, late, late]),
        (JobStatus::Completed, ["pending_clarification", "pending_confirmation", "confirmed", "queued", "processing", late, late, late], [out, out, "completed+generation_result", "completed+generation_result", "completed+generation_result", late, late, late]),
        (JobStatus::Failed, ["pending_clarification", "pending_confirmation", "confirmed", "queued", "processing", late, late, late], [out, out, refused, refused, refused, late, late, late]),
        (JobStatus::Cancelled, ["pending_clarification", "pending_confirmation", "confirmed", "queued", "processing", late, late, late], [out, out, "cancelled+text", "cancelled+text", "cancelled+text", late, late, late]),
    ];
    for (job, answered, told) in jobs {
        for ((status, answered), told) in Status::ALL.iter().zip(answered).zip(told) {
            let generation = in_status(*status);
            let answer = answer(&generation, job);
            assert_eq!(outcome(&generation, Input::CommandAccepted(&answer)), answered, "{job} in {status}");
            let snapshot = snapshot(&generation, job);
            assert_eq!(outcome(&generation, Input::Snapshot(&snapshot)), told, "{job} in {status}");
        }
    }
    for status in Status::ALL {
        let expected = if status.is_terminal() { late } else { stopped };
        assert_eq!(outcome(&in_status(*status), Input::CommandRefused), expected, "refused in {status}");
    }
}

fn change(generation: &Generation, input: Input<'_>) -> Generation {
    match decide(generation, input, NOW) {
        Ok(Decision::Change(change)) => change.after,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_result_fills_the_columns() {
    let generation = in_status(Status::Processing);
    let after = change(&generation, Input::Snapshot(&snapshot(&generation, JobStatus::Completed)));
    assert_eq!((after.progress, after.queue_position, after.eta_seconds), (100, None, None));
    assert_eq!((after.duration, after.file_size), (Some(8.0), Some(123_456)));
    assert_eq!(after.completed_at, Some(NOW));
    assert!(after.job.video_key.as_ref().unwrap().ends_with("video.mp4"));
    assert_eq!(after.job.poster_key(Some(500)), Some(after.job.posters[1].key.as_str()));
    let widths: Vec<_> = after.posters.iter().map(|poster| poster.width).collect();
    assert_eq!(widths, [320, 640, 1280]);
    assert!(after.posters.iter().all(|poster| !poster.url.contains('?')), "rows hold unsigned addresses");
    assert!(!after.result_url.unwrap().contains('?'), "rows hold unsigned addresses");
}

#[test]
fn a_failure_says_why() {
    let generation = in_status(Status::Queued);
    let after = change(&generation, Input::Snapshot(&snapshot(&generation, JobStatus::Failed)));
    assert_eq!(after.error_code, Some(ErrorCode::ContentFiltered));
    assert_eq!(after.failed_at, Some(NOW));
    let mut other = snapshot(&generation, JobStatus::Failed);
    let error = other.error.as_mut().unwrap();
    (error.code, error.delivered) = (ErrorCode::InvalidVideo, Some("video/webm".to_owned()));
    match decide(&generation, Input::Snapshot(&other), NOW) {
        Ok(Decision::Change(change)) => {
            assert_eq!(change.after.error_code, Some(ErrorCode::InvalidVideo));
            let said = format!("{:?}", change.says);
            assert!(said.contains("as WebM") && said.contains("only MP4"), "{said}");
        }
        other => panic!("{other:?}"),
    }
    let after = change(&generation, Input::CommandRefused);
    assert_eq!(after.error_code, Some(ErrorCode::Internal));
    assert!(after.error_message.unwrap().contains("our side"));
    let after = change(&in_status(Status::PendingConfirmation), Input::Expired(NOW));
    assert_eq!((after.error_code, after.cancelled_at), (Some(ErrorCode::Expired), Some(NOW)));
}

/// What the chat says and what stands on the card are one sentence in the user's language, as close as the worker's
/// reason; its own message, which is in English, is never shown.
#[test]
fn why_there_is_no_video_is_told_in_the_users_language() {
    for (language, by_code, by_reason, expired) in [
        (Language::English, "safety filter didn't let", "may show violence", "a week for your yes"),
        (Language::German, "nicht durchgelassen", "Gewalt zeigen könnte", "eine Woche auf dein Ja"),
        (Language::French, "laissée passer", "montrer de la violence", "ton oui une semaine"),
    ] {
        let generation = Generation { language, ..in_status(Status::Processing) };
        let mut failed = snapshot(&generation, JobStatus::Failed);
        for (reason, told) in [(None, by_code), (Some(ErrorReason::FilteredViolence), by_reason)] {
            failed.error.as_mut().unwrap().reason = reason;
            let Ok(Decision::Change(change)) = decide(&generation, Input::Snapshot(&failed), NOW) else {
                panic!("{language:?}")
            };
            let said = change.says.unwrap().1;
            assert!(said.contains(told), "{said}");
            assert_eq!(change.after.error_message, Some(said));
        }
        let waiting = Generation { language, ..in_status(Status::PendingConfirmation) };
        let message = change(&waiting, Input::Expired(NOW)).error_message.unwrap();
        assert!(message.contains(expired), "{message}");
    }
}

/// Whether it is charged is told by the worker alone, and by nothing that failed.
#[test]
fn an_end_without_a_video_says_what_became_of_the_price() {
    let (free, paid) = ("You were not charged.", "so it counts against your budget.");
    let said = |generation: &Generation, input: Input<'_>| match decide(generation, input, NOW) {
        Ok(Decision::Change(change)) => change.says.unwrap().1,
        other => panic!("{other:?}"),
    };
    let making = in_status(Status::Processing);
    let failed = |error: JobError, billable| {
        let error = Some(error);
        said(
            &making,
            Input::Snapshot(&JobSnapshot { error, billable, ..snapshot(&making, JobStatus::Failed) }),
        )
    };
    for code in ErrorCode::ALL {
        for (billable, told, other) in [(true, paid, free), (false, free, paid)] {
            let said = failed(JobError::new(*code, "", true), billable);
            assert!(said.ends_with(told) && !said.contains(other), "{said}");
        }
    }
    // It was taken, whatever its code says of others.
    let lost = JobError::new(ErrorCode::SubmissionUnknown, "", true).because(ErrorReason::SubmissionLost);
    let lost = failed(lost, true);
    assert!(lost.contains("took your request") && !lost.contains("can't tell"), "{lost}");
    assert!(lost.ends_with(paid), "{lost}");
    let nothing = JobSnapshot { result: None, ..snapshot(&making, JobStatus::Completed) };
    assert!(said(&making, Input::Snapshot(&nothing)).ends_with(paid));
    let refused = said(&making, Input::CommandRefused);
    assert!(!refused.contains("charge"), "nobody knows yet: {refused}");

    let stopped = |billable| JobSnapshot { billable, ..snapshot(&making, JobStatus::Cancelled) };
    assert!(said(&making, Input::Snapshot(&stopped(true))).ends_with(paid));
    assert!(!said(&making, Input::Snapshot(&stopped(false))).contains("charge"));
    for status in Status::ALL.iter().filter(|status| !status.is_terminal()) {
        let said = said(&in_status(*status), Input::Cancelled);
        let begun = said.contains("What the provider has begun may be charged");
        assert_eq!(begun, *status == Status::Processing, "{status}: {said}");
    }
}

#[test]
fn between_two_attempts_it_is_processing() {
    let generation = in_status(Status::Queued);
    let waiting = JobSnapshot { stage: Some(Stage::Retrying), ..snapshot(&generation, JobStatus::Confirmed) };
    let after = change(&generation, Input::Snapshot(&waiting));
    assert_eq!((after.status, after.stage), (Status::Processing, Some(Stage::Retrying)));
    assert!(after.started_at.is_some());
}

#[test]
fn a_job_in_the_queue_has_its_position() {
    let generation = in_status(Status::Confirmed);
    let waiting =
        JobSnapshot { queue_position: Some(2), attempt: 0, ..snapshot(&generation, JobStatus::Confirmed) };
    let after = change(&generation, Input::Snapshot(&waiting));
    assert_eq!((after.status, after.queue_position), (Status::Queued, Some(2)));
    let after = change(&after, Input::Snapshot(&snapshot(&after, JobStatus::Active)));
    assert_eq!((after.status, after.queue_position), (Status::Processing, None));
}

#[test]
fn a_job_that_the_worker_lost_and_made_anew_counts_from_its_beginning() {
    let mut generation = in_status(Status::Processing);
    generation.worker_job_id = Some(JobId::new());
    (generation.job.sequence, generation.attempt, generation.progress) = (9, 2, 70);
    let mut of_another = snapshot(&generation, JobStatus::Active);
    of_another.job_id = JobId::new();
    assert_eq!(outcome(&generation, Input::Snapshot(&of_another)), "=other_job");
    let mut answer = answer(&generation, JobStatus::Confirmed);
    answer.job_id = of_another.job_id.clone();
    let after = change(&generation, Input::CommandAccepted(&answer));
    assert_eq!((after.status, after.job.sequence, after.attempt), (Status::Processing, -1, 0));
    of_another.sequence = 0;
    assert_eq!(change(&after, Input::Snapshot(&of_another)).progress, 40);
}

/// A second yes changes nothing whatever came after the first; one that comes after all was called off without
/// a first is refused.
#[test]
fn a_yes_that_had_its_effect_is_no_mistake_later() {
    for end in [Status::Failed, Status::Cancelled] {
        let mut generation = in_status(end);
        assert_eq!(outcome(&generation, Input::Confirmed(None, &Wording::Kept)), "=already_done", "{end}");
        generation.job.confirmed_at = None;
        assert_eq!(outcome(&generation, Input::Confirmed(None, &Wording::Kept)), "!", "{end}");
    }
    let confirmed = change(&in_status(Status::PendingConfirmation), Input::Confirmed(None, &Wording::Kept));
    let cancelled = change(&confirmed, Input::Cancelled);
    assert_eq!(outcome(&cancelled, Input::Confirmed(None, &Wording::Kept)), "=already_done");
}

/// The words of the provider's are the enhanced ones, as they are at the yes.
#[test]
fn the_worker_is_told_what_was_agreed_to() {
    let at_dusk = || Wording::Changed(Some("a paper boat at dusk".to_owned()));
    let told = |generation: &Generation| command(generation, DesiredState::Confirmed, None).prompt;
    let priced = in_status(Status::PendingConfirmation);
    let suggested = change(
        &priced,
        Input::Amended(&Quote { wording: Wording::Suggested("a boat".to_owned()), ..quote() }),
    );
    for (before, wording, expected) in [
        (&priced, Wording::Kept, "a paper boat"),
        (&priced, at_dusk(), "a paper boat at dusk"),
        (&suggested, Wording::Kept, "a boat"),
        (&suggested, at_dusk(), "a paper boat at dusk"),
        (&suggested, Wording::Changed(None), "a paper boat"),
    ] {
        let after = change(before, Input::Confirmed(None, &wording));
        assert_eq!((told(&after).as_str(), after.prompt.as_str()), (expected, "a paper boat"), "{wording:?}");
        // Whoever says yes again has said it: no later words count.
        assert_eq!(outcome(&after, Input::Confirmed(None, &at_dusk())), "=already_done");
    }
    let reworded = change(&suggested, Input::Reworded(&at_dusk()));
    assert_eq!(told(&reworded), "a paper boat at dusk");
    assert_eq!(reworded.job.revision, suggested.job.revision + 1, "a yes to what was before is none to this");
    // What is agreed to is told in full, however long it is.
    let long = Wording::Changed(Some("boats ".repeat(300)));
    match decide(&priced, Input::Amended(&Quote { wording: long, ..quote() }), NOW) {
        Ok(Decision::Change(change)) => assert!(change.says.unwrap().1.contains("boats ".repeat(299).trim())),
        other => panic!("{other:?}"),
    }
}

/// I4: of a snapshot that is not newer only the place in the queue counts, and only in the queue.
#[test]
fn a_job_moves_up_in_the_queue_without_changing() {
    let mut generation = in_status(Status::Queued);
    (generation.worker_job_id, generation.queue_position) = (Some(JobId::new()), Some(3));
    generation.job.sequence = 4;
    let told = |status, sequence, position| JobSnapshot {
        sequence,
        queue_position: Some(position),
        ..snapshot(&generation, status)
    };
    let after = change(&generation, Input::Snapshot(&told(JobStatus::Confirmed, 4, 2)));
    assert_eq!((after.queue_position, after.eta_seconds, after.updated_at), (Some(2), Some(20), NOW));
    assert_eq!((after.progress, after.attempt, after.job.sequence), (generation.progress, 0, 4));
    for late in [
        told(JobStatus::Confirmed, 4, 3),
        told(JobStatus::Confirmed, 4, 4),
        JobSnapshot { queue_position: None, ..told(JobStatus::Confirmed, 4, 3) },
        told(JobStatus::Confirmed, 3, 2),
        told(JobStatus::Active, 4, 2),
        told(JobStatus::Completed, 4, 2),
        JobSnapshot { eta_seconds: Some(1), ..told(JobStatus::Confirmed, 4, 3) },
    ] {
        assert_eq!(outcome(&generation, Input::Snapshot(&late)), "=late");
    }
    // The answer to an earlier question comes last.
    assert_eq!(outcome(&after, Input::Snapshot(&told(JobStatus::Confirmed, 4, 3))), "=late");
    let placed = Generation { queue_position: None, ..generation.clone() };
    let after = change(&placed, Input::Snapshot(&told(JobStatus::Confirmed, 4, 7)));
    assert_eq!(after.queue_position, Some(7), "the first place that is told");
    // What is newer says where it stands, wherever that is: it may have been handed back to the queue.
    let after = change(&generation, Input::Snapshot(&told(JobStatus::Confirmed, 5, 9)));
    assert_eq!(after.queue_position, Some(9));
    generation.status = Status::Processing;
    let equal =
        JobSnapshot { sequence: 4, queue_position: Some(2), ..snapshot(&generation, JobStatus::Confirmed) };
    assert_eq!(outcome(&generation, Input::Snapshot(&equal)), "=late");
}

#[test]
fn a_command_names_the_new_revision() {
    let after = change(&in_status(Status::PendingConfirmation), Input::Confirmed(None, &Wording::Kept));
    let told = command(&after, DesiredState::Confirmed, None);
    assert_eq!((told.revision, told.state), (1, DesiredState::Confirmed));
    assert_eq!(desired(after.status), DesiredState::Confirmed);
}

prop_compose! {
    fn any_snapshot()(
        status in proptest::sample::select(JobStatus::ALL),
        sequence in 0_i64..40,
        attempt in 0_i32..4,
        progress in 0_i32..=100,
        stage in proptest::option::of(Just(Stage::Generating)),
        retrying in any::<bool>(),
    ) -> JobSnapshot {
        let stage = if retrying { Some(Stage::Retrying) } else { stage };
        JobSnapshot { sequence, attempt, progress, stage, ..snapshot(&generation(), status) }
    }
}

proptest! {
    /// I2, I3, I4 and I5, whatever the worker says in whatever order.
    #[test]
    fn no_sequence_of_snapshots_breaks_the_lifecycle(
        start in proptest::sample::select(Status::ALL),
        snapshots in proptest::collection::vec(any_snapshot(), 0..40),
    ) {
        let mut generation = in_status(start);
        generation.worker_job_id = Some(JobId::new());
        let mut ends = 0;
        for mut snapshot in snapshots {
            snapshot.job_id = generation.worker_job_id.clone().unwrap();
            let decision = decide(&generation, Input::Snapshot(&snapshot), NOW);
            let Ok(Decision::Change(change)) = decision else {
                prop_assert!(decision.is_ok(), "the worker's word is never refused");
                continue;
            };
            let after = change.after;
            prop_assert!(!generation.status.is_terminal(), "I2");
            prop_assert!(matches!(
                (generation.status, after.status),
                (Status::Confirmed | Status::Queued, Status::Queued | Status::Processing)
                    | (Status::Processing, Status::Processing)
                    | (
                        Status::Confirmed | Status::Queued | Status::Processing,
                        Status::Completed | Status::Failed | Status::Cancelled
                    )
            ));
            if snapshot.sequence == generation.job.sequence {
                let moved = Generation {
                    queue_position: after.queue_position,
                    updated_at: after.updated_at,
                    eta_seconds: after.eta_seconds,
                    ..generation.clone()
                };
                prop_assert_eq!(&after, &moved, "I4");
            } else {
                prop_assert!(snapshot.sequence > generation.job.sequence, "I4");
            }
            prop_assert_eq!(after.job.sequence, snapshot.sequence);
            prop_assert!(after.attempt >= generation.attempt);
            prop_assert!(after.attempt > generation.attempt || after.progress >= generation.progress, "I5");
            prop_assert_eq!(after.status.is_terminal(), change.says.is_some(), "I3");
            prop_assert_eq!(change.command, None);
            ends += u32::from(after.status.is_terminal());
            generation = after;
        }
        prop_assert!(ends <= 1);
    }

    /// What the user does and what the worker says, mixed: one end at most, with one message.
    #[test]
    fn users_and_workers_together_reach_one_end(
        steps in proptest::collection::vec((0_u8..9, any_snapshot()), 0..40),
    ) {
        let (quote, responses) = (quote(), responses());
        let mut generation = generation();
        generation.worker_job_id = Some(JobId::new());
        let (mut ends, mut revision) = (0, 0);
        for (step, mut snapshot) in steps {
            snapshot.job_id = generation.worker_job_id.clone().unwrap();
            let answer = answer(&generation, snapshot.status);
            let input = match step {
                0 => Input::Answered { responses: &responses, quote: &quote },
                1 => Input::Confirmed(None, &Wording::Kept),
                2 => Input::Cancelled,
                3 => Input::Expired(NOW + std::time::Duration::from_secs(1)),
                4 => Input::CommandAccepted(&answer),
                5 => Input::CommandRefused,
                6 => Input::Amended(&quote),
                _ => Input::Snapshot(&snapshot),
            };
            if let Ok(Decision::Change(change)) = decide(&generation, input, NOW) {
                prop_assert!(!generation.status.is_terminal());
                prop_assert!(change.after.job.revision >= revision);
                revision = change.after.job.revision;
                let ended = change.after.status.is_terminal();
                prop_assert!(!ended || change.says.is_some());
                ends += u32::from(ended);
                generation = change.after;
            }
        }
        prop_assert!(ends <= 1);
    }
}
