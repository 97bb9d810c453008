//! `cargo xtask ci`: every check, each of them even if one before it failed, then a table of what took how
//! long, and as the last line the number of tests that passed and failed.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    client, deny, step,
    test::{self, Counts},
    tidy,
};

/// One step, done.
struct Done {
    name: &'static str,
    took: Duration,
    outcome: Result<()>,
}

/// The task itself.
pub(crate) fn run() -> Result<()> {
    let mut counts = Counts::default();
    let mut steps = Vec::new();
    let mut step = |name, check: &mut dyn FnMut() -> Result<()>| {
        println!("\n=== {name} ===");
        let start = Instant::now();
        let outcome = check();
        if let Err(error) = &outcome {
            println!("error: {error:#}");
        }
        steps.push(Done { name, took: start.elapsed(), outcome });
    };
    step("fmt", &mut || step::run(&mut step::cargo(&["fmt", "--all", "--check"])));
    step("tidy", &mut tidy::run);
    step("deny", &mut deny::run);
    step("clippy", &mut || {
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];
        step::run(&mut step::cargo(&arguments))
    });
    step("test", &mut || test::run_counting(&mut counts));
    step("page tests", &mut || test::run_page(&mut counts));
    step("client", &mut || client::run(&mut counts));
    step("doc tests", &mut || test::run_documentation(&mut counts));

    print!("\n{}", table(&steps));
    println!("{counts}");
    let failed: Vec<_> = steps.iter().filter(|done| done.outcome.is_err()).map(|done| done.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn table(steps: &[Done]) -> String {
    let mut table = String::new();
    for Done { name, took, outcome } in steps {
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        _ = writeln!(table, "{name:<11} {verdict:<6} {:>4} s", took.as_secs());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_failed_and_how_long_it_took() {
        let step = |name, seconds, outcome| Done { name, took: Duration::from_secs(seconds), outcome };
        let text = table(&[step("fmt", 2, Ok(())), step("doc tests", 61, Err(anyhow::anyhow!("no")))]);
        assert_eq!(text, "fmt         ok        2 s\ndoc tests   FAILED   61 s\n");
    }
}
