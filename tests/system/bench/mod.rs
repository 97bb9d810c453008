//! How fast Reelay is on this machine, beside what the machine itself can do: real processes, users over HTTP, a
//! provider that is done at once. `cargo xtask bench` runs it and `docs/BENCHMARKS.md` says how to read what comes
//! out. It judges no speed; it fails if a video is lost, or submitted twice, or anything is refused.

mod machine;
mod measures;
mod report;
mod user;

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use foundation::testing::PostgresServer;
use serde_json::{Value, json};

use self::report::{Figure, Section, figure, shown};
use crate::harness::{Backend, Build, ports::Port};

/// What `cargo xtask bench` asks for.
pub(crate) struct Options {
    seconds: u32,
    clients: usize,
    /// Videos that begin in a second.
    rate: u32,
    /// Videos that wait at the provider.
    waiting: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Throughput,
    Latency,
    Memory,
    Kill,
}

const MEASURES: &[(&str, Measure)] = &[
    ("throughput", Measure::Throughput),
    ("latency", Measure::Latency),
    ("memory", Measure::Memory),
    ("kill", Measure::Kill),
];

const BACKENDS: &[(&str, Backend)] = &[("sqlite", Backend::Sqlite), ("postgres", Backend::Postgres)];

/// Limits that few users with many videos would meet, out of the way. Everything else is as by default, the log too.
const OUT_OF_THE_WAY: &[(&str, &str)] = &[
    ("LOG_FORMAT", "json"),
    ("RATE_MESSAGES_PER_MINUTE", "1000000"),
    ("RATE_REQUESTS_PER_SECOND", "1000000"),
    ("RATE_SIGN_INS_PER_MINUTE", "1000000"),
    ("OPEN_GENERATIONS_PER_USER", "1000000"),
    ("QUEUED_GENERATIONS_PER_USER", "1000000"),
    ("PUSH_LISTENERS_PER_USER", "10000"),
    ("WORKER_RUNNING_JOBS_PER_USER", "1000000"),
    ("SIMULATOR_RENDER", "cached"),
];

/// A variable that `cargo xtask bench` has set.
fn option<T: FromStr>(name: &str, default: T) -> T {
    let read = |text: String| text.parse::<T>().unwrap_or_else(|_| panic!("{name} cannot be {text}"));
    std::env::var(name).map_or(default, read)
}

/// The one of all whose name is asked for; without a name, all.
fn chosen<T: Copy>(name: &str, all: &[(&'static str, T)]) -> Vec<(&'static str, T)> {
    let asked = std::env::var(name).ok();
    let is_chosen = |(known, _): &(&'static str, T)| asked.as_deref().is_none_or(|asked| asked == *known);
    let chosen: Vec<_> = all.iter().copied().filter(is_chosen).collect();
    assert!(!chosen.is_empty(), "{name} cannot be {asked:?}");
    chosen
}

impl Measure {
    /// What is set for it besides the limits.
    fn settings(self, options: &Options) -> Vec<(&'static str, String)> {
        let running = if self == Self::Memory { options.waiting } else { options.clients };
        let latency = if self == Self::Latency { measures::PROVIDER_LATENCY } else { Duration::ZERO };
        let mut settings = vec![
            ("WORKER_RUNNING_JOBS", running.to_string()),
            ("SIMULATOR_LATENCY", format!("{}ms", latency.as_millis())),
        ];
        if self != Self::Memory {
            // A provider that is done at once is to be asked at once.
            settings.extend(["POLL_INTERVAL", "POLL_INTERVAL_LONGEST"].map(|name| (name, "10ms".to_owned())));
        }
        if self == Self::Kill {
            // By default such a submission is made once more, after ten minutes.
            settings.push(("SUBMISSION_UNKNOWN", "fail".to_owned()));
        }
        settings
    }
}

/// One round on a new system, and `about` what it ran. PostgreSQL's server outlives it: it is lent.
async fn round(
    (measure, options): (Measure, &Options),
    (name, backend): (&'static str, Backend),
    server: &mut Option<PostgresServer>,
    about: &mut Value,
) -> Vec<Figure> {
    let limits = OUT_OF_THE_WAY.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let settings = limits.chain(measure.settings(options)).collect();
    let mut system = Build { settings, server: server.take(), ..Build::on(backend) }.start().await;
    about["machine"] = machine::describe(system.folder.path());
    about[name] = machine::database(&system).await.into();
    let busy = machine::busy(&system).await;
    let mut figures = match measure {
        Measure::Throughput => measures::throughput(&system, options).await,
        Measure::Latency => measures::latency(&system, options).await,
        Measure::Memory => measures::memory(&system, options).await,
        Measure::Kill => measures::kill(&mut system, options).await,
    };
    figures.push(figure("the machine was busy before", "%", busy));
    *server = system.server.take();
    figures
}

#[tokio::test]
#[ignore = "takes minutes, and all of the machine: cargo xtask bench"]
async fn the_whole_bench() {
    // A terminal's Ctrl-C does not reach PostgreSQL's server, which has a session of its own: it is stopped from here.
    tokio::select! {
        () = Box::pin(all_rounds()) => {}
        _ = tokio::signal::ctrl_c() => panic!("stopped by Ctrl-C"),
    }
}

/// Every round of all that is asked for; dropped in its midst, it leaves nothing running.
async fn all_rounds() {
    let rounds: u32 = option("BENCH_ROUNDS", 3);
    let options = Options {
        seconds: option("BENCH_SECS", 8),
        clients: option("BENCH_CLIENTS", 32),
        rate: option("BENCH_RATE", 10),
        waiting: option("BENCH_WAITING", 1_000),
    };
    let (measures, backends) = (chosen("BENCH_ONLY", MEASURES), chosen("BENCH_DATABASE", BACKENDS));
    let folder = option("BENCH_REPORT", PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench"));
    // Not the tests' shared server, which does not sync what it commits.
    let port = Port::take();
    let number = port.number;
    let mut server = None;
    if backends.iter().any(|(_, backend)| *backend == Backend::Postgres) {
        server = Some(tokio::task::spawn_blocking(move || PostgresServer::start(number)).await.unwrap());
    }
    let mut about = json!({
        "profile": if cfg!(debug_assertions) { "debug: these figures say nothing" } else { "release" },
        "options": {
            "rounds": rounds, "secs": options.seconds, "clients": options.clients,
            "rate": options.rate, "waiting": options.waiting,
        },
        "limits": OUT_OF_THE_WAY.iter().copied().collect::<BTreeMap<_, _>>(),
    });
    for (name, measure) in &measures {
        let settings: BTreeMap<_, _> = measure.settings(&options).into_iter().collect();
        about[format!("settings for {name}")] = json!(settings);
    }
    let with_backends = |measure| backends.iter().map(move |backend| (measure, *backend));
    let cells: Vec<_> = measures.iter().copied().flat_map(with_backends).collect();
    let section = |&((measure, _), (database, _)): &((&'static str, Measure), (&'static str, Backend))| {
        Section { measure, database, rounds: Vec::new() }
    };
    let mut sections: Vec<_> = cells.iter().map(section).collect();
    // One of each after the other, so that what else the machine does hits all alike.
    for number in 1..=rounds {
        for (index, ((name, measure), backend)) in cells.iter().copied().enumerate() {
            println!("\n{name} on {}, round {number} of {rounds}", backend.0);
            let round = round((measure, &options), backend, &mut server, &mut about);
            let figures = Box::pin(round).await;
            for Figure { name, unit, value } in &figures {
                println!("  {name}: {} {unit}", shown(*value));
            }
            sections[index].rounds.push(figures);
            report::write(&folder, &about, &sections);
        }
    }
    println!("\n{}\n{}/report.md", report::text(&about, &sections), folder.display());
}

#[test]
fn every_measure_has_its_settings() {
    let names: Vec<_> = chosen("BENCH_NOTHING", MEASURES).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["throughput", "latency", "memory", "kill"]);
    let options = Options { seconds: 1, clients: 7, rate: 1, waiting: 70 };
    for ((_, measure), running) in MEASURES.iter().zip(["7", "7", "70", "7"]) {
        let settings: BTreeMap<_, _> = measure.settings(&options).into_iter().collect();
        assert_eq!(settings["WORKER_RUNNING_JOBS"], running);
        // Videos that wait are asked after as by default.
        assert_eq!(settings.contains_key("POLL_INTERVAL"), *measure != Measure::Memory);
        assert_eq!(settings.contains_key("SUBMISSION_UNKNOWN"), *measure == Measure::Kill);
    }
}
