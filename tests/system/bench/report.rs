//! What the bench came to: figures of every round, as a table for eyes and as JSON. Pure but for the writing.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

/// A number that a round has brought.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

pub(crate) fn figure(name: impl Into<String>, unit: &'static str, value: f64) -> Figure {
    Figure { name: name.into(), unit, value }
}

/// A measure on a database: the same figures in each of its rounds.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) measure: &'static str,
    pub(crate) database: &'static str,
    pub(crate) rounds: Vec<Vec<Figure>>,
}

impl Section {
    /// Each figure with its value in every round.
    fn rows(&self) -> impl Iterator<Item = (&Figure, Vec<f64>)> {
        let first = self.rounds.first().into_iter().flatten();
        first.enumerate().map(move |(index, figure)| {
            (figure, self.rounds.iter().filter_map(|round| Some(round.get(index)?.value)).collect())
        })
    }
}

/// The smallest of the values that so large a share of them does not exceed.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// With as many digits as mean something.
pub(crate) fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// All rounds of all measures, in Markdown. `about` is what was measured, and where: an object of whose entries each
/// is a line.
pub(crate) fn text(about: &Value, sections: &[Section]) -> String {
    let mut text = String::new();
    for (name, value) in about.as_object().into_iter().flatten() {
        _ = writeln!(text, "- {name}: `{value}`");
    }
    text.push_str(
        "\n| measure | database | figure | unit | every round | median |\n|---|---|---|---|---|--:|\n",
    );
    for section in sections {
        for (figure, values) in section.rows() {
            let every: Vec<_> = values.iter().map(|value| shown(*value)).collect();
            let (every, median) = (every.join(", "), shown(percentile(&values, 0.5)));
            let Section { measure, database, .. } = section;
            let Figure { name, unit, .. } = figure;
            _ = writeln!(text, "| {measure} | {database} | {name} | {unit} | {every} | {median} |");
        }
    }
    text
}

/// Writes it into a folder, and the same as JSON.
pub(crate) fn write(folder: &Path, about: &Value, sections: &[Section]) {
    let results = sections.iter().flat_map(|section| {
        section.rows().map(move |(figure, rounds)| {
            json!({
                "measure": section.measure, "database": section.database,
                "figure": figure.name, "unit": figure.unit,
                "median": percentile(&rounds, 0.5), "rounds": rounds,
            })
        })
    });
    let report = json!({"about": about, "results": results.collect::<Vec<_>>()});
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report).unwrap()).unwrap();
    std::fs::write(folder.join("report.md"), text(about, sections)).unwrap();
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    let of = |values: &[f64], share| shown(percentile(values, share));
    assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| of(&hundred, share)), ["1", "50", "99", "100"]);
    assert_eq!([0.5, 0.99].map(|share| of(&[3.0, 1.0, 2.0], share)), ["2", "3"]);
    assert_eq!(of(&[7.5], 0.99), "7.50");
    assert!(percentile(&[], 0.5).is_nan());
}

#[test]
fn no_round_is_left_out() {
    let round = |rate, median| vec![figure("videos", "/s", rate), figure("an answer, p50", "ms", median)];
    let rounds = vec![round(41.23, 3.456), round(140.4, 2.0), round(39.0, 9.999)];
    let sections = [Section { measure: "throughput", database: "sqlite", rounds }];
    let about = json!({"machine": {"cores": 2}});
    let text = text(&about, &sections);
    assert!(text.starts_with("- machine: `{\"cores\":2}`\n\n| measure |"), "{text}");
    assert!(text.contains("| throughput | sqlite | videos | /s | 41.2, 140, 39 | 41.2 |\n"), "{text}");
    assert!(text.contains("| an answer, p50 | ms | 3.46, 2, 10.00 | 3.46 |\n"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &about, &sections);
    let report = std::fs::read(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["results"][0]["rounds"], json!([41.23, 140.4, 39.0]));
    assert_eq!(report["results"][1]["median"], json!(3.456));
}
