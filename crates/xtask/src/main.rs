//! `cargo xtask …`: what a developer and CI run. It builds in seconds, because it depends on none of our crates.

mod bench;
mod ci;
mod client;
mod deny;
mod faults;
mod intent;
mod listeners;
mod model;
mod postgres;
mod report;
mod step;
mod test;
mod tidy;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Tests and checks of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Set up what the tests need, and run them all.
    Test {
        /// Handed to the test runner: filters and options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        runner_arguments: Vec<String>,
    },
    /// The fault matrix: every fault at every point, and the invariants after each. See docs/FAULTS.md.
    Faults(faults::Options),
    /// The model of both lifecycles, explored in every order and with every fault within its bounds.
    Model {
        /// With wider bounds: takes minutes and some gigabytes.
        #[arg(long)]
        deep: bool,
    },
    /// How well the users' messages are read: the labelled ones of intent/evaluation, in every language.
    Intent(intent::Options),
    /// What idle listeners cost the API in memory, and that each hears what happens.
    Listeners(listeners::Options),
    /// How fast it is here: throughput, latency, memory and a kill -9, beside what the machine can do. See
    /// docs/BENCHMARKS.md.
    Bench(bench::Options),
    /// The page in a browser: axe on every view, Lighthouse, the weight of the first load, pictures; into
    /// target/page-report.
    PageReport(report::Options),
    /// Everything that CI checks: format, rules of the house, dependencies, lints, all tests.
    Ci,
    /// The rules of the house that neither rustc nor clippy knows.
    Tidy,
    /// Licences, sources, duplicates and known vulnerabilities of the dependencies.
    Deny,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { runner_arguments } => test::run(&runner_arguments),
        Task::Faults(options) => faults::run(&options),
        Task::Model { deep } => model::run(deep),
        Task::Intent(options) => intent::run(&options),
        Task::Listeners(options) => listeners::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::PageReport(options) => report::run(&options),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Deny => deny::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root. Cargo says where it runs us from; what it said when we were built may be another checkout
/// that shares the target directory.
fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = Path::new(&manifest);
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}
