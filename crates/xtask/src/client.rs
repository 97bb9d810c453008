//! The TypeScript client's checks (`clients/typescript`): its types are the server's, it compiles, its tests pass
//! against the binary that was built, and so does the type check of its example.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;

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
    // As the other tests are built, so that nothing is built anew after them.
    step::run(&mut step::cargo(&["build", "--workspace", "--all-features", "--bin", "reelay"]))?;
    step::run(&mut npm(FOLDER, &["ci"]))?;
    step::run(&mut npm(FOLDER, &["run", "build"]))?;
    step::run_reading(npm(FOLDER, &["run", "test:tap"]).env("REELAY_BIN", binary()), |line| {
        counts.read(line);
    })?;
    // What is optional are compilers for one machine or another, which types do not need.
    step::run(&mut npm(EXAMPLE, &["ci", "--omit=optional"]))?;
    step::run(&mut npm(EXAMPLE, &["run", "check"]))
}

/// npm in one of our packages.
pub(crate) fn npm(folder: &str, arguments: &[&str]) -> Command {
    let mut npm = step::command("npm", arguments);
    npm.current_dir(crate::root().join(folder));
    npm
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
