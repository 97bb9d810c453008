//! The command line of the program `veo-simulator`.

use std::io::Write;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Options, Simulator};

/// A video provider on your own machine: speaks the wire protocols of Google Veo (Gemini API and Vertex) and of the
/// Interactions API, renders real MP4s that follow from the prompt, fails on demand, and keeps a ledger of what it
/// accepted (GET /ledger).
///
/// A prompt chooses what goes wrong: [sim:fail], [sim:filtered], [sim:audio], [sim:429], [sim:500], [sim:hang],
/// [sim:lost], [sim:nameless], [sim:never], [sim:empty], [sim:truncated], [sim:html], [sim:slow], [sim:inline],
/// [sim:processing], [sim:silent], [sim:echo]; and how long it takes: [sim:latency=30s].
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    #[command(flatten)]
    options: Options,
}

/// Runs the program until SIGINT or SIGTERM.
pub async fn run() -> anyhow::Result<()> {
    let command = Command::parse();
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    serve(command.options, stop).await
}

/// Serves until `stop` is ready, as a process of its own: the first line on standard output is the base URL, for
/// scripts; logs go to standard error.
pub async fn serve(options: Options, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    // Fails only if a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let telemetry = telemetry::Options::from_settings("veo-simulator", |name| std::env::var(name).ok())?;
    let telemetry = telemetry::init(telemetry.to_stderr())?;

    let simulator = Simulator::start(options).await?;
    let mut output = std::io::stdout();
    // Whoever started us may not care to read it.
    let _ = writeln!(output, "{}", simulator.base_url()).and_then(|()| output.flush());

    let ended = simulator.run_until_stopped(stop).await;
    telemetry.shutdown().await;
    Ok(ended?)
}
