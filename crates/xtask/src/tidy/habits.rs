//! How a file is written: it says what it is for, is not endless, bears a name that means something, and lets
//! no lint pass without a reason.

use super::{Finding, Source, Tree};

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// A file longer than this holds more than one thing.
const MOST_LINES: usize = 600;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        check_file(source, &mut findings);
    }
    findings
}

fn check_file(source: Source<'_>, findings: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        findings.push(Finding::at(source, 1, "begins without //!: what is it for, what must it not do?"));
    }
    let lines = source.text.lines().count();
    if lines > MOST_LINES {
        findings.push(Finding::new(source.path, format!("has {lines} lines, more than {MOST_LINES}")));
    }
    for part in source.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part)) {
        if EMPTY_NAMES.contains(&part) {
            findings.push(Finding::new(source.path, format!("\"{part}\" says nothing of what is inside")));
        }
    }
    for (index, line) in source.text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with(concat!("#[", "allow")) || line.starts_with(concat!("#![", "allow")) {
            findings.push(Finding::at(
                source,
                index + 1,
                "use #[expect(…, reason = \"…\")], which ends with its reason",
            ));
        }
        if let Some(name) = declared(line)
            && EMPTY_NAMES.iter().any(|empty| name.to_lowercase().ends_with(empty))
        {
            findings.push(Finding::at(source, index + 1, format!("\"{name}\" says nothing of what it does")));
        }
    }
}

/// The name that a line declares, if it is a type's, a trait's or a module's.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    let rest =
        ["struct ", "enum ", "trait ", "mod "].iter().find_map(|keyword| line.strip_prefix(keyword))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(problems("crates/x/src/a.rs", "//! About.\n"), Vec::<String>::new());
        assert!(
            problems("crates/x/src/a.rs", "use b;\n")[0].starts_with("crates/x/src/a.rs:1: begins without")
        );
    }

    #[test]
    fn a_file_ends_some_time() {
        let text = format!("//! About.\n{}", "\n".repeat(600));
        assert_eq!(problems("crates/x/src/a.rs", &text).len(), 1);
    }

    #[test]
    fn names_mean_something() {
        assert_eq!(problems("crates/x/src/utils.rs", "//! About.").len(), 1);
        assert_eq!(problems("crates/x/src/helpers/a.rs", "//! About.").len(), 1);
        for line in ["pub struct JobManager {", "mod utils;", "pub(crate) trait QueueHelper: Send {"] {
            assert_eq!(problems("crates/x/src/a.rs", &format!("//! About.\n{line}")).len(), 1, "{line}");
        }
        assert!(problems("crates/x/src/a.rs", "//! About.\nlet manager = struct_manager();").is_empty());
    }

    #[test]
    fn no_lint_is_silenced_for_good() {
        let silenced =
            concat!("//! About.\n#[", "allow(dead_code)]\nfn a() {}\n#[expect(dead_code, reason = \"b\")]");
        assert_eq!(problems("crates/x/src/a.rs", silenced).len(), 1);
    }
}
