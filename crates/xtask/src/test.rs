//! `cargo xtask test`: sets up what the tests need, then runs them all.

use std::{env, fmt, path::Path, process::Command};

use anyhow::{Result, bail, ensure};
use nix::unistd::Uid;

use crate::{
    client,
    postgres::{self, PrivateServer},
    step,
};

/// Where proptest takes the seed of its cases from.
const PROPERTY_SEED: &str = "PROPTEST_RNG_SEED";

/// Where the page is made.
pub(crate) const PAGE: &str = "crates/api-service/web";

/// How many tests there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

/// The line that says all, in the words that CI looks for.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// As a developer runs them: on the terminal, stopping at the first failure. With arguments for the runner,
/// which choose among the Rust tests, those of the page and of the client are left out.
pub(crate) fn run(runner_arguments: &[String]) -> Result<()> {
    prepare()?;
    if runner_arguments.is_empty() {
        page("spec").iter_mut().try_for_each(step::run)?;
    }
    let server = PrivateServer::before_the_run();
    let outcome = step::run(runner("default").args(runner_arguments));
    server.stop();
    outcome?;
    if runner_arguments.is_empty() { client::run(&mut Counts::default()) } else { Ok(()) }
}

/// As CI runs them: all of them, whatever fails, and counted.
pub(crate) fn run_counting(counts: &mut Counts) -> Result<()> {
    prepare()?;
    let server = PrivateServer::before_the_run();
    // Property tests look for new cases where somebody reads what they find; a run that decides about a change is
    // repeatable.
    let mut runner = runner("ci");
    if env::var_os(PROPERTY_SEED).is_none() {
        runner.env(PROPERTY_SEED, "1");
    }
    let outcome = step::run_reading(&mut runner, |line| counts.read(line));
    server.stop();
    outcome?;
    ensure!(counts.passed > 0, "no test ran");
    Ok(())
}

/// The page: its types, whether the files that are built in are what its sources build to, its tests without a
/// browser and in one, counted.
pub(crate) fn run_page(counts: &mut Counts) -> Result<()> {
    prepare()?;
    page("tap").iter_mut().try_for_each(|command| step::run_reading(command, |line| counts.read(line)))
}

/// The tests in documentation comments, which nextest does not run, counted.
pub(crate) fn run_documentation(counts: &mut Counts) -> Result<()> {
    let mut cargo = step::cargo(&["test", "--workspace", "--all-features", "--doc", "--no-fail-fast"]);
    step::run_reading(&mut cargo, |line| counts.read(line))
}

/// What is run for the page, in order. Its browser tests start the binary that they are about.
fn page(reporter: &str) -> Vec<Command> {
    let npm = |arguments: &[&str]| client::npm(PAGE, arguments);
    let mut browser = npm(&["run", "--silent", "test:browser", "--", "--test-reporter", reporter]);
    browser.env(client::BINARY, client::binary());
    vec![
        npm(&["ci", "--no-audit", "--no-fund"]),
        npm(&["run", "--silent", "check"]),
        npm(&["run", "--silent", "compare"]),
        npm(&["run", "--silent", "test", "--", "--test-reporter", reporter]),
        client::build(),
        browser,
    ]
}

fn runner(profile: &str) -> Command {
    if step::works(&mut step::cargo(&["nextest", "--version"])) {
        step::cargo(&["nextest", "run", "--workspace", "--all-features", "--profile", profile])
    } else {
        println!("cargo-nextest is not installed: the tests run under cargo test");
        let mut cargo = step::cargo(&["test", "--workspace", "--all-features", "--tests"]);
        if profile == "ci" {
            cargo.arg("--no-fail-fast");
        }
        cargo
    }
}

/// A program that tests run.
pub(crate) struct Program {
    /// What it is for.
    pub(crate) what: &'static str,
    /// The Debian package that brings it.
    pub(crate) package: &'static str,
    /// How to see that it is there.
    pub(crate) check: &'static [&'static str],
}

/// What builds and tests the page.
pub(crate) const NODE: Program = Program {
    what: "node 20.19 or newer, to build and test the page",
    package: "nodejs",
    check: &[
        "node",
        "--eval",
        "const [a, b] = process.versions.node.split('.'); if (a * 100 + +b < 2019) process.exit(1)",
    ],
};

/// What shows the page.
pub(crate) const CHROMIUM: Program = Program {
    what: "chromium, for the tests of the page",
    package: "chromium",
    check: &["sh", "-c", "\"${CHROMIUM:-chromium}\" --version"],
};

const PROGRAMS: &[Program] = &[
    Program {
        what: "python3 with venv, for the providers' own client",
        package: "python3-venv",
        check: &["python3", "-c", "import venv, ensurepip"],
    },
    NODE,
    client::NPM,
    CHROMIUM,
];

/// Sets up what the tests need.
pub(crate) fn prepare() -> Result<()> {
    postgres::ensure()?;
    PROGRAMS.iter().try_for_each(Program::ensure)
}

impl Program {
    /// Installs it if it is not there and can be.
    pub(crate) fn ensure(&self) -> Result<()> {
        let Self { what, package, check } = self;
        let is_there = || {
            check.split_first().is_some_and(|(program, rest)| step::works(&mut step::command(program, rest)))
        };
        if is_there() {
            return Ok(());
        }
        let debian = Path::new("/etc/debian_version").exists();
        if !(debian && Uid::effective().is_root()) {
            bail!("the tests need {what} (Debian: sudo apt-get install {package})");
        }
        postgres::apt_install(&[package])?;
        ensure!(is_there(), "{package} was installed, but {what} does not work");
        Ok(())
    }
}

impl Counts {
    /// Adds what a test runner's summary line says: nextest's, that of one binary under `cargo test`, or
    /// node's in the Test Anything Protocol.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some((what, number)) = line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            let number = number.parse::<u32>().unwrap_or(0);
            match what {
                "pass" => self.passed += number,
                "fail" | "cancelled" => self.failed += number,
                _ => {}
            }
            return;
        }
        // At the start of the line only: a failed test's output, which nextest indents, may hold such lines too.
        let (summary, separator) = if let Some(rest) = line.strip_prefix("     Summary [") {
            (rest.split_once(" run: ").map_or("", |(_, counts)| counts), ", ")
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            (rest.split_once(". ").map_or("", |(_, counts)| counts), "; ")
        } else {
            return;
        };
        for part in summary.split(separator) {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u32>() else { continue };
            match what.split_once(" (").map_or(what, |(what, _)| what) {
                "passed" => self.passed += number,
                "failed" | "timed out" | "exec failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            counts.read(line);
        }
        counts
    }

    #[test]
    fn summaries_of_nextest_are_read() {
        let line = "     Summary [   3.2s] 30 tests run: 26 passed (1 slow, 2 flaky), 3 failed, 1 timed out, 4 skipped";
        let of_a_test = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(counts(&["PASS [0.1s] telemetry a", of_a_test, line]), Counts { passed: 26, failed: 4 });
        assert_eq!(
            counts(&["     Summary [0.1s] 1 test run: 1 passed, 0 skipped"]).to_string(),
            "1 passed, 0 failed"
        );
    }

    #[test]
    fn summaries_of_node_are_read() {
        let lines =
            ["ok 37 - a", "# tests 40", "# pass 37", "# fail 2", "# cancelled 1", "# duration_ms 12.5"];
        assert_eq!(counts(&lines), Counts { passed: 37, failed: 3 });
    }

    #[test]
    fn summaries_of_cargo_test_are_added_up() {
        let found = counts(&[
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ]);
        assert_eq!(found, Counts { passed: 5, failed: 1 });
    }
}
