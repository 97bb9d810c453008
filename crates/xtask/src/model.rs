//! `cargo xtask model`: the checks of tests/model alone, one after the other, with their numbers shown. They need
//! no database, and under `cargo test` no time is too long for them.

use anyhow::Result;

use crate::step;

/// The task itself.
pub(crate) fn run(deep: bool) -> Result<()> {
    let mut cargo = step::cargo(&["test", "--workspace", "--all-features", "--test", "model", "--"]);
    cargo.args(["--nocapture", "--test-threads=1"]);
    if deep {
        cargo.arg("--include-ignored");
    }
    step::run(&mut cargo)
}
