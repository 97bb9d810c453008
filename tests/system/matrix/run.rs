//! One row, from an empty system to the verdict: the story is played, the fault happens in it and is healed, and
//! once all is quiet, what is left is examined.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use contract::{
    Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    invariants::{Examiner, Violation},
    rows::{Back, Fault, Moment, Row, Until},
    story::{self, Seen},
    timers::Timers,
    world::World,
};
use crate::harness::{
    Between, Client, LOOK, System,
    client::id,
    clock::Clock,
    disk::Disk,
    ports::Port,
    process::signal,
    proxy::Wire,
    system::{Build, PROVIDER_SECRET, STORAGE_SECRET, WEBHOOK_SECRET, WORKER_API_SECRET, wire},
};

/// The services' default lease.
const LEASE: Duration = Duration::from_secs(30);
/// How long a fault is waited for once its story is over: the sweeper may be what comes by last.
const PATIENCE: Duration = Duration::from_secs(30);
/// I1: how long after the healing there may be no end yet, besides the grace window of an unknown submission.
const CONVERGENCE: Duration = Duration::from_secs(120);

/// I9: the same where no webhook arrives.
const RECONCILIATION: Duration = Duration::from_secs(60);
/// I16: how long an unknown submission is left alone.
const GRACE: Duration = Duration::from_mins(10);
/// How much longer all may take on a machine that runs four systems at once.
const SLACK: Duration = Duration::from_secs(20);
/// What a process says when it dies at a point.
const DIES: &str = ": this process dies now";
/// What a worker says that takes over the job of another.
const RESCUED: &str = "\"message\":\"[QUEUE_MANAGER] Job rescued\"";
/// How long a dead worker's job may wait for that at the default timers.
const RESCUE: Duration = Duration::from_secs(45);

/// What a row came to.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Outcome {
    pub(crate) row: String,
    /// Whether the fault has happened.
    pub(crate) happened: bool,
    /// How the generation ended: its status, and its error's code.
    pub(crate) end: String,
    /// Submissions that the provider accepted.
    pub(crate) submissions: usize,
    /// From the healing of the fault until the user had the answer.
    pub(crate) answered_after_seconds: f64,
    /// From the user's answer until nothing was left to deliver or to sweep.
    pub(crate) quiet_after_seconds: f64,
    pub(crate) violations: Vec<Violation>,
}

impl Outcome {
    /// Whether the row shows what it is for.
    pub(crate) fn is_good(&self) -> bool {
        self.happened && self.violations.is_empty()
    }

    /// Of a row that could not be run to its end.
    pub(crate) fn broken(row: &Row, why: String) -> Self {
        let violations = vec![Violation { invariant: "harness", what: why }];
        Self {
            row: row.to_string(),
            happened: false,
            end: String::new(),
            submissions: 0,
            answered_after_seconds: 0.0,
            quiet_after_seconds: 0.0,
            violations,
        }
    }
}

/// Runs a row on a runtime of this thread's.
pub(crate) fn run(row: &Row) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(tokio::task::LocalSet::new().run_until(play(row)))
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Outcome::broken(row, text.unwrap_or_default())
    })
}

/// Panics where the harness itself cannot go on.
async fn play(row: &Row) -> Outcome {
    let clock = Clock::wrong_by(match row.fault {
        Fault::Skew { seconds, .. } => seconds,
        _ => 0,
    });
    let mut system = start(row, &clock).await;
    let name = format!("Number {}", uuid::Uuid::now_v7().simple());
    let story = tokio::task::spawn_local(row.story.play(system.api.clone(), name));
    let injected = inject(&mut system, row, &clock, &story).await;
    let healed = Instant::now();
    let happened = injected.is_some();
    let seen = match story.await {
        Ok(seen) => seen,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("the story was cut off: {error}"),
        },
    };
    let answered_after = healed.elapsed();
    // A wire that is cut until the end is mended now.
    for name in system.wires() {
        system.wire(name).set(Wire::Whole);
    }

    let answered = Instant::now();
    let mut violations = injected.unwrap_or_default();
    let (invariant, most) = match row.fault {
        Fault::Wire { wire: wire::WORKER_TO_API, until: Until::TheEnd, .. } => ("I9", RECONCILIATION),
        _ => ("I1", CONVERGENCE),
    };
    violations.extend(again(&seen).await);
    violations.extend(of_others(&system, &seen).await);
    let unsettled = settle(&system, row, &seen).await;
    let quiet_after = answered.elapsed();
    let ledger = ledger(&system).await;
    for name in [system.replicas("api"), system.replicas("worker")].concat() {
        let status = system.process(name).stop().await;
        if !status.success() {
            violations.push(Violation { invariant: "stop", what: format!("{name} stopped with {status}") });
        }
    }
    // With everything at rest, and not only as it was when it was found to be quiet.
    let world = World::read(&system, ledger.clone()).await;
    // The grace window of a submission of which nobody knows counts beside it.
    let unknown = world.table("attempt").iter().any(|attempt| attempt["state"] == "unknown");
    let grace = if unknown { row.timers.span(GRACE) } else { Duration::ZERO };
    if answered_after > row.timers.span(most) + grace + SLACK {
        violations.push(Violation { invariant, what: format!("answered after {answered_after:?}") });
    }
    let left = examine(&system, row, &seen, ledger.clone()).await;
    violations.extend(if left.is_empty() { unsettled } else { left });
    let status = seen.generation["status"].as_str().unwrap_or_default();
    let code = seen.generation["errorCode"].as_str();
    if !row.story.ends().contains(&(status, code)) {
        let what =
            format!("{status} ({}: {})", seen.generation["errorCode"], seen.generation["errorMessage"]);
        violations.push(Violation { invariant: "end", what });
    }
    let good = happened && violations.is_empty();
    if !good {
        system.keep_logs();
    }
    Outcome {
        row: row.to_string(),
        happened,
        end: code.map_or_else(|| status.to_owned(), |code| format!("{status} ({code})")),
        submissions: ledger.len(),
        answered_after_seconds: answered_after.as_secs_f64(),
        quiet_after_seconds: quiet_after.as_secs_f64(),
        violations,
    }
}

async fn start(row: &Row, clock: &Clock) -> System {
    let mut build = Build::on(row.backend);
    build.between = Between::Wires;
    build.hints = row.story.is_hinted();
    let base = [
        ("LOG_FORMAT", "json".to_owned()),
        ("RUST_LOG", "info,reelay=debug,actix_server=warn".to_owned()),
        ("SIMULATOR_RENDER", "cached".to_owned()),
        ("SIMULATOR_LATENCY", "1500ms".to_owned()),
    ];
    build.settings = base.into_iter().chain(row.settings()).collect();
    match &row.fault {
        Fault::Crash { who, point, .. } => build.own.push((*who, "CRASH_AT", point.clone())),
        Fault::Gone { .. } | Fault::Asleep { .. } => {
            (build.replicas, build.between) = (2, Between::Balancers);
        }
        Fault::Skew { who, .. } | Fault::Jump { who, .. } => {
            build.own.extend(clock.variables().map(|(name, value)| (*who, name, value)));
        }
        Fault::DiskFull { .. } => build.disk = Some(Disk::mount()),
        Fault::DatabaseCrash { .. } => {
            let port = Port::take();
            let number = port.number;
            let server =
                tokio::task::spawn_blocking(move || foundation::testing::PostgresServer::start(number));
            build.server = Some(server.await.unwrap());
            build.ports.push(port);
        }
        _ => {}
    }
    build.start().await
}

type Playing = tokio::task::JoinHandle<Seen>;

/// Lets the fault happen and heals it. What is wrong already; nothing at all if the fault has not happened.
async fn inject(system: &mut System, row: &Row, clock: &Clock, story: &Playing) -> Option<Vec<Violation>> {
    let lease = row.timers.span(LEASE);
    let mut found = Vec::new();
    match &row.fault {
        Fault::None | Fault::Skew { .. } => {}
        Fault::Crash { who, .. } if system.crashed => {
            system.processes[who].log().text().contains(DIES).then_some(())?;
        }
        Fault::Crash { who, point, back } => {
            provoke(system, point, story).await;
            died(system, who, story).await.then_some(())?;
            if *back == Back::Late {
                tokio::time::sleep(lease * 3 / 2).await;
            }
            system.process(who).forget("CRASH_AT");
            system.process(who).start_again().await;
            system.wire(wire::WORKER_TO_API).set(Wire::Whole);
        }
        Fault::Kill { who, at, back } => {
            reached(system, *at, story).await?;
            system.process(who).kill().await;
            if *back == Back::Late {
                tokio::time::sleep(lease * 3 / 2).await;
            }
            system.process(who).start_again().await;
        }
        Fault::Restart { who, at } => {
            reached(system, *at, story).await?;
            let status = system.process(who).stop().await;
            assert!(status.success(), "{who}: {status}");
            system.process(who).start_again().await;
        }
        Fault::Freeze { who, at } => {
            reached(system, *at, story).await?;
            sleep_for(system.process(who).pid(), lease * 3).await;
        }
        Fault::Gone { who: "worker", at } => {
            let holder = reached(system, *at, story).await?;
            system.process(holder).kill().await;
            let killed = Instant::now();
            system.processes.remove(holder);
            logged(system, "worker", RESCUED, story).await?;
            let after = killed.elapsed();
            // A machine that runs four systems at once is not twenty times faster.
            if row.timers == Timers::Default && after > RESCUE {
                found.push(Violation { invariant: "I11", what: format!("rescued after {after:?}") });
            }
        }
        Fault::Gone { who, at } => {
            reached(system, *at, story).await?;
            system.process(who).kill().await;
            system.processes.remove(who);
        }
        Fault::Asleep { at } => {
            let holder = reached(system, *at, story).await?;
            sleep_for(system.process(holder).pid(), lease * 3).await;
            logged(system, "worker", RESCUED, story).await?;
        }
        Fault::Wire { wire, how, at, until } => {
            reached(system, *at, story).await?;
            system.wire(wire).set(*how);
            if *until == Until::Soon {
                tokio::time::sleep(lease * 2).await;
                system.wire(wire).set(Wire::Whole);
            }
        }
        Fault::Forged { at } => {
            reached(system, *at, story).await?;
            found.extend(forge(system).await);
        }
        Fault::Jump { who, seconds } => {
            reached(system, Moment::Accepted, story).await?;
            clock.set(*seconds);
            logged(system, "api", "\"message\":\"[WEBHOOK] Signature refused\"", story).await?;
            // An API that is behind has heard of everything only just now, and asks nothing.
            if *who != "api" || *seconds > 0 {
                logged(system, "worker", "\"authenticated\":false", story).await?;
            }
            clock.set(0);
        }
        Fault::DiskFull { at } => {
            reached(system, *at, story).await?;
            let disk = system.disk.as_ref().unwrap();
            disk.fill();
            tokio::time::sleep(lease * 4).await;
            disk.free();
        }
        Fault::DatabaseCrash { at } => {
            reached(system, *at, story).await?;
            let server = system.server.take().unwrap();
            let crashed = tokio::task::spawn_blocking(move || {
                server.crash();
                server
            });
            let server = crashed.await.unwrap();
            tokio::time::sleep(lease).await;
            let back = tokio::task::spawn_blocking(move || {
                server.start_again();
                server
            });
            system.server = Some(back.await.unwrap());
        }
    }
    Some(found)
}

/// Tells the worker in the provider's name, before there is anything to tell: signed as the provider may sign, and
/// forged. What it makes of it is at most one question a second.
async fn forge(system: &System) -> Vec<Violation> {
    let log = system.processes["worker"].log();
    let accepted = log.event("[VEO3_SERVICE] Operation accepted", |_| true).await;
    let attempt = format!("{}-{}", accepted["jobId"].as_str().unwrap(), accepted["attempt"]);
    let body = json!({"type": "video.generated", "data": {}, "user_metadata": {"attempt_id": attempt}});
    let body = body.to_string();
    let (worker, forged) = (Client::anonymous(&system.worker), Secrets::encode(&[7; 32]));
    let mut found = Vec::new();
    for (secret, expected) in [(PROVIDER_SECRET, 204_u16), (forged.as_str(), 401)].repeat(3) {
        let signed = Secrets::parse(secret).unwrap().sign("evt_1", Timestamp::now(), body.as_bytes());
        let request = worker
            .request(Method::POST, "/api/providers/veo3/webhook")
            .header(ID_HEADER, signed.id)
            .header(TIMESTAMP_HEADER, signed.timestamp)
            .header(SIGNATURE_HEADER, signed.signature)
            .body(body.clone());
        let status = worker.send(request).await.status;
        if status != expected {
            found.push(Violation { invariant: "hint", what: format!("{status} in place of {expected}") });
        }
    }
    found
}

/// Stops a process for a while.
async fn sleep_for(pid: u32, span: Duration) {
    signal(pid, Signal::SIGSTOP);
    tokio::time::sleep(span).await;
    signal(pid, Signal::SIGCONT);
}

/// Some points are come by only after something else has happened.
async fn provoke(system: &mut System, point: &str, story: &Playing) {
    if point.contains(":job_released") && reached(system, Moment::Accepted, story).await.is_some() {
        signal(system.process("worker").pid(), Signal::SIGTERM);
    }
    // As long as webhooks come, nobody asks.
    if point.contains(":jobs_asked") || point.contains(":jobs_heard") {
        system.wire(wire::WORKER_TO_API).set(Wire::Cut);
    }
}

/// Waits until a process has died, as long as the story goes on and a little longer.
async fn died(system: &mut System, who: &str, story: &Playing) -> bool {
    let mut over: Option<Instant> = None;
    loop {
        if !system.process(who).is_running() {
            let log = system.processes[who].log();
            assert!(log.text().contains(DIES), "{who} has died of something else:\n{}", log.tail());
            return true;
        }
        if story.is_finished() && over.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(LOOK / 4).await;
    }
}

/// Waits until a story has come so far, and says which process it was that said so.
async fn reached(system: &System, moment: Moment, story: &Playing) -> Option<&'static str> {
    let Some((who, line)) = moment.line() else { return Some("") };
    logged(system, who, &format!("\"message\":\"{line}\""), story).await
}

/// Waits, as long as the story goes on, until one of a service's replicas has logged this, and says which.
async fn logged(system: &System, service: &str, text: &str, story: &Playing) -> Option<&'static str> {
    let replicas = system.replicas(service);
    let says = || replicas.iter().copied().find(|name| system.processes[name].log().text().contains(text));
    loop {
        if let Some(name) = says() {
            return Some(name);
        }
        if story.is_finished() {
            return says();
        }
        tokio::time::sleep(LOOK / 10).await;
    }
}

async fn ledger(system: &System) -> Vec<Value> {
    let ledger: Value =
        reqwest::get(format!("{}/ledger", system.provider)).await.unwrap().json().await.unwrap();
    ledger["submissions"].as_array().unwrap().clone()
}

/// Waits until there is nothing left to deliver and nothing to sweep. What is still wrong when it is clear that it
/// always will be.
async fn settle(system: &System, row: &Row, seen: &Seen) -> Vec<Violation> {
    let begun = Instant::now();
    loop {
        let wrong = examine(system, row, seen, ledger(system).await).await;
        if wrong.is_empty() || begun.elapsed() > CONVERGENCE {
            return wrong;
        }
        tokio::time::sleep(LOOK * 3).await;
    }
}

async fn examine(system: &System, row: &Row, seen: &Seen, ledger: Vec<Value>) -> Vec<Violation> {
    let world = World::read(system, ledger).await;
    let token = seen.user.token.clone().unwrap_or_default();
    let secrets = [WEBHOOK_SECRET, WORKER_API_SECRET, STORAGE_SECRET, PROVIDER_SECRET].map(str::to_owned);
    let secrets: Vec<_> = secrets.into_iter().chain([token]).collect();
    // A clock that is wrong writes wrong times.
    let grace = match row.fault {
        Fault::Skew { .. } | Fault::Jump { .. } => Duration::ZERO,
        _ => row.timers.span(GRACE),
    };
    let (is_hinted, found) = (row.story.is_hinted(), Vec::new());
    Examiner { world: &world, seen, secrets: &secrets, grace, is_hinted, found }.examine()
}

/// I10: what was answered once is answered so again.
async fn again(seen: &Seen) -> Vec<Violation> {
    let mut found = Vec::new();
    for sent in &seen.answered {
        let answer = story::send(&seen.user, &sent.method, &sent.path, &sent.key, &sent.body).await;
        let answer = answer.map(|(status, answer)| (status, without_request(answer)));
        let same = answer.as_ref().is_some_and(|(status, answer)| {
            *status == sent.status && *answer == without_request(sent.answer.clone())
        });
        if !same {
            let what = format!("{}: first {} {}, then {answer:?}", sent.path, sent.status, sent.answer);
            found.push(Violation { invariant: "I10", what });
        }
    }
    found
}

/// An answer without the id of the request, which is each one's own.
fn without_request(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("requestId");
    }
    answer
}

/// I22: to somebody else, all this is not there.
async fn of_others(system: &System, seen: &Seen) -> Vec<Violation> {
    let stranger = Client::registered(&system.api).await;
    let generation = format!("/api/generations/{}", id(&seen.generation));
    let conversation = seen.generation["conversationId"].as_str().unwrap_or_default();
    let picture = seen.picture.as_ref().map(|picture| format!("/api/uploads/{picture}"));
    let mut found = Vec::new();
    for path in
        [generation.clone(), format!("{generation}/status"), format!("/api/conversations/{conversation}")]
            .into_iter()
            .chain(picture)
    {
        let status = stranger.get(&path).await.status.as_u16();
        if status != 404 {
            found.push(Violation { invariant: "I22", what: format!("{path} is {status} to a stranger") });
        }
    }
    found
}
