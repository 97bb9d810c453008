//! The catalogues: every event, every metric and every place where a test can end a process is used, and what
//! looks like an event's name stands nowhere else.

use std::collections::BTreeSet;

use super::{Finding, Tree, mentions};

const EVENTS: &str = "crates/telemetry/src/catalogue.rs";
const METRICS: &str = "crates/telemetry/src/metric.rs";
const PLACES: &str = "crates/foundation/src/crash.rs";

/// Where the page's scripts lie, which say `log("Action", …)`.
const PAGE: &str = "crates/api-service/web/";

/// One line of a catalogue: `CONSTANT = …, "word", …;`.
struct Entry<'a> {
    line: usize,
    constant: &'a str,
    words: Vec<&'a str>,
}

fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let (constant, rest) = line.strip_prefix("    ")?.split_once(" = ")?;
        let upper = constant.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        let words: Vec<_> = rest.strip_suffix("\";")?.split('"').skip(1).step_by(2).collect();
        upper.then_some(Entry { line: index + 1, constant, words })
    })
}

/// The names of all metrics, as Prometheus knows them.
pub(super) fn metrics(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.text(METRICS).into_iter().flat_map(entries).filter_map(|entry| entry.words.first().copied())
}

/// What the texts of these metrics say.
pub(super) fn metric_texts<'a>(tree: &'a Tree, names: &BTreeSet<&str>) -> Vec<&'a str> {
    let entries = tree.text(METRICS).into_iter().flat_map(entries);
    let named = entries.filter(|entry| entry.words.first().is_some_and(|name| names.contains(name)));
    named.filter_map(|entry| entry.words.get(2).copied()).collect()
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = strays(tree);
    for catalogue in [EVENTS, METRICS] {
        for Entry { line, constant, words } in tree.text(catalogue).into_iter().flat_map(entries) {
            let used = if words.first() == Some(&"PAGE") {
                let call = format!("log(\"{}\"", words.get(1).unwrap_or(&""));
                let mut page = tree.paths().filter(|path| path.starts_with(PAGE));
                page.any(|path| tree.text(path).is_some_and(|text| text.contains(&call)))
            } else {
                let code = tree.rust().filter(|source| source.path != catalogue && source.place().is_some());
                code.flat_map(super::Source::code).any(|(_, line)| mentions(line, constant))
            };
            if !used {
                let place = format!("{catalogue}:{line}");
                findings.push(Finding::new(place, format!("nothing uses {constant}")));
            }
        }
    }
    findings.extend(unused_places(tree));
    findings
}

/// Places of commits and sends that no code comes by: a fault that is asked for there would never happen.
fn unused_places(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in tree.text(PLACES).into_iter().flat_map(str::lines).enumerate() {
        let Some((place, _)) = line.strip_prefix("    ").and_then(|line| line.split_once(" = \"")) else {
            continue;
        };
        let code = tree.rust().filter(|source| source.path != PLACES && source.place().is_some());
        let name = format!("Place::{place}");
        if !code.flat_map(super::Source::code).any(|(_, line)| mentions(line, &name)) {
            findings.push(Finding::new(format!("{PLACES}:{}", index + 1), format!("nothing uses {name}")));
        }
    }
    findings
}

/// Texts of the form `"[COMPONENT] …"` outside of telemetry: events that went past the catalogue.
fn strays(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let past = |source: &super::Source<'_>| {
        source.place().is_some_and(|(krate, _)| !matches!(krate, "telemetry" | "xtask"))
    };
    for source in tree.rust().filter(past) {
        for (line, text) in source.code().filter(|(_, line)| names_an_event(line)) {
            let problem = format!("an event is logged by its constant in the catalogue: {}", text.trim());
            findings.push(Finding::at(source, line, problem));
        }
    }
    findings
}

fn names_an_event(line: &str) -> bool {
    line.match_indices("\"[").any(|(start, opening)| {
        let rest = line.get(start + opening.len()..).unwrap_or_default();
        rest.split_once("] ").is_some_and(|(component, _)| {
            component.len() > 1 && component.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: &str = "macro_rules! catalogue {}\n    JOB_CREATED = \"JOB\", \"Job created\", \"jobId\";\n    PAGE_SHOWN = \"PAGE\", \"Player displayed\", \"status\";\n";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn an_entry_that_nothing_uses_is_found() {
        let code = ("crates/worker-service/src/jobs/service.rs", "event!(INFO, JOB_CREATED, jobId = 1);");
        let page = ("crates/api-service/web/js/player.js", "log(\"Player displayed\", { status });");
        assert!(findings(&[(EVENTS, CATALOGUE), code, page]).is_empty());
        assert_eq!(
            findings(&[(EVENTS, CATALOGUE), page]),
            ["crates/telemetry/src/catalogue.rs:2: nothing uses JOB_CREATED"]
        );
        assert_eq!(
            findings(&[(EVENTS, CATALOGUE), code]),
            ["crates/telemetry/src/catalogue.rs:3: nothing uses PAGE_SHOWN"]
        );
    }

    #[test]
    fn a_mention_in_a_test_or_a_comment_is_no_use() {
        let comment = ("crates/worker-service/src/a.rs", "// JOB_CREATED is logged elsewhere");
        let test = ("crates/worker-service/tests/a.rs", "assert(JOB_CREATED)");
        let page = ("crates/api-service/web/js/player.js", "log(\"Player displayed\")");
        assert_eq!(findings(&[(EVENTS, CATALOGUE), comment, test, page]).len(), 1);
    }

    #[test]
    fn metrics_are_held_to_the_same() {
        let metrics = "    PUSHED = Counter, \"reelay_pushed_total\", \"\", \"Pushed.\";\n";
        assert_eq!(
            findings(&[(METRICS, metrics)]),
            ["crates/telemetry/src/metric.rs:1: nothing uses PUSHED"]
        );
    }

    #[test]
    fn a_place_that_nobody_comes_by_is_found() {
        let places = "    /// A commit.\n    TurnTaken = \"turn_taken\";\n    Sent = \"sent\";\n";
        let code = ("crates/api-service/src/a.rs", "sending(Place::Sent, x); let y = Place::TurnTakenNot;");
        assert_eq!(
            findings(&[(PLACES, places), code]),
            ["crates/foundation/src/crash.rs:2: nothing uses Place::TurnTaken"]
        );
    }

    #[test]
    fn an_event_that_goes_past_the_catalogue_is_found() {
        let stray = "tracing::info!(\"[JOB_MANAGER] Job vanished\");";
        assert_eq!(findings(&[("crates/worker-service/src/a.rs", stray)]).len(), 1);
        let other = "let address = \"[::1] is local\"; let list = \"[A] b\"; let json = \"[1] 2\";";
        assert!(findings(&[("crates/worker-service/src/a.rs", other)]).is_empty());
    }

    #[test]
    fn the_real_catalogues_are_read() {
        let tree = Tree::read().unwrap();
        let count = |path| tree.text(path).into_iter().flat_map(entries).count();
        assert!(count(EVENTS) > 80 && count(METRICS) > 20, "{} and {}", count(EVENTS), count(METRICS));
    }
}
