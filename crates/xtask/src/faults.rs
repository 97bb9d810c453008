//! `cargo xtask faults`: the fault matrix of `tests/system/matrix`, all of it or the rows that are asked for.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    postgres::PrivateServer,
    step,
    test::{self, Program},
};

/// Which rows, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the rows on this database.
    #[arg(long)]
    database: Option<Database>,
    /// Only the rows with this in their name; a whole name runs one row again.
    #[arg(long, value_name = "NAME")]
    row: Option<String>,
    /// Leave out the rows at the default timers, which take minutes each.
    #[arg(long)]
    without_default_timers: bool,
    /// Run rows by chance for so long, for example 30m, in place of each once.
    #[arg(long, value_name = "SPAN")]
    soak: Option<String>,
    /// Where chance begins: the same number gives the same rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Rows that run at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    jobs: usize,
    /// The folder for report.md and report.json.
    #[arg(long, value_name = "FOLDER", default_value = "target/faults")]
    report: PathBuf,
}

/// The databases that there are rows, and measures, for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// As the tests call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Gives a process a wrong clock. On Debian it lies in a folder of the machine's kind.
const FAKETIME: Program = Program {
    what: "libfaketime, for the rows with wrong clocks",
    package: "faketime",
    check: &["sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1"],
};

/// Runs them; a row that is not good is an error.
pub(crate) fn run(options: &Options) -> Result<()> {
    test::prepare()?;
    FAKETIME.ensure()?;
    let server = PrivateServer::before_the_run();
    let arguments = ["test", "--workspace", "--all-features", "--test", "system", "--"];
    let mut cargo = step::cargo(&arguments);
    cargo.args(["--ignored", "--exact", "matrix::the_whole_matrix", "--nocapture"]);
    cargo.env("FAULTS_SEED", options.seed.to_string()).env("FAULTS_JOBS", options.jobs.to_string());
    cargo.env("FAULTS_REPORT", std::path::absolute(crate::root().join(&options.report))?);
    if let Some(database) = options.database {
        cargo.env("FAULTS_DATABASE", database.name());
    }
    if let Some(row) = &options.row {
        cargo.env("FAULTS_ROW", row);
    }
    if options.without_default_timers {
        cargo.env("FAULTS_DEFAULT_TIMERS", "false");
    }
    if let Some(span) = &options.soak {
        cargo.env("FAULTS_SOAK", span);
    }
    let outcome = step::run(&mut cargo);
    server.stop();
    outcome
}
