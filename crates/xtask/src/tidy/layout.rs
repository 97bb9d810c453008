//! What lies where: the entries of the top level, and the two parallel sets of migrations.

use std::collections::BTreeSet;

use super::{Finding, Tree};

/// What the user named, and the small files that tools want there.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".dockerignore",
    ".gitattributes",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clients",
    "clippy.toml",
    "crates",
    "deny.toml",
    "deploy",
    "docker-compose.yml",
    "docs",
    "migrations",
    "rustfmt.toml",
    "tests",
    "third-party",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries: BTreeSet<_> = tree.paths().filter_map(|path| path.split('/').next()).collect();
    for entry in entries.iter().filter(|entry| !TOP_LEVEL.contains(entry)) {
        findings.push(Finding::new(*entry, "does not belong at the top level"));
    }
    for service in ["api", "worker"] {
        let sqlite = format!("migrations/{service}/sqlite/");
        let postgres = format!("migrations/{service}/postgres/");
        for (here, there) in [(&sqlite, &postgres), (&postgres, &sqlite)] {
            for rest in tree.paths().filter_map(|path| path.strip_prefix(here.as_str())) {
                let twin = format!("{there}{rest}");
                if tree.text(&twin).is_none() {
                    findings.push(Finding::new(format!("{here}{rest}"), format!("has no twin {twin}")));
                }
                if let Some(migration) = rest.strip_suffix("/up.sql")
                    && tree.text(&format!("{here}{migration}/down.sql")).is_none()
                {
                    findings
                        .push(Finding::new(format!("{here}{rest}"), "cannot be undone: down.sql is missing"));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(files: &[&str]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|path| (*path, "")).collect();
        check(&Tree::of(&files)).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn strangers_at_the_top_level_are_found() {
        assert_eq!(
            places(&["Cargo.toml", "docs/LOGGING.md", "src/main.rs", "NOTES.md"]),
            ["NOTES.md", "src"]
        );
    }

    #[test]
    fn migrations_come_in_pairs_and_can_be_undone() {
        let up = |backend| format!("migrations/api/{backend}/1_initial/up.sql");
        let down = |backend| format!("migrations/api/{backend}/1_initial/down.sql");
        let (a, b, c, d) = (up("sqlite"), down("sqlite"), up("postgres"), down("postgres"));
        assert!(places(&[&a, &b, &c, &d]).is_empty());
        assert_eq!(places(&[&a, &b, &c]), [b.as_str(), c.as_str()]);
        assert_eq!(places(&[&a, &b]), [b.as_str(), a.as_str()]);
    }
}
