//! The documents' pictures: each one that a document shows is there, and each one that is there is shown.

use std::{collections::BTreeSet, path::Path};

use super::{Finding, Tree};

/// Where they lie.
const FOLDER: &str = "docs/images/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut shown = BTreeSet::new();
    let is_document = |path: &&str| Path::new(path).extension().is_some_and(|kind| kind == "md");
    for document in tree.paths().filter(is_document) {
        for (index, line) in tree.text(document).unwrap_or_default().lines().enumerate() {
            for target in pictures(line) {
                let picture = beside(document, target);
                if tree.text(&picture).is_none() {
                    let place = format!("{document}:{}", index + 1);
                    findings.push(Finding::new(place, format!("there is no picture {picture}")));
                }
                shown.insert(picture);
            }
        }
    }
    let there = tree.paths().filter(|path| path.starts_with(FOLDER));
    for picture in there.filter(|path| !shown.contains(*path)) {
        findings.push(Finding::new(picture, "no document shows it"));
    }
    findings
}

/// What a line of Markdown shows as pictures. Those on other servers are not ours to keep.
fn pictures(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("![").skip(1).filter_map(|rest| rest.split_once("](")?.1.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The path from the root of what a document names from where it lies.
fn beside(document: &str, target: &str) -> String {
    let mut parts: Vec<_> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_picture_that_is_not_there_is_found() {
        let readme = "# It\n\n| ![a](docs/images/a.jpg)<br>a | ![b](docs/images/b.jpg)<br>b |\n";
        let files = [("README.md", readme), ("docs/images/a.jpg", "")];
        assert_eq!(findings(&files), ["README.md:3: there is no picture docs/images/b.jpg"]);
        let elsewhere = "[a](a.jpg) ![badge](https://badges.example/b.svg) a ![ alone";
        assert!(findings(&[("README.md", elsewhere)]).is_empty());
    }

    #[test]
    fn a_picture_that_nothing_shows_is_found() {
        let files = [
            ("docs/FLOW.md", "![a](images/a.jpg) ![b](./images/b.jpg)"),
            ("clients/x/README.md", "![c](../../docs/images/c.jpg)"),
            ("docs/images/a.jpg", ""),
            ("docs/images/b.jpg", ""),
            ("docs/images/c.jpg", ""),
            ("docs/images/d.jpg", ""),
        ];
        assert_eq!(findings(&files), ["docs/images/d.jpg: no document shows it"]);
    }
}
