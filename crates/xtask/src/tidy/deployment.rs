//! What `docker-compose.yml` and `deploy/` name of ours is real: the settings are ones that the code reads, the
//! metrics ones that it exports, the outcomes ones that the metrics' texts list.

use std::collections::BTreeSet;

use super::{Finding, Tree, catalogue, mentions};

/// Settings of other people's images.
const FOREIGN: &[&str] = &["POSTGRES_", "GF_", "ROOT_", "VGW_"];

/// What Prometheus appends to a histogram's name.
const HISTOGRAM_SUFFIXES: &[&str] = &["_bucket", "_sum", "_count"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let deployment = tree.paths().filter(|path| *path == "docker-compose.yml" || path.starts_with("deploy/"));
    for path in deployment {
        let text = tree.text(path).unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{path}:{}", index + 1);
            for setting in settings(path, line) {
                let literal = format!("\"{setting}\"");
                let mut code =
                    tree.rust().filter(|source| source.place().is_some_and(|(krate, _)| krate != "xtask"));
                if !code.any(|source| source.text.contains(&literal)) {
                    findings.push(Finding::new(&place, format!("nothing reads {setting}")));
                }
            }
            for metric in metrics(line) {
                if !catalogue::metrics(tree).any(|known| known == metric) {
                    findings.push(Finding::new(&place, format!("there is no metric {metric}")));
                }
            }
            let asked = outcomes(line);
            let texts = catalogue::metric_texts(tree, &metrics(line));
            for outcome in asked.into_iter().filter(|asked| !texts.iter().any(|text| mentions(text, asked))) {
                findings
                    .push(Finding::new(&place, format!("no metric of this line has the outcome {outcome}")));
            }
        }
    }
    findings
}

/// The settings that a line gives: a mapping's key in the compose file, the words of `ENV` in a Dockerfile.
fn settings<'a>(path: &str, line: &'a str) -> Vec<&'a str> {
    let given: Vec<_> = if path.ends_with("Dockerfile") {
        let words = line.strip_prefix("ENV ").into_iter().flat_map(str::split_whitespace);
        words.filter_map(|word| word.split_once('=')).map(|(name, _)| name).collect()
    } else if path == "docker-compose.yml" {
        line.trim().split_once(": ").map(|(name, _)| name).into_iter().collect()
    } else {
        Vec::new()
    };
    let is_setting = |name: &&str| {
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
            && !FOREIGN.iter().any(|foreign| name.starts_with(foreign))
    };
    given.into_iter().filter(is_setting).collect()
}

/// The values of the label `outcome` that a line asks for.
fn outcomes(line: &str) -> Vec<&str> {
    let asked = line.split("outcome=").skip(1).map(|rest| rest.trim_start_matches(['~', '\\', '"']));
    asked.filter_map(|rest| rest.split(['"', '\\']).next()).flat_map(|values| values.split('|')).collect()
}

/// The metrics of ours that a line names, a histogram by its own name.
fn metrics(line: &str) -> BTreeSet<&str> {
    let words = line.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let ours = words.filter(|word| word.starts_with("reelay_"));
    ours.map(|word| HISTOGRAM_SUFFIXES.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: (&str, &str) = ("crates/api-service/src/settings.rs", "or_default(\"API_BIND\", \"…\")");
    const METRIC: (&str, &str) = (
        "crates/telemetry/src/metric.rs",
        "    WAIT = Histogram, \"reelay_wait_seconds\", \"outcome\", \"Waits: short or long.\";\n",
    );

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[SOURCE, METRIC, (path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_setting_that_nothing_reads_is_found() {
        let compose = "services:\n  api:\n    environment:\n      API_BIND: 0.0.0.0:1\n      API_BNID: x\n      GF_PATHS: y\n";
        assert_eq!(findings("docker-compose.yml", compose), ["docker-compose.yml:5: nothing reads API_BNID"]);
        let image = "FROM a AS b\nENV API_BIND=1 API_PORT=2\nEXPOSE 1\n";
        assert_eq!(findings("deploy/a.Dockerfile", image), ["deploy/a.Dockerfile:2: nothing reads API_PORT"]);
    }

    #[test]
    fn a_metric_that_nothing_exports_is_found() {
        let rule = "expr: rate(reelay_wait_seconds_bucket[5m]) / rate(reelay_vanished_total{a=\"b\"}[5m])";
        let found = findings("deploy/prometheus/rules.yml", rule);
        assert_eq!(found, ["deploy/prometheus/rules.yml:1: there is no metric reelay_vanished_total"]);
    }

    #[test]
    fn an_outcome_that_no_metric_has_is_found() {
        let rule = "expr: rate(reelay_wait_seconds_count{outcome=~\"long|endless\"}[5m])";
        let found = findings("deploy/prometheus/rules.yml", rule);
        assert_eq!(found, ["deploy/prometheus/rules.yml:1: no metric of this line has the outcome endless"]);
        let panel = r#""expr": "sum(reelay_wait_seconds_sum{outcome=\"short\"})""#;
        assert!(findings("deploy/grafana/dashboards/reelay.json", panel).is_empty());
    }
}
