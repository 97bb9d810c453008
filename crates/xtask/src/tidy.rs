//! `cargo xtask tidy`: the rules of the house that neither rustc nor clippy knows, checked on the source's
//! text. Each group of rules is a function from the tree to its findings; `docs/ARCHITECTURE.md` gives the
//! reasons.

mod catalogue;
mod dependencies;
mod deployment;
mod habits;
mod layers;
mod layout;
mod pictures;

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context, Result, bail, ensure};

use crate::step;

/// The files that git knows or would add, by their path from the root.
#[derive(Debug, Default)]
struct Tree(BTreeMap<String, String>);

impl Tree {
    fn read() -> Result<Self> {
        let root = crate::root();
        let mut git = step::command("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.output().context("cannot start git")?;
        ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        let paths = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
        let mut files = BTreeMap::new();
        for path in paths.split_terminator('\0') {
            // What is deleted but not yet committed is no longer there; what is not text has no lines.
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                files.insert(path.to_owned(), String::from_utf8(bytes).unwrap_or_default());
            }
        }
        Ok(Self(files))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    fn rust(&self) -> impl Iterator<Item = Source<'_>> {
        let rust =
            self.0.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "rs"));
        rust.map(|(path, text)| Source { path, text })
    }
}

/// A Rust file.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    /// The crate and the path in its `src`, if that is where it lies.
    fn place(self) -> Option<(&'a str, &'a str)> {
        self.path.strip_prefix("crates/")?.split_once("/src/")
    }

    /// Numbered lines of code: without whole-line comments, and without the unit tests at the end.
    fn code(self) -> impl Iterator<Item = (usize, &'a str)> {
        let tests = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        let lines = self.text.get(..tests).unwrap_or(self.text).lines().enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Whether the line contains the word, standing alone.
fn mentions(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|before| before.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    problem: String,
}

impl Finding {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }

    fn at(source: Source<'_>, line: usize, problem: impl Into<String>) -> Self {
        Self::new(format!("{}:{line}", source.path), problem)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// The task itself.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let rules = [
        layout::check,
        dependencies::check,
        layers::check,
        habits::check,
        catalogue::check,
        deployment::check,
        pictures::check,
    ];
    let findings: Vec<_> = rules.iter().flat_map(|rule| rule(&tree)).collect();
    for finding in &findings {
        println!("error: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} rules broken", findings.len());
    }
    println!("tidy: {} files in order", tree.0.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_alone() {
        assert!(mentions("use diesel::prelude::*;", "diesel"));
        assert!(!mentions("use diesel_async::Pool;", "diesel"));
        assert!(mentions("my_diesel(diesel)", "diesel"));
        assert!(!mentions("undiesel", "diesel"));
    }

    #[test]
    fn code_has_neither_comments_nor_unit_tests() {
        let text = "//! about\nuse a;\n    // why\nfn b() {}\n\n#[cfg(test)]\nmod tests {\n    use c;\n}\n";
        let source = Source { path: "crates/x/src/deep/y.rs", text };
        let code: Vec<_> = source.code().filter(|(_, line)| !line.is_empty()).collect();
        assert_eq!(code, [(2, "use a;"), (4, "fn b() {}")]);
        assert_eq!(source.place(), Some(("x", "deep/y.rs")));
        assert_eq!(Source { path: "crates/x/tests/y.rs", text }.place(), None);
    }
}
