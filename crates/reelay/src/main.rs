//! The launcher: the whole system on embedded parts, and the terminal client.
//!
//! `up` starts [`part`]s as [`child`] processes of this executable, which [`run`] them: a [`system`] on a
//! [`data_dir`]. [`generate`] is a [`client`] of the API like any other.

mod account;
mod child;
mod cli;
mod client;
mod data_dir;
mod generate;
mod part;
mod ports;
mod providers;
mod run;
mod s3;
mod secrets;
mod system;
mod up;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // First of all: without it any client of ours panics. It fails only if it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = match cli.command.unwrap_or(Command::Up(cli.up)) {
        Command::Run { part } => run::run(part),
        Command::Up(options) => at_home(up::up(options)),
        Command::Generate(options) => at_home(generate::generate(options)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("reelay: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs what a person waits for.
fn at_home(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let home = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    home.block_on(work)
}
