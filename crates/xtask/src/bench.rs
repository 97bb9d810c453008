//! `cargo xtask bench`: how fast Reelay is on this machine, measured by `tests/system/bench` in the release profile.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum, value_parser};

use crate::{faults::Database, postgres, step};

/// What is measured, and how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only on this database.
    #[arg(long)]
    database: Option<Database>,
    /// Only this measure.
    #[arg(long)]
    only: Option<Measure>,
    /// How often each is measured; every round is shown.
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long throughput and latency are measured in a round, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    secs: u32,
    /// Users at once.
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = value_parser!(u32).range(1..))]
    clients: u32,
    /// Videos that begin each second while latency is measured.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    rate: u32,
    /// Videos that wait at the provider while memory is measured.
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    waiting: u32,
    /// The folder for report.md and report.json.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    report: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Measure {
    Throughput,
    Latency,
    Memory,
    Kill,
}

impl Options {
    /// The variables by which the test is told.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let numbers = [
            ("BENCH_ROUNDS", self.rounds),
            ("BENCH_SECS", self.secs),
            ("BENCH_CLIENTS", self.clients),
            ("BENCH_RATE", self.rate),
            ("BENCH_WAITING", self.waiting),
        ];
        let only = self.only.map(|measure| match measure {
            Measure::Throughput => "throughput",
            Measure::Latency => "latency",
            Measure::Memory => "memory",
            Measure::Kill => "kill",
        });
        let names = [("BENCH_ONLY", only), ("BENCH_DATABASE", self.database.map(Database::name))];
        let names = names.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
        numbers.into_iter().map(|(name, number)| (name, number.to_string())).chain(names).collect()
    }
}

/// The task itself.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.database != Some(Database::Sqlite) {
        postgres::ensure()?;
    }
    // The launcher's package alone, with the features that it has where it is used.
    let mut cargo = step::cargo(&["test", "--release", "--package", "reelay", "--test", "system", "--"]);
    cargo.args(["--ignored", "--exact", "bench::the_whole_bench", "--nocapture"]);
    cargo.env("BENCH_REPORT", std::path::absolute(crate::root().join(&options.report))?);
    step::run(cargo.envs(options.variables()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn variables(line: &str) -> Vec<(&'static str, String)> {
        Line::parse_from(line.split(' ')).options.variables()
    }

    #[test]
    fn what_is_not_asked_for_is_not_said() {
        let names: Vec<_> = variables("bench").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["BENCH_ROUNDS", "BENCH_SECS", "BENCH_CLIENTS", "BENCH_RATE", "BENCH_WAITING"]);
        let said = variables("bench --only kill --database postgres --clients 8");
        for (name, value) in [("BENCH_ONLY", "kill"), ("BENCH_DATABASE", "postgres"), ("BENCH_CLIENTS", "8")]
        {
            assert!(said.contains(&(name, value.to_owned())), "{name}: {said:?}");
        }
        assert!(Line::try_parse_from(["bench", "--rate", "0"]).is_err());
    }
}
