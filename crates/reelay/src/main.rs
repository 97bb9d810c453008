//! The launcher: the whole system on embedded parts, and the terminal client.

mod cli;
mod run;
mod s3;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // First of all: without it any client of ours panics. It fails only if it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = match cli.command.unwrap_or(Command::Up(cli.up)) {
        Command::Run { part } => run::run(part),
        Command::Up(_) | Command::Generate(_) => Err(anyhow::anyhow!("not built yet")),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("reelay: {error:#}");
        ExitCode::FAILURE
    })
}
