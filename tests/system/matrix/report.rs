//! What the matrix came to: a line for each row while it runs, a table by kinds of fault, and everything as JSON.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use serde_json::json;

use super::run::Outcome;

/// The line of a row.
pub(crate) fn line(number: usize, of: usize, outcome: &Outcome) -> String {
    let verdict = match (outcome.happened, outcome.violations.is_empty()) {
        (true, true) => "ok",
        (false, true) => "NOT REACHED",
        (_, false) => "VIOLATED",
    };
    let mut line = format!(
        "{number:>4}/{of} {verdict:<11} {:<70} {:<28} {} submitted, answered after {:>5.1} s, quiet after {:>5.1} s",
        outcome.row,
        outcome.end,
        outcome.submissions,
        outcome.answered_after_seconds,
        outcome.quiet_after_seconds
    );
    for violation in &outcome.violations {
        _ = write!(line, "\n          {}: {}", violation.invariant, violation.what);
    }
    line
}

/// A kind of fault: the first words of a row's name.
fn kind(row: &str) -> String {
    let mut words = row.split('/');
    let (backend, story, fault) = (words.next(), words.next(), words.next());
    let fault = match fault {
        Some("nothing") => format!("nothing: {}", story.unwrap_or_default()),
        Some("crash") => format!("crash at a point of {}", words.next().unwrap_or_default()),
        Some("wire") => {
            let wire = words.next().unwrap_or_default();
            format!("wire {wire} is {}", words.next().unwrap_or_default())
        }
        Some("database-crash") => "database crash".to_owned(),
        Some("disk-full") => "disk full".to_owned(),
        Some(fault) => format!("{fault} {}", words.next().unwrap_or_default()),
        None => String::new(),
    };
    format!("{} | {fault}", backend.unwrap_or_default())
}

/// The table of all rows, in Markdown.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    #[derive(Default)]
    struct Sum {
        rows: usize,
        good: usize,
        not_reached: usize,
        violations: usize,
        ends: BTreeMap<String, usize>,
        answered: f64,
        quiet: f64,
    }
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    for outcome in outcomes {
        for kind in [kind(&outcome.row), "all | ".to_owned()] {
            let sum = kinds.entry(kind).or_default();
            sum.rows += 1;
            sum.good += usize::from(outcome.is_good());
            sum.not_reached += usize::from(!outcome.happened);
            sum.violations += outcome.violations.len();
            *sum.ends.entry(outcome.end.clone()).or_default() += 1;
            sum.answered = sum.answered.max(outcome.answered_after_seconds);
            sum.quiet = sum.quiet.max(outcome.quiet_after_seconds);
        }
    }
    let mut table = String::from(
        "| database | fault | rows | good | not reached | violations | ends | longest until answered | longest until quiet |\n\
         |---|---|--:|--:|--:|--:|---|--:|--:|\n",
    );
    for (kind, sum) in kinds {
        let ends: Vec<_> = sum.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        _ = writeln!(
            table,
            "| {kind} | {} | {} | {} | {} | {} | {:.1} s | {:.1} s |",
            sum.rows,
            sum.good,
            sum.not_reached,
            sum.violations,
            ends.join(", "),
            sum.answered,
            sum.quiet
        );
    }
    table
}

/// Writes both reports into a folder.
pub(crate) fn write(folder: &Path, outcomes: &[Outcome]) {
    std::fs::create_dir_all(folder).unwrap();
    let good = outcomes.iter().filter(|outcome| outcome.is_good()).count();
    let report = json!({"rows": outcomes.len(), "good": good, "outcomes": outcomes});
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report).unwrap()).unwrap();
    std::fs::write(folder.join("report.md"), table(outcomes)).unwrap();
}

#[test]
fn what_is_not_good_is_seen() {
    let outcome = |row: &str, happened, violations: &[&'static str]| Outcome {
        row: row.to_owned(),
        happened,
        end: "completed".to_owned(),
        submissions: 1,
        answered_after_seconds: 2.0,
        quiet_after_seconds: 1.0,
        violations: violations
            .iter()
            .map(|invariant| super::invariants::Violation { invariant, what: "something".to_owned() })
            .collect(),
    };
    let outcomes = [
        outcome("sqlite/video/crash/api/before:turn_taken#1/late", true, &[]),
        outcome("sqlite/video/crash/api/after:turn_taken#1/late", true, &["I3", "I7"]),
        outcome("sqlite/video/kill/api/asked/late", false, &[]),
    ];
    let table = table(&outcomes);
    assert!(
        table.contains("| sqlite | crash at a point of api | 2 | 1 | 0 | 2 | 2 completed | 2.0 s | 1.0 s |"),
        "{table}"
    );
    assert!(table.contains("| sqlite | kill api | 1 | 0 | 1 | 0 |"), "{table}");
    assert!(table.contains("| all |  | 3 | 1 | 1 | 2 |"), "{table}");
    assert!(
        line(1, 3, &outcomes[1]).contains("VIOLATED") && line(3, 3, &outcomes[2]).contains("NOT REACHED")
    );
}
