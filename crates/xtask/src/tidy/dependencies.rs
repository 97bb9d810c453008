//! Which crate may know which of ours, and that versions are named in one table.

use toml::{Table, Value};

use super::{Finding, Tree};

/// Each crate of ours, with those that it may know. Those below know nothing of those above; the services never
/// know each other.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("telemetry", &["contract"]),
    ("foundation", &["contract", "telemetry"]),
    ("platform", &["contract", "telemetry", "foundation"]),
    ("api-service", &["contract", "telemetry", "foundation", "platform"]),
    ("worker-service", &["contract", "telemetry", "foundation", "platform"]),
    ("veo-simulator", &["contract", "telemetry", "foundation"]),
    ("reelay", &["contract", "telemetry", "foundation", "api-service", "worker-service", "veo-simulator"]),
    ("xtask", &[]),
    ("fuzz", &["contract", "telemetry", "foundation", "api-service", "worker-service", "veo-simulator"]),
];

/// What a crate's own tests may know besides.
const TESTS_MAY_KNOW: &[(&str, &[&str])] = &[("worker-service", &["veo-simulator"])];

/// Crates that bring I/O, which the contract does without.
const IMPURE: &[&str] =
    &["tokio", "actix-web", "reqwest", "diesel-async", "telemetry", "foundation", "platform"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tree.paths().filter(|path| path.ends_with("/Cargo.toml") && !path.starts_with("third-party/"))
    {
        let manifest = tree.text(path).and_then(|text| text.parse::<Table>().ok());
        match manifest.as_ref().and_then(|manifest| Some((manifest, name(manifest)?))) {
            Some((manifest, name)) => check_manifest(path, name, manifest, &mut findings),
            None => findings.push(Finding::new(path, "is no manifest of a package")),
        }
    }
    findings
}

fn check_manifest(path: &str, name: &str, manifest: &Table, findings: &mut Vec<Finding>) {
    let allowed = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed)
    };
    let Some(may_know) = allowed(MAY_KNOW) else {
        findings.push(Finding::new(
            path,
            "is a new crate: say in crates/xtask/src/tidy/dependencies.rs what it may know",
        ));
        return;
    };
    let tests_may_know = allowed(TESTS_MAY_KNOW).unwrap_or_default();
    for (kind, dependency, requirement) in dependencies(manifest) {
        let ours = MAY_KNOW.iter().any(|(crate_name, _)| *crate_name == dependency);
        let for_tests =
            kind == "dev-dependencies" && (dependency == name || tests_may_know.contains(&dependency));
        if ours && !may_know.contains(&dependency) && !for_tests {
            findings.push(Finding::new(path, format!("{name} must not know {dependency}")));
        }
        if name == "contract" && kind == "dependencies" && IMPURE.contains(&dependency) {
            findings.push(Finding::new(path, format!("the contract is pure and does without {dependency}")));
        }
        let from_table = requirement.get("workspace").and_then(Value::as_bool) == Some(true);
        if !from_table {
            findings.push(Finding::new(
                path,
                format!("{dependency}'s version belongs into the workspace's table"),
            ));
        }
    }
}

fn name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// Every dependency, with its kind; those for certain targets included.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&'static str, &str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = std::iter::once(manifest)
        .chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    tables.flat_map(|table| {
        ["dependencies", "dev-dependencies", "build-dependencies"].into_iter().flat_map(move |kind| {
            let entries = table.get(kind).and_then(Value::as_table);
            entries.into_iter().flatten().map(move |(name, requirement)| (kind, name.as_str(), requirement))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(name: &str, dependencies: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"{name}\"\n{dependencies}");
        let tree = Tree::of(&[("crates/x/Cargo.toml", &manifest)]);
        check(&tree).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn services_never_know_each_other() {
        let table = "[dependencies]\ncontract.workspace = true\nworker-service = { workspace = true }";
        assert_eq!(problems("api-service", table), ["api-service must not know worker-service"]);
        let table = "[target.'cfg(unix)'.dependencies]\napi-service.workspace = true";
        assert_eq!(problems("worker-service", table), ["worker-service must not know api-service"]);
    }

    #[test]
    fn the_workers_tests_may_know_the_simulator_and_only_they() {
        assert!(problems("worker-service", "[dev-dependencies]\nveo-simulator.workspace = true").is_empty());
        let found = problems("worker-service", "[dependencies]\nveo-simulator.workspace = true");
        assert_eq!(found, ["worker-service must not know veo-simulator"]);
    }

    #[test]
    fn the_contract_stays_pure() {
        let found = problems("contract", "[dependencies]\ntokio.workspace = true");
        assert_eq!(found, ["the contract is pure and does without tokio"]);
    }

    #[test]
    fn versions_are_named_in_one_table_and_new_crates_have_their_place() {
        let found = problems("telemetry", "[dependencies]\nhttp = \"1\"");
        assert_eq!(found, ["http's version belongs into the workspace's table"]);
        assert_eq!(problems("newcomer", "").len(), 1);
        assert_eq!(check(&Tree::of(&[("crates/x/Cargo.toml", "nonsense")])).len(), 1);
    }
}
