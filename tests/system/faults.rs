//! Crashes: kill -9 of the worker in mid-job, of the API in mid-delivery, and answers that are lost on the way.
//! Still exactly one result, one message, and no more submissions than were allowed (I1, I3, I15–I17).

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{Backend, Client, System, client::id, eventually, process::signal};

/// What must be there after any fault.
async fn check_one_result(user: &Client, ordered: &Value) {
    let done = user.until(ordered, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
}

/// Waits until the provider has accepted and the worker has written that down.
async fn accepted(system: &System, log: &str, ordered: &Value) {
    let log = system.processes[log].log();
    let job = user_job(ordered, &log).await;
    log.event("[VEO3_SERVICE] Polling", |event| event["jobId"] == job).await;
}

/// The id of a generation's job, from the log of whoever has it.
async fn user_job(ordered: &Value, log: &crate::harness::log::LogFile) -> Value {
    let created = |event: &Value| event["generationId"] == ordered["id"];
    log.event("[WORKER_GENERATION_CREATE] Job created", created).await["jobId"].clone()
}

async fn the_worker_is_killed_in_mid_job(backend: Backend) {
    let mut system = System::separate(backend, &[]).await;
    let user = system.user().await;
    let prompt = "a boat under way [sim:latency=4s]";
    let ordered = user.order(prompt).await;
    accepted(&system, "worker", &ordered).await;
    system.process("worker").kill().await;
    system.process("worker").start_again().await;
    check_one_result(&user, &ordered).await;
    assert_eq!(system.submissions(prompt).await, 1);
}

#[tokio::test]
async fn the_worker_is_killed_in_mid_job_on_sqlite() {
    the_worker_is_killed_in_mid_job(Backend::Sqlite).await;
}

#[tokio::test]
async fn the_worker_is_killed_in_mid_job_on_postgres() {
    the_worker_is_killed_in_mid_job(Backend::Postgres).await;
}

async fn the_api_is_killed_in_mid_delivery(backend: Backend) {
    let mut system = System::separate(backend, &[]).await;
    let user = system.user().await;
    let prompt = "a boat that arrives";
    let ordered = user.order(prompt).await;
    let (api, worker) = (system.process("api").log(), system.process("worker").log());
    let about = |event: &Value| event["generationId"] == ordered["id"];
    api.event("[WEBHOOK] Updating generation in DB", |event| about(event)).await;
    system.process("api").kill().await;
    // The worker goes on without anybody to tell, and keeps what it has to tell.
    let finished = |event: &Value| about(event) && event["event"] == "generation.completed";
    worker.event("[WORKER_WEBHOOK] Webhook failed", finished).await;
    system.process("api").start_again().await;
    check_one_result(&user, &ordered).await;
    assert_eq!(system.submissions(prompt).await, 1);
}

#[tokio::test]
async fn the_api_is_killed_in_mid_delivery_on_sqlite() {
    the_api_is_killed_in_mid_delivery(Backend::Sqlite).await;
}

#[tokio::test]
async fn the_api_is_killed_in_mid_delivery_on_postgres() {
    the_api_is_killed_in_mid_delivery(Backend::Postgres).await;
}

/// With the worker down, a user's create, clarify and confirm are answered at once and go through when it returns
/// (I6).
#[tokio::test]
async fn nobody_has_to_wait_for_the_worker() {
    let mut system = System::separate(Backend::Sqlite, &[("COMMAND_RETRY_MAX", "1s")]).await;
    system.process("worker").kill().await;
    let user = system.user().await;
    let answer = user.say("Please make a video of a paper boat").await;
    let generation = &answer["generation"];
    let answers = json!({"responses": {"duration": 4, "aspect_ratio": "16:9"}});
    user.act(generation, "clarify", &answers).await.expect(200);
    let confirmed = user.act(generation, "confirm", &json!({})).await.expect(200);
    assert_eq!(confirmed["status"], "confirmed");
    system.process("worker").start_again().await;
    check_one_result(&user, &confirmed).await;
}

/// An answer of the provider that is lost may have cost money: it is submitted once more after the grace window,
/// and never a third time (I16).
#[tokio::test]
async fn a_lost_answer_is_followed_by_one_more_submission_at_most() {
    let quick = [("SUBMISSION_GRACE", "1s"), ("PROVIDER_SUBMIT_TIMEOUT", "3s")];
    let system = System::separate(Backend::Sqlite, &quick).await;
    let user = system.user().await;
    let prompt = "a boat whose letter was lost [sim:lost]";
    let ordered = user.order(prompt).await;
    check_one_result(&user, &ordered).await;
    assert_eq!(system.submissions(prompt).await, 2);
}

/// Where the policy is not to pay twice, the user is told so.
#[tokio::test]
async fn a_lost_answer_fails_where_nothing_may_be_paid_twice() {
    let quick =
        [("SUBMISSION_GRACE", "1s"), ("PROVIDER_SUBMIT_TIMEOUT", "3s"), ("SUBMISSION_UNKNOWN", "fail")];
    let system = System::separate(Backend::Sqlite, &quick).await;
    let user = system.user().await;
    let prompt = "a boat whose letter was lost for good [sim:lost]";
    let ordered = user.order(prompt).await;
    let failed = user.until(&ordered, "failed").await;
    assert_eq!(failed["errorCode"], "submission_unknown", "{failed:#}");
    assert_eq!(system.submissions(prompt).await, 1);
    assert_eq!(user.told(&ordered, &["generation_result", "error"]).await.len(), 1);
}

/// Whatever the provider sends in a video's place is noticed; what it refuses for a moment is asked for again.
#[tokio::test]
async fn the_providers_faults_are_survived_or_told() {
    let system = System::separate(Backend::Sqlite, &[("JOB_MAX_RETRIES", "1")]).await;
    let user = system.user().await;
    let mut ends = Vec::new();
    for (prompt, status, code) in [
        ("a boat in a queue [sim:429]", "completed", Value::Null),
        ("half a boat [sim:truncated]", "failed", json!("invalid_video")),
        ("a page about boats [sim:html]", "failed", json!("invalid_video")),
    ] {
        let (system, user) = (&system, &user);
        ends.push(async move {
            let ordered = user.order(prompt).await;
            let over = user.until(&ordered, status).await;
            assert_eq!(over["errorCode"], code, "{over:#}");
            let told = user.told(&ordered, &["generation_result", "error"]).await;
            assert_eq!(told.len(), 1, "{told:#?}");
            // One, and one for each that the provider accepted and then failed (I17).
            assert!((1..=2).contains(&system.submissions(prompt).await), "{}", id(&ordered));
        });
    }
    futures_util::future::join_all(ends).await;
}

/// Of two workers, the one that has the job sleeps over its lease: the other takes the job over, and the sleeper
/// notices when it wakes. The lines that they logged.
pub(crate) async fn a_worker_sleeps_over_its_lease() -> Vec<Value> {
    // The provider is asked so rarely that the heartbeat is the first to notice.
    let settings = [
        ("JOB_LEASE", "4s"),
        ("JOB_HEARTBEAT", "1s"),
        ("POLL_INTERVAL", "30s"),
        ("POLL_INTERVAL_LONGEST", "30s"),
    ];
    let system = System::replicated(Backend::Postgres, 2, &settings).await;
    let user = system.user().await;
    let ordered = user.order("a boat whose captain sleeps [sim:latency=3s]").await;
    let accepted = "[VEO3_SERVICE] Operation accepted";
    system.until_logged(accepted).await;
    // Told to others, so written down: before that, the fate of the submission would be unknown.
    let told = |event: &Value| {
        event["message"] == "[WORKER_WEBHOOK] Webhook delivered" && event["event"] == "generation.progress"
    };
    eventually("the progress is told", async || system.events().into_iter().find(|event| told(event))).await;
    let has_it =
        |name: &&str| system.processes[*name].log().events().iter().any(|event| event["message"] == accepted);
    let sleeper = ["worker", "worker-2"].into_iter().find(has_it).unwrap();
    let pid = system.processes[sleeper].pid();
    signal(pid, Signal::SIGSTOP);
    system.until_logged("[QUEUE_MANAGER] Job rescued").await;
    signal(pid, Signal::SIGCONT);
    system.until_logged("[QUEUE_MANAGER] Heartbeat lost").await;
    user.until(&ordered, "completed").await;
    system.events()
}

#[tokio::test]
async fn a_worker_that_sleeps_over_its_lease_finds_its_job_gone() {
    let lines = a_worker_sleeps_over_its_lease().await;
    let completed = lines.iter().filter(|line| line["message"] == "[JOB_MANAGER] Job completed");
    assert_eq!(completed.count(), 1);
}
