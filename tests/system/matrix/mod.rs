//! The fault matrix: every fault that we can think of, at every point that matters, in every story, on both
//! databases; after each, every invariant is read off what is left. `cargo xtask faults` runs all of it and
//! `docs/FAULTS.md` says how to read it; here a few rows run with the other tests.

mod invariants;
mod money;
mod report;
mod rows;
mod run;
mod story;
mod timers;
mod world;

use std::{
    path::PathBuf,
    str::FromStr,
    sync::Mutex,
    time::{Duration, Instant},
};

use foundation::settings::Setting;

use self::{rows::Row, run::Outcome};
use crate::harness::Backend;

fn show(rows: Vec<Row>) {
    let count = rows.len();
    let outcomes = run_all(rows.into_iter(), count, 2);
    let bad: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_good()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_few_faults_on_sqlite() {
    show(rows::few(Backend::Sqlite));
}

#[test]
fn a_few_faults_on_postgres() {
    show(rows::few(Backend::Postgres));
}

/// A variable of `cargo xtask faults`.
fn asked<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What `cargo xtask faults` asks for: rows by a part of their name, or of one database, or those at the default
/// timers besides, or any rows for a while.
fn chosen() -> Vec<Row> {
    let mut rows = Vec::new();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        rows.extend(rows::all(backend));
        rows.extend(rows::at_default_timers(backend));
    }
    if let Some(part) = asked::<String>("FAULTS_ROW") {
        // A whole name is one row, even if it begins another's.
        let is_whole = rows.iter().any(|row| row.to_string() == part);
        rows.retain(|row| if is_whole { row.to_string() == part } else { row.to_string().contains(&part) });
    } else if asked::<bool>("FAULTS_DEFAULT_TIMERS") == Some(false) {
        rows.retain(|row| row.timers == timers::Timers::Twentieth);
    }
    if let Some(database) = asked::<String>("FAULTS_DATABASE") {
        rows.retain(|row| row.to_string().starts_with(&format!("{database}/")));
    }
    rows
}

/// Runs rows, some at once, each on a thread of its own, and prints each when it is through.
fn run_all(rows: impl Iterator<Item = Row> + Send, count: usize, jobs: usize) -> Vec<Outcome> {
    let rows = Mutex::new(rows);
    let outcomes = Mutex::new(Vec::new());
    let next = || rows.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(row) = next() {
                    let outcome = run::run(&row);
                    let mut outcomes = outcomes.lock().unwrap();
                    println!("{}", report::line(outcomes.len() + 1, count, &outcome));
                    outcomes.push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

#[test]
#[ignore = "takes the better part of an hour: cargo xtask faults"]
fn the_whole_matrix() {
    let jobs = asked("FAULTS_JOBS").unwrap_or(4);
    let begun = Instant::now();
    let outcomes = match std::env::var("FAULTS_SOAK").ok() {
        None => {
            let rows = chosen();
            assert!(!rows.is_empty(), "no row has such a name");
            let count = rows.len();
            run_all(rows.into_iter(), count, jobs)
        }
        Some(span) => {
            let span = Duration::parse(&span).unwrap();
            let first = asked("FAULTS_SEED").unwrap_or(0);
            let seeds = (first..).take_while(|_| begun.elapsed() < span);
            let rows = seeds.map(|seed: u64| {
                let backend = if seed.is_multiple_of(2) { Backend::Sqlite } else { Backend::Postgres };
                rows::by_chance(backend, seed)
            });
            run_all(rows, 0, jobs)
        }
    };
    let folder =
        asked("FAULTS_REPORT").unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults"));
    report::write(&folder, &outcomes);
    println!(
        "\n{}\n{:.0} s; {}/report.json",
        report::table(&outcomes),
        begun.elapsed().as_secs_f64(),
        folder.display()
    );
    let bad: Vec<_> =
        outcomes.iter().filter(|outcome| !outcome.is_good()).map(|outcome| &outcome.row).collect();
    assert!(bad.is_empty(), "{} rows are not good: {bad:#?}", bad.len());
}
