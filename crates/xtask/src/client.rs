//! The TypeScript client's checks (`clients/typescript`): its types are the server's, it compiles, its tests pass
//! against the binary that was built, and its example can be built with the package that a project would install.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    step,
    test::{Counts, Program},
};

const FOLDER: &str = "clients/typescript";
const EXAMPLE: &str = "clients/typescript/example-nextjs";

/// What installs and builds whatever is written in TypeScript.
pub(crate) const NPM: Program = Program {
    what: "npm, for the page and the TypeScript client",
    package: "npm",
    check: &["npm", "--version"],
};

/// Everything, and the tests counted.
pub(crate) fn run(counts: &mut Counts) -> Result<()> {
    NPM.ensure()?;
    step::run(&mut build())?;
    step::run(&mut npm(FOLDER, &["ci"]))?;
    step::run_reading(npm(FOLDER, &["run", "test:tap"]).env(BINARY, binary()), |line| {
        counts.read(line);
    })?;
    let tarball = packed()?;
    step::run(&mut npm(EXAMPLE, &["ci"]))?;
    // In place of the link that the lock file asks for, which is not what a project gets.
    step::run(&mut npm(EXAMPLE, &["install", "--no-save", "--no-audit", "--no-fund", &tarball]))?;
    step::run(npm(EXAMPLE, &["run", "build"]).env("NEXT_TELEMETRY_DISABLED", "1"))
}

/// Packs the client; where the tarball is, as seen from the example.
fn packed() -> Result<String> {
    let mut name = None;
    step::run_reading(&mut npm(FOLDER, &["pack", "--silent"]), |line| {
        let line = line.trim();
        if Path::new(line).extension().is_some_and(|kind| kind == "tgz") {
            name = Some(format!("../{line}"));
        }
    })?;
    name.context("npm pack does not say what it made")
}

/// npm in one of our packages.
pub(crate) fn npm(folder: &str, arguments: &[&str]) -> Command {
    let mut npm = step::command("npm", arguments);
    npm.current_dir(crate::root().join(folder));
    npm
}

/// Names the binary to whatever starts it.
pub(crate) const BINARY: &str = "REELAY_BIN";

/// Builds it as the other tests are built, so that nothing is built anew after them.
pub(crate) fn build() -> Command {
    step::cargo(&["build", "--workspace", "--all-features", "--bin", "reelay"])
}

/// The binary that the tests start.
pub(crate) fn binary() -> PathBuf {
    target().join("debug/reelay")
}

/// Where what is built lies.
pub(crate) fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    crate::root().join(target)
}
