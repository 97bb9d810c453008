//! The making of a video against the simulated provider and the embedded storage: every way in which it goes
//! wrong, and a crash in the middle of every step.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use contract::{
    ErrorCode, ErrorReason, ImageRole, JobStatus, UploadId,
    worker_api::{Command, DesiredState},
};
use foundation::{settings::Environment, testing::TestDatabase};
use hyper::{Method, http::request::Parts};
use tokio_util::sync::CancellationToken;
use url::Url;
use worker_service::{
    bucket::{Bucket, Patience, S3Bucket},
    jobs::state::Input,
    providers::Providers,
    queue::{Lease, Limits, Runner, Running},
    settings::SweeperSettings,
    store::{AttemptState, Job},
    sweeper::Sweeper,
    workflow::{Workflow, cancels::Cancels},
};

use crate::{
    bench::{Bench, Changes, in_time},
    fixture::on_both_databases,
    gate::{Fate, Gate},
};

on_both_databases! {
    a_video_is_made,
    what_is_discarded_leaves_nothing_behind,
    a_crash_while_submitting_is_an_unknown_submission,
    a_crash_while_polling_goes_on_polling,
    a_crash_while_downloading_downloads_again,
    a_crash_while_uploading_uploads_elsewhere,
    a_crash_between_uploads_uploads_elsewhere,
    a_worker_that_must_end_waits_for_the_providers_answer,
    what_nobody_waits_for_is_called_off_once,
    how_long_videos_take_is_remembered,
    what_may_have_been_charged_is_never_submitted_again,
    a_video_is_made_from_pictures,
}

async fn a_video_is_made(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let generation = bench.queued("a paper boat").await;
    let job = bench.run(&bench.workflow(&[]), &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!((job.life.attempt, job.life.retry_count, job.life.progress), (1, 0, 100));
    assert_eq!(bench.submissions().await, 1);
}

/// A video that is called off when it is there goes with its thumbnail and all its posters.
async fn what_is_discarded_leaves_nothing_behind(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let mut command = Bench::command("veo3", "veo-3.1-fast-generate-001", "a paper boat");
    let generation = bench.take(&command).await;
    let job = bench.run(&bench.workflow(&[]), &generation).await;
    bench.assert_stored(&job).await;
    let stored = async || bench.storage.bucket().list("", None).await.unwrap().objects.len();
    assert_eq!(stored().await, 5, "the video, its thumbnail and three posters");

    (command.revision, command.state) = (2, DesiredState::Cancelled);
    bench.take(&command).await;
    let settings = SweeperSettings {
        every: Duration::from_secs(600),
        grace: Duration::ZERO,
        uploads_kept: Duration::from_hours(1),
    };
    let bucket = Arc::new(bench.storage.bucket());
    let sweeper = Sweeper::new(bench.store.clone(), bucket, &settings, Duration::ZERO);
    assert_eq!(sweeper.sweep().await.unwrap().objects, 5);
    assert_eq!(stored().await, 0);
    assert_eq!(bench.store.objects(&job.id).await.unwrap(), []);
}

async fn a_video_is_made_from_pictures(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let [first, last] = [bench.picture().await, bench.picture().await];
    let frames = [(&first, ImageRole::FirstFrame), (&last, ImageRole::LastFrame)];
    let generation = bench.queued_from("the boat moves", &frames).await;
    let job = bench.run(&bench.workflow(&[]), &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!(bench.submissions().await, 1);
    assert_eq!(bench.submitted().await[0]["images"], 2, "they went along");

    // What cannot be fetched is not submitted without it.
    let gone = bench.queued_from("the boat is gone", &[(&UploadId::new(), ImageRole::FirstFrame)]).await;
    let job = bench.run(&bench.workflow(&[]), &gone).await;
    let error = job.life.error.unwrap();
    assert_eq!((error.code, error.reason), (ErrorCode::InvalidRequest, Some(ErrorReason::PictureGone)));
    let gate = Gate::before(bench.storage.settings.endpoint.as_ref().unwrap(), |head, _| {
        let reads = head.method == Method::GET && head.uri.path().contains("/uploads/");
        if reads { Fate::Refuse(403) } else { Fate::Pass }
    })
    .await;
    let settings =
        foundation::s3::S3Settings { endpoint: Some(gate.address.clone()), ..bench.storage.settings.clone() };
    let bucket = Arc::new(S3Bucket::new(&settings, Patience::default()).unwrap());
    let workflow = bench.workflow_through(&bench.provider(), bucket, &[]);
    let away = bench.queued_from("the boat is away", &frames).await;
    let job = bench.run(&workflow, &away).await;
    assert_eq!((job.life.retry_count, job.life.attempt), (3, 0));
    let error = job.life.error.unwrap();
    assert_eq!((error.code, error.reason), (ErrorCode::StorageError, Some(ErrorReason::PictureNotFetched)));
    assert_eq!(bench.submissions().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_as_it_shall() {
    /// What is asked for, the settings, the error that it ends with, the attempts, what the provider took, and whether
    /// it may charge for that.
    type Case = (&'static str, Changes, Option<ErrorCode>, i32, usize, bool);
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let impatient: Changes = &[("PROVIDER_SUBMIT_TIMEOUT", "1s")];
    let cautious: Changes = &[("PROVIDER_SUBMIT_TIMEOUT", "1s"), ("SUBMISSION_UNKNOWN", "fail")];
    let cases: [Case; 13] = [
        ("[sim:fail]", &[], Some(ErrorCode::ProviderError), 4, 4, false),
        ("[sim:filtered]", &[], Some(ErrorCode::ContentFiltered), 1, 1, false),
        // The filter says that the same words may pass.
        ("[sim:audio]", &[], None, 2, 2, true),
        // It was made, and charged, whatever the download came to.
        ("[sim:truncated]", &[], Some(ErrorCode::InvalidVideo), 1, 1, true),
        ("[sim:html]", &[], Some(ErrorCode::InvalidVideo), 1, 1, true),
        ("[sim:unheard-of]", &[], Some(ErrorCode::InvalidRequest), 1, 0, false),
        ("[sim:429]", &[], None, 2, 1, true),
        ("[sim:500]", &[], Some(ErrorCode::SubmissionUnknown), 2, 0, false),
        ("[sim:hang]", impatient, Some(ErrorCode::SubmissionUnknown), 2, 0, false),
        ("[sim:lost]", impatient, None, 2, 2, true),
        ("[sim:lost] again", cautious, Some(ErrorCode::SubmissionUnknown), 1, 1, false),
        // It was taken and did not fail, so it may be charged, and there is no other.
        ("[sim:nameless]", &[], Some(ErrorCode::SubmissionUnknown), 1, 1, true),
        ("[sim:empty]", &[], Some(ErrorCode::ProviderError), 1, 1, true),
    ];
    for (prompt, changes, error, attempts, submissions, billable) in cases {
        let before = bench.submissions().await;
        let generation = bench.queued(prompt).await;
        let job = bench.run(&bench.workflow(changes), &generation).await;
        assert_eq!(job.life.error.as_ref().map(|error| error.code), error, "{prompt}");
        let delivered = job.life.error.as_ref().and_then(|error| error.delivered.as_deref());
        assert_eq!(delivered, prompt.contains("html").then_some("text/html"), "{prompt}");
        assert_eq!(job.life.attempt, attempts, "{prompt}");
        assert_eq!(bench.submissions().await - before, submissions, "{prompt}");
        assert_eq!(bench.is_billable(&job).await, billable, "{prompt}");
        if error.is_none() {
            bench.assert_stored(&job).await;
        }
        assert_eq!(bench.leftovers(), Vec::<PathBuf>::new(), "{prompt}");
    }
}

/// Submissions of unknown fate, as the metrics have counted them in this process.
fn unknown_submissions(metrics: &telemetry::Metrics) -> u64 {
    let text = metrics.render();
    let of_veo = r#"reelay_submissions_unknown_total{provider="veo3"} "#;
    let counts = text.lines().filter_map(|line| line.strip_prefix(of_veo));
    counts.map(|count| count.parse::<u64>().unwrap()).sum()
}

/// Whatever the provider says in place of an operation's name or of a video: one submission, which may be charged.
async fn what_may_have_been_charged_is_never_submitted_again(database: TestDatabase) {
    /// What is asked for, when the provider goes wrong, how, and the error that it ends with.
    type Case = (&'static str, fn(&Parts) -> bool, Fate, ErrorCode);
    let bench = Bench::start(database).await;
    let metrics = telemetry::install_metrics().unwrap();
    let counted_before = unknown_submissions(&metrics);
    let (unknown, gone) = (ErrorCode::SubmissionUnknown, ErrorCode::ProviderError);
    let cases: [Case; 5] = [
        ("no name", is_submission, Fate::Replace(200, "{}"), unknown),
        ("a name that leads astray", is_submission, Fate::Replace(200, r#"{"name":"../x"}"#), unknown),
        ("gone", is_poll, Fate::Replace(404, NOT_FOUND), gone),
        ("gone for ever", is_poll, Fate::Replace(410, NOT_FOUND), gone),
        ("nothing", is_poll, Fate::Replace(200, r#"{"done":true,"response":{}}"#), gone),
    ];
    for (index, (prompt, at, fate, error)) in cases.into_iter().enumerate() {
        let gate =
            Gate::before(&bench.provider(), move |head, _| if at(head) { fate.clone() } else { Fate::Pass })
                .await;
        let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
        let generation = bench.queued(prompt).await;
        let job = bench.run(&workflow, &generation).await;
        let told = job.life.error.as_ref().unwrap();
        assert_eq!((job.life.status, told.code), (JobStatus::Failed, error), "{prompt}");
        assert_eq!(told.reason, (error == unknown).then_some(ErrorReason::SubmissionLost), "{prompt}");
        assert_eq!((job.life.attempt, job.life.retry_count), (1, 0), "{prompt}");
        assert_eq!(bench.submissions().await, index + 1, "{prompt}");
        assert!(bench.is_billable(&job).await, "{prompt}");
        assert_eq!(bench.leftovers(), Vec::<PathBuf>::new(), "{prompt}");
    }
    assert!(unknown_submissions(&metrics) >= counted_before + 2, "both without a name are counted");
    // A page that a proxy shows says nothing of the provider: after the grace window it is sent again.
    let gate = Gate::before(&bench.provider(), |head, seen| {
        if is_submission(head) && seen == 0 { Fate::Replace(200, "<html>") } else { Fate::Pass }
    })
    .await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let generation = bench.queued("a page").await;
    let job = bench.run(&workflow, &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!((job.life.attempt, bench.submissions().await), (2, 7));
}

/// What a provider says of an operation that it does not know.
const NOT_FOUND: &str = r#"{"error":{"code":404,"message":"Operation not found","status":"NOT_FOUND"}}"#;

/// A proxy that answers in the provider's place for a while, as one does that is being replaced, says nothing of a video
/// that is being made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_in_the_providers_place_ends_no_video() {
    const STRANGE: &[(u16, &str)] = &[
        (404, "no such route"),
        (410, ""),
        (302, ""),
        (308, "{}"),
        (400, "<html>"),
        (401, "<html>"),
        (402, "{}"),
        (403, ""),
        (405, ""),
        (407, ""),
        (409, NOT_FOUND),
        (502, "<html>"),
        (200, "<html>"),
        (200, r#"{"error":{"code":503,"message":"no healthy upstream"}}"#),
    ];
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let polls = AtomicUsize::new(0);
    let gate = Gate::before(&bench.provider(), move |head, _| {
        if !is_poll(head) {
            return Fate::Pass;
        }
        let strange = STRANGE.get(polls.fetch_add(1, Ordering::SeqCst));
        strange.map_or(Fate::Pass, |&(status, body)| Fate::Replace(status, body))
    })
    .await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let generation = bench.queued("a paper boat").await;
    let job = bench.run(&workflow, &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!((job.life.attempt, job.life.retry_count), (1, 0));
    assert!(gate.seen() > STRANGE.len(), "{} requests", gate.seen());
    assert_eq!(bench.submissions().await, 1);
}

/// Runs a job until one of its requests hangs, lets go of it there as a crash would, and runs it again.
async fn crash(database: TestDatabase, at: fn(&Parts) -> bool, attempts: i32) {
    let bench = Bench::start(database).await;
    let hanging = |target: &Url| {
        let struck = std::sync::atomic::AtomicBool::new(false);
        let target = target.clone();
        async move {
            Gate::before(&target, move |head, _| {
                let strikes = at(head) && !struck.swap(true, std::sync::atomic::Ordering::SeqCst);
                if strikes { Fate::Hang } else { Fate::Pass }
            })
            .await
        }
    };
    let provider = hanging(&bench.provider()).await;
    let storage = hanging(bench.storage.settings.endpoint.as_ref().unwrap()).await;
    let settings = foundation::s3::S3Settings {
        endpoint: Some(storage.address.clone()),
        ..bench.storage.settings.clone()
    };
    let bucket = Arc::new(S3Bucket::new(&settings, Patience::default()).unwrap());
    let workflow = bench.workflow_through(&provider.address, bucket, &[]);
    let generation = bench.queued("a paper boat").await;

    let lease = bench.claim(&CancellationToken::new()).await;
    let epoch = lease.job().life.lease_epoch;
    let hung = in_time(async {
        tokio::select! {
            _ = workflow.run(lease) => false,
            () = provider.hangs() => true,
            () = storage.hangs() => true,
        }
    });
    assert!(hung.await, "it came to an end");
    assert_eq!(bench.leftovers(), Vec::<PathBuf>::new());
    let job = bench.job(&generation).await;
    bench.store.abandon(&job.id, epoch).await.unwrap();

    let job = bench.run(&workflow, &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!(job.life.attempt, attempts);
    assert_eq!(bench.submissions().await, 1);
}

fn is_submission(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path().ends_with(":predictLongRunning")
}

fn is_poll(head: &Parts) -> bool {
    head.uri.path().contains("/operations/")
}

fn is_download(head: &Parts) -> bool {
    head.uri.path().ends_with(":download")
}

fn is_upload(head: &Parts) -> bool {
    head.method == Method::PUT && head.uri.path().ends_with("/video.mp4")
}

fn is_second_upload(head: &Parts) -> bool {
    head.method == Method::PUT && head.uri.path().ends_with("/thumbnail.jpg")
}

// The steps after the provider's accept: one submission, whatever happens (I15).

/// The fate of the first submission is unknown, so there is another after the grace window (I16).
async fn a_crash_while_submitting_is_an_unknown_submission(database: TestDatabase) {
    crash(database, is_submission, 2).await;
}

async fn a_crash_while_polling_goes_on_polling(database: TestDatabase) {
    crash(database, is_poll, 1).await;
}

async fn a_crash_while_downloading_downloads_again(database: TestDatabase) {
    crash(database, is_download, 1).await;
}

async fn a_crash_while_uploading_uploads_elsewhere(database: TestDatabase) {
    crash(database, is_upload, 1).await;
}

async fn a_crash_between_uploads_uploads_elsewhere(database: TestDatabase) {
    crash(database, is_second_upload, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_hands_the_job_back() {
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let workflow = bench.workflow(&[]);
    let generation = bench.queued("[sim:never]").await;
    let stopping = CancellationToken::new();
    let lease = bench.claim(&stopping).await;
    let running = tokio::spawn(async move { workflow.run(lease).await });
    in_time(async {
        while bench.submissions().await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stopping.cancel();
    in_time(running).await.unwrap().unwrap();
    let job = bench.job(&generation).await;
    assert_eq!((job.life.status, &job.life.lease_owner), (JobStatus::Active, &None));
    let lease = bench.claim(&stopping).await;
    assert_eq!(lease.attempt().map(|attempt| attempt.state), Some(AttemptState::Accepted));
}

/// Even one whose time to stop in order is over: half a submission would be one of unknown fate.
async fn a_worker_that_must_end_waits_for_the_providers_answer(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let gate =
        Gate::before(&bench.provider(), |head, _| if is_submission(head) { Fate::Hold } else { Fate::Pass })
            .await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let asked = bench.queued("[sim:never]").await;
    // This one knows no stop, so it shows when jobs are cut off.
    let deaf = bench.queued("deaf").await;
    let work = move |lease: Lease| {
        let workflow = workflow.clone();
        async move {
            if lease.job().wanted.prompt == "deaf" {
                std::future::pending().await
            } else {
                workflow.run(lease).await
            }
        }
    };
    let limits = Limits {
        running: 2,
        per_user: 2,
        heartbeat: Duration::from_secs(600),
        lease: Duration::from_secs(600),
        deadline: Duration::from_secs(600),
        shutdown: Duration::from_millis(1),
    };
    let (store, stop) = (bench.store.clone(), CancellationToken::new());
    let runner = Runner::new(store, bench.worker.clone(), Running::default(), limits, work);
    let running = tokio::spawn(runner.run(stop.clone()));
    in_time(gate.hangs()).await;
    in_time(async {
        while bench.job(&deaf).await.life.status != JobStatus::Active {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stop.cancel();
    in_time(async {
        while bench.job(&deaf).await.life.lease_owner.is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(bench.job(&asked).await.life.lease_owner.is_some(), "it waits for its answer");
    gate.release();
    in_time(running).await.unwrap();
    let job = bench.job(&asked).await;
    assert_eq!((job.life.status, &job.life.lease_owner), (JobStatus::Active, &None));
    let lease = loop {
        let lease = bench.claim(&CancellationToken::new()).await;
        if lease.job().generation_id == asked {
            break lease;
        }
    };
    assert_eq!(lease.attempt().map(|attempt| attempt.state), Some(AttemptState::Accepted));
    assert_eq!(bench.submissions().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storage_that_is_away_is_tried_again_without_another_submission() {
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let endpoint = bench.storage.settings.endpoint.clone().unwrap();
    let gate = Gate::before(&endpoint, |head, seen| {
        if head.method == Method::PUT && seen < 2 { Fate::Refuse(403) } else { Fate::Pass }
    })
    .await;
    let settings =
        foundation::s3::S3Settings { endpoint: Some(gate.address.clone()), ..bench.storage.settings.clone() };
    let bucket = Arc::new(S3Bucket::new(&settings, Patience::default()).unwrap());
    let workflow = bench.workflow_through(&bench.provider(), bucket, &[]);
    let generation = bench.queued("a paper boat").await;
    let job = bench.run(&workflow, &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!((job.life.attempt, job.life.retry_count), (1, 2));
    assert_eq!(bench.submissions().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_provider_makes_a_video_in_each_of_its_ways() {
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let (base, account) = (bench.provider(), include_str!("service-account.json"));
    let account = account.replace("http://127.0.0.1:8082/token", base.join("token").unwrap().as_str());
    let on_vertex = ("VEO3_VERTEX_PROJECT", "my-project");
    let storage = ("VEO3_VERTEX_STORAGE_URI", "gs://my-bucket/videos");
    let storage_base = ("VEO3_VERTEX_STORAGE_BASE_URL", base.as_str());
    let account = ("VEO3_VERTEX_CREDENTIALS", account.as_str());
    let machine = ("VEO3_VERTEX_METADATA_URL", base.as_str());
    let (veo, omni) = (("veo3", "veo-3.1-generate-001"), ("omni", "gemini-omni-1.1-flash"));
    let cases: [(_, _, &[(&str, &str)]); 7] = [
        (veo, "by a link", &[]),
        (veo, "inside of the answer, with a key", &[on_vertex]),
        (veo, "inside of the answer, as an account", &[on_vertex, account]),
        (
            veo,
            "in the storage, as the machine",
            &[on_vertex, storage, storage_base, machine, ("VEO3_API_KEY", "")],
        ),
        (omni, "by a link", &[]),
        (omni, "a file that is not ready at once [sim:processing]", &[]),
        (omni, "inside of the answer [sim:inline]", &[]),
    ];
    for (index, ((provider, model), prompt, changes)) in cases.into_iter().enumerate() {
        let generation = bench.queued_for(provider, model, prompt).await;
        let job = bench.run(&bench.workflow(changes), &generation).await;
        bench.assert_stored(&job).await;
        assert_eq!((job.life.attempt, bench.submissions().await), (1, index + 1), "{provider}: {prompt}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn omni_says_why_there_is_no_video() {
    let bench = Bench::start(TestDatabase::sqlite()).await;
    for (prompt, error, attempts, billable) in [
        ("[sim:fail]", Some(ErrorCode::ProviderError), 4, false),
        // It says so in words.
        ("[sim:filtered]", Some(ErrorCode::ContentFiltered), 1, false),
        ("[sim:audio]", None, 2, true),
        ("[sim:nameless]", Some(ErrorCode::SubmissionUnknown), 1, true),
        ("[sim:empty]", Some(ErrorCode::ProviderError), 1, true),
    ] {
        let generation = bench.queued_for("omni", "gemini-omni-1.1-flash", prompt).await;
        let job = bench.run(&bench.workflow(&[]), &generation).await;
        assert_eq!(job.life.error.as_ref().map(|error| error.code), error, "{prompt}");
        assert_eq!(job.life.attempt, attempts, "{prompt}");
        assert_eq!(bench.is_billable(&job).await, billable, "{prompt}");
    }
}

/// Lets a job run until the provider has it and is asked after it, and lets go of it there.
async fn accepted(bench: &Bench, workflow: &Workflow, prompt: &str) -> (Command, Job) {
    let command = Bench::command("omni", "gemini-omni-1.1-flash", prompt);
    let generation = bench.take(&command).await;
    let lease = bench.claim(&CancellationToken::new()).await;
    let running = Box::pin(workflow.run(lease));
    let has_operation = async {
        loop {
            let job = bench.job(&generation).await;
            if job.life.stage == Some(contract::Stage::Generating) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let job = in_time(async {
        tokio::select! {
            ended = running => panic!("{ended:?}"),
            job = has_operation => job,
        }
    });
    (command, job.await)
}

async fn what_nobody_waits_for_is_called_off_once(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let workflow = bench.workflow(&[]);
    let base = bench.simulator.base_url();
    let environment = [("PROVIDERS", "omni"), ("OMNI_BASE_URL", base.as_str()), ("OMNI_API_KEY", "the-key")];
    let map = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let providers = Providers::read(&Environment::from_map(map)).unwrap();
    let cancels = Cancels::new(bench.store.clone(), providers);

    // One is cancelled by its user, one runs out of time, one goes on.
    let (mut command, _) = accepted(&bench, &workflow, "[sim:never] cancelled").await;
    (command.revision, command.state) = (2, DesiredState::Cancelled);
    bench.take(&command).await;
    let (_, late) = accepted(&bench, &workflow, "[sim:never] late").await;
    bench.store.decide_and_commit(&late.id, late.life.lease_epoch, Input::DeadlinePassed).await.unwrap();
    accepted(&bench, &workflow, "[sim:never] goes on").await;
    assert_eq!(bench.ledger().await, ["running", "running", "running"]);

    assert_eq!(cancels.round().await.unwrap(), 2);
    assert_eq!(bench.ledger().await, ["cancelled", "cancelled", "running"]);
    assert_eq!(cancels.round().await.unwrap(), 0, "once each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_cancelled_while_the_provider_takes_it_is_called_off() {
    let bench = Bench::start(TestDatabase::sqlite()).await;
    let gate = Gate::before(&bench.provider(), |head, _| {
        if head.uri.path() == "/v1beta/interactions" { Fate::Hold } else { Fate::Pass }
    })
    .await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let mut command = Bench::command("omni", "gemini-omni-1.1-flash", "[sim:never]");
    bench.take(&command).await;
    let lease = bench.claim(&CancellationToken::new()).await;
    let running = tokio::spawn(async move { workflow.run(lease).await });
    in_time(gate.hangs()).await;
    (command.revision, command.state) = (2, DesiredState::Cancelled);
    bench.take(&command).await;
    gate.release();
    in_time(running).await.unwrap().unwrap_err();
    assert_eq!(bench.ledger().await, ["cancelled"]);
    // It may have cost something, and nobody can say that it did not.
    let job = bench.job(&command.generation_id).await;
    assert!(bench.is_billable(&job).await);
}

async fn how_long_videos_take_is_remembered(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let model = "veo-3.1-fast-generate-001";
    assert_eq!(bench.store.latency("veo3", model).await.unwrap(), None);
    let generation = bench.queued("a paper boat").await;
    bench.run(&bench.workflow(&[]), &generation).await;
    let took = bench.store.latency("veo3", model).await.unwrap().unwrap();
    assert!((Duration::from_millis(50)..Duration::from_mins(1)).contains(&took), "{took:?}");

    bench.store.learn_latency("veo3", "another", Duration::from_secs(10)).await.unwrap();
    bench.store.learn_latency("veo3", "another", Duration::from_secs(20)).await.unwrap();
    let blended = bench.store.latency("veo3", "another").await.unwrap().unwrap();
    assert!((blended.as_secs_f64() - 13.0).abs() < 1e-9, "{blended:?}");
    assert_eq!(bench.store.latency("omni", "another").await.unwrap(), None);
}
