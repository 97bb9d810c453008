//! `reelay up`: the whole system, until it is told to stop.

use std::{io::Write, process::ExitCode};

use anyhow::{Context, Result};
use foundation::shutdown::StopSignals;

use crate::{
    cli::UpOptions,
    data_dir,
    system::{Facts, LogTo, System},
};

/// Starts the system, says where it is, and keeps it running until SIGINT or SIGTERM.
pub(crate) async fn up(options: UpOptions) -> Result<ExitCode> {
    let directory = match &options.data_dir {
        Some(directory) => directory.clone(),
        None => data_dir::default_path()?,
    };
    let mut stop = StopSignals::hear(false).context("signals cannot be heard")?;
    let system = tokio::select! {
        system = System::start(&options, &directory, LogTo::Terminal) => system?,
        // What has been started so far ends with this process.
        _ = stop.requested() => return Ok(ExitCode::FAILURE),
    };
    announce(system.facts(), options.json)?;
    let reason = stop.requested().await;
    eprintln!("reelay: stopping ({reason})");
    tokio::select! {
        () = system.stop() => {}
        // Asked twice: whoever asks is in a hurry.
        _ = stop.requested() => return Ok(ExitCode::FAILURE),
    }
    eprintln!("reelay: stopped");
    Ok(ExitCode::SUCCESS)
}

fn announce(facts: &Facts, json: bool) -> Result<()> {
    let text = if json { serde_json::to_string(facts)? } else { facts.for_people() };
    let mut output = std::io::stdout();
    // Whoever started us may not care to read it.
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    Ok(())
}
