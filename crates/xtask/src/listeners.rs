//! `cargo xtask listeners`: what it costs the API that many clients listen and nothing happens, in memory.

use anyhow::Result;
use clap::Args;

use crate::step;

/// How many.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Listeners, first by SSE, then by WebSocket. Each is an open file here, and two in the API.
    #[arg(long, default_value_t = 5000)]
    count: usize,
}

/// The task itself.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut cargo =
        step::cargo(&["test", "--workspace", "--all-features", "--test", "system", "listeners::", "--"]);
    cargo.args(["--nocapture", "--test-threads=1"]).env("LISTENERS", options.count.to_string());
    step::run(&mut cargo)
}
