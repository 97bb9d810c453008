//! The four measures: each takes a system that was just started, and gives its figures. Whatever a user must not see, a
//! video that is lost or bad, or a request that is refused, ends the bench.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use contract::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    sync::Semaphore,
    time::{sleep, sleep_until, timeout},
};

use super::{
    Options, machine,
    report::{Figure, figure, percentile},
    user::{User, accounts, asked, confirm, message},
};
use crate::harness::{LIMIT, LOOK, System, eventually, log::LogFile};

/// How long the users are at it before anything is counted: pools fill, and the simulator draws its one video.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long a process is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);
/// How long a video takes the provider where the time from its end on is measured, so that its end is a known moment.
pub(crate) const PROVIDER_LATENCY: Duration = Duration::from_millis(100);
/// How many videos are being made when the worker is killed, or are done.
const BURST: usize = 300;
/// How long the worker stays away.
const AWAY: Duration = Duration::from_secs(1);

/// So many users, each with one video after another.
pub(crate) async fn throughput(system: &System, options: &Options) -> Vec<Figure> {
    let commits = machine::commits(system, options.clients).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut users = Vec::with_capacity(options.clients);
    for account in accounts(system, options.clients).await {
        users.push(User::of(account).await);
    }
    let busy = users.into_iter().enumerate().map(|(index, mut user)| {
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        let numbers = (index..).step_by(options.clients);
        tokio::spawn(async move {
            for number in numbers {
                if stop.load(Relaxed) {
                    break;
                }
                user.whole_life(number).await;
                done.fetch_add(1, Relaxed);
            }
        })
    });
    let busy: Vec<_> = busy.collect();
    sleep(WARM_UP).await;
    let (begun, before, used_before) = (Instant::now(), done.load(Relaxed), machine::used(system));
    sleep(Duration::from_secs(options.seconds.into())).await;
    let (seconds, videos) = (begun.elapsed().as_secs_f64(), done.load(Relaxed) - before);
    let used = machine::used(system);
    stop.store(true, Relaxed);
    for user in busy {
        user.await.unwrap();
    }
    nothing_repeated(&system.ledger().await, done.load(Relaxed));

    let (videos, rate) = (videos as f64, videos as f64 / seconds);
    let mut figures = vec![
        figure("videos", "/s", rate),
        figure("the machine's synced one-row commits", "/s", commits),
        figure("such commits in the time of one video", "", commits / rate),
    ];
    figures.extend(used.iter().map(|(who, used)| {
        figure(format!("processor time for one video: {who}"), "ms", (used - used_before[who]) / videos)
    }));
    figures
}

/// What a video of the open loop took.
struct Timed {
    generation: String,
    prompt: String,
    /// From when the message was due.
    answered: Duration,
    /// From the yes.
    confirmed: Duration,
    /// From the yes until its listener heard that the worker has it.
    accepted: Duration,
    /// When its listener heard of the end.
    heard: Timestamp,
}

/// So many videos a second begin, each at its time, however long the others take.
pub(crate) async fn latency(system: &System, options: &Options) -> Vec<Figure> {
    let clients = accounts(system, options.clients).await;
    let count = options.rate as usize * options.seconds as usize;
    let warming = clients.iter().enumerate().map(|(index, client)| {
        let client = client.clone();
        tokio::spawn(async move { User::of(client).await.whole_life(count + index).await })
    });
    for warmed in warming.collect::<Vec<_>>() {
        warmed.await.unwrap();
    }
    let mut users = Vec::with_capacity(count);
    for number in 0..count {
        users.push(User::of(clients[number % clients.len()].clone()).await);
    }
    let begin = Instant::now() + LOOK;
    let timing = users.into_iter().enumerate().map(|(number, user)| {
        let due = begin + Duration::from_secs_f64(number as f64 / f64::from(options.rate));
        tokio::spawn(timed(user, number, due))
    });
    let mut videos = Vec::with_capacity(count);
    for video in timing.collect::<Vec<_>>() {
        videos.push(video.await.unwrap());
    }
    let ledger = system.ledger().await;
    nothing_repeated(&ledger, count + clients.len());

    let stored = said(&system.processes["worker"].log(), "[GENERATION_WORKFLOW] Sending webhook");
    let committed = said(&system.processes["api"].log(), "[WEBHOOK] Webhook processed successfully");
    let submitted: HashMap<&str, Timestamp> = ledger.iter().map(submission).collect();
    let finished = |video: &Timed| submitted[sha256(&video.prompt).as_str()] + PROVIDER_LATENCY;
    let spans = videos.iter().map(|video| {
        let (finished, stored) = (finished(video), stored[&video.generation]);
        let committed = committed[&video.generation];
        [
            ms(video.answered),
            ms(video.confirmed),
            ms(video.accepted),
            between(finished, stored),
            between(stored, committed),
            between(finished, committed),
            between(finished, video.heard),
        ]
    });
    let spans: Vec<_> = spans.collect();
    let names = [
        "message → answer",
        "yes → answer",
        "yes → accepted by the worker, and heard",
        "provider finished → video stored, job completed",
        "job completed → webhook committed",
        "provider finished → webhook committed",
        "provider finished → heard",
    ];
    let of = |(index, name): (usize, &str)| {
        let values: Vec<f64> = spans.iter().map(|span| span[index]).collect();
        [("p50", 0.5), ("p99", 0.99), ("max", 1.0)]
            .map(|(which, share)| figure(format!("{name}, {which}"), "ms", percentile(&values, share)))
    };
    names.into_iter().enumerate().flat_map(of).collect()
}

async fn timed(mut user: User, number: usize, due: Instant) -> Timed {
    sleep_until(due.into()).await;
    let generation = user.ask(number).await;
    let answered = due.elapsed();
    let client = user.client.clone();
    let begun = Instant::now();
    let confirming = async {
        confirm(&client, &generation).await;
        begun.elapsed()
    };
    let listening = async {
        let mut accepted = None;
        loop {
            let told = user.heard().await;
            match told["status"].as_str() {
                Some("pending_clarification" | "pending_confirmation" | "confirmed") => {}
                Some("queued" | "processing") => {
                    accepted.get_or_insert_with(|| begun.elapsed());
                }
                Some("completed") => return (accepted.unwrap_or_else(|| begun.elapsed()), Timestamp::now()),
                _ => panic!("{told:#}"),
            }
        }
    };
    let (confirmed, (accepted, heard)) = tokio::join!(confirming, listening);
    let text = |name: &str| generation[name].as_str().unwrap().to_owned();
    Timed { generation: text("id"), prompt: text("prompt"), answered, confirmed, accepted, heard }
}

/// Memory of a system with nothing to do, and with videos that all wait for the provider.
pub(crate) async fn memory(system: &System, options: &Options) -> Vec<Figure> {
    let services = ["api", "worker"];
    let taken = || services.map(|name| machine::memory(system.processes[name].pid()));
    sleep(REST).await;
    let idle = taken();
    let ordering = accounts(system, options.clients).await.into_iter().enumerate().map(|(index, client)| {
        let numbers = (index..options.waiting).step_by(options.clients);
        tokio::spawn(async move {
            for number in numbers {
                let generation = asked(&client.say(&message(number, " [sim:latency=1h]")).await);
                confirm(&client, &generation).await;
            }
        })
    });
    for ordered in ordering.collect::<Vec<_>>() {
        ordered.await.unwrap();
    }
    eventually("all videos wait at the provider", async || {
        (system.ledger().await.len() >= options.waiting).then_some(())
    })
    .await;
    sleep(REST).await;
    let waiting = taken();
    nothing_repeated(&system.ledger().await, options.waiting);

    let figures = services.iter().zip(idle).zip(waiting).flat_map(|((name, idle), waiting)| {
        let each = (waiting - idle) * 1_024.0 / options.waiting as f64;
        [
            figure(format!("{name}: idle"), "MiB", idle),
            figure(format!("{name}: {} videos waiting", options.waiting), "MiB", waiting),
            figure(format!("{name}: for each that waits"), "KiB", each),
        ]
    });
    figures.collect()
}

/// A burst of videos, in whose midst the worker is killed and started again.
pub(crate) async fn kill(system: &mut System, options: &Options) -> Vec<Figure> {
    let clients = accounts(system, options.clients).await;
    let mut asking = Vec::with_capacity(BURST);
    for number in 0..BURST {
        let user = User::of(clients[number % clients.len()].clone()).await;
        let generation = user.ask(number).await;
        asking.push((user, generation));
    }
    let done = Arc::new(AtomicUsize::new(0));
    // As many say yes at a time as there are users: what a database refuses of a greater rush is no matter here.
    let turns = Arc::new(Semaphore::new(options.clients));
    let lives = asking.into_iter().map(|(mut user, generation)| {
        let (done, turns) = (Arc::clone(&done), Arc::clone(&turns));
        tokio::spawn(async move {
            let turn = turns.acquire().await.unwrap();
            confirm(&user.client, &generation).await;
            drop(turn);
            let end = user.end_of(&generation).await;
            done.fetch_add(1, Relaxed);
            end
        })
    });
    let lives: Vec<_> = lives.collect();
    let in_the_midst = async {
        while done.load(Relaxed) < BURST / 3 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, in_the_midst).await.expect("a third of the burst is made");
    system.process("worker").kill().await;
    let left = BURST - done.load(Relaxed);
    sleep(AWAY).await;
    let begun = Instant::now();
    system.process("worker").start_again().await;
    let mut unknown = 0;
    for life in lives {
        let end = life.await.unwrap();
        // A submission whose answer died with the worker may have been paid for: by the policy that is set here there
        // is no other, and the user is told.
        let is_unknown = end["status"] == "failed" && end["errorCode"] == "submission_unknown";
        assert!(is_unknown || end["status"] == "completed", "{end:#}");
        unknown += u32::from(is_unknown);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let ledger = system.ledger().await;
    let repeated = repeated(&ledger);
    assert_eq!(repeated, 0, "submissions were repeated");
    vec![
        figure("videos left at the kill", "", left as f64),
        figure("started again → all have their end", "s", seconds),
        figure("given up, since nobody knows whether they were submitted", "", unknown.into()),
        figure("submissions repeated", "", repeated as f64),
    ]
}

/// How many submissions the provider accepted of prompts that it had already.
fn repeated(ledger: &[Value]) -> usize {
    let prompts: BTreeSet<_> = ledger.iter().map(|submission| submission["promptSha256"].as_str()).collect();
    ledger.len() - prompts.len()
}

/// Every video was submitted, and none twice.
fn nothing_repeated(ledger: &[Value], videos: usize) {
    assert_eq!((ledger.len(), repeated(ledger)), (videos, 0), "submissions, and those repeated");
}

/// A line of the ledger: the prompt's hash, and when it was accepted.
fn submission(line: &Value) -> (&str, Timestamp) {
    (line["promptSha256"].as_str().unwrap(), line["at"].as_str().unwrap().parse().unwrap())
}

fn sha256(prompt: &str) -> String {
    Sha256::digest(prompt).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// When this was said last of each generation.
fn said(log: &LogFile, message: &str) -> HashMap<String, Timestamp> {
    let events = log.events().into_iter().filter(|event| event["message"] == message);
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    events.map(|event| (text(&event, "generationId"), text(&event, "timestamp").parse().unwrap())).collect()
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// Milliseconds between two times of the machine's clock; log and ledger round down to whole ones.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_micros() - from.as_micros()) as f64 / 1_000.0
}

#[test]
fn what_is_submitted_twice_is_seen() {
    let ledger = ["a", "b", "a", "c", "a"].map(|prompt| json!({"promptSha256": sha256(prompt)}));
    assert_eq!((repeated(&ledger), repeated(&ledger[..2])), (2, 0));
    nothing_repeated(&ledger[..2], 2);
}

#[test]
fn the_last_word_of_each_generation_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let line = |message: &str, generation: &str, second: u32| {
        let timestamp = format!("2026-11-23T09:30:0{second}.250Z");
        json!({"message": message, "generationId": generation, "timestamp": timestamp}).to_string()
    };
    let lines = [line("said", "a", 1), line("said", "b", 2), line("said", "a", 4), line("other", "a", 5)];
    std::fs::write(&path, lines.join("\n")).unwrap();
    let said = said(&LogFile::at(&path), "said");
    assert_eq!(said.len(), 2);
    assert_eq!(between(said["b"], said["a"]) as u64, 2_000);
}
