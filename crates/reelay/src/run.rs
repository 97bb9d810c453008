//! One part of the system as a process of its own: `reelay run api|worker|s3|provider`. The launcher starts its
//! children this way; so may anyone who runs the parts separately.
//!
//! Whatever the part, its logs go where its own program would send them, and with `--end-with-parent` the first
//! line on standard output is its base URL.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::Context;
use foundation::{
    settings::{Environment, Hidden, SettingError},
    shutdown::StopSignals,
};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Lifeline, RunPart},
    s3,
};

/// The exit code of a process whose settings are missing or malformed.
const BAD_SETTING: u8 = 2;

foundation::settings! {
    /// What the embedded object storage is told.
    pub struct S3ServerSettings {
        /// Address and port to listen on; port 0 takes a free one.
        pub bind: SocketAddr = or_default("S3_BIND", "127.0.0.1:8083"),
        /// Where objects are kept; made if it is not there.
        pub data_dir: PathBuf = required("S3_DATA_DIR"),
        /// The bucket that shall be there.
        pub bucket: String = or_default("S3_BUCKET", "reelay"),
        /// The one key that opens it.
        pub access_key_id: String = required("S3_ACCESS_KEY_ID"),
        /// That key's secret.
        pub secret_access_key: Hidden = required("S3_SECRET_ACCESS_KEY"),
    }
}

/// What `reelay run s3 --help` says of settings.
pub(crate) fn s3_help() -> String {
    foundation::settings::help(&[S3ServerSettings::VARIABLES])
}

/// Runs a part until it is told to stop.
pub(crate) fn run(part: RunPart) -> anyhow::Result<ExitCode> {
    match part {
        RunPart::Api(arguments) => Ok(api_service::run(arguments.lifeline.end_with_parent)),
        RunPart::Worker(arguments) => Ok(worker_service::run(arguments.lifeline.end_with_parent)),
        RunPart::S3(lifeline) => {
            let settings = match S3ServerSettings::read(&Environment::process()) {
                Ok(settings) => settings,
                Err(error) => return Ok(refuse(&error)),
            };
            home()?.block_on(serve_s3(settings, lifeline))?;
            Ok(ExitCode::SUCCESS)
        }
        RunPart::Provider { options, lifeline } => {
            home()?.block_on(async {
                let mut stop = lifeline.stop_signals()?;
                let stop = async move {
                    stop.requested().await;
                };
                veo_simulator::command::serve(options, stop).await
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn home() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")
}

fn refuse(error: &SettingError) -> ExitCode {
    eprintln!("reelay: {error}");
    ExitCode::from(BAD_SETTING)
}

impl Lifeline {
    fn stop_signals(self) -> anyhow::Result<StopSignals> {
        StopSignals::hear(self.end_with_parent).context("signals cannot be heard")
    }
}

async fn serve_s3(settings: S3ServerSettings, lifeline: Lifeline) -> anyhow::Result<()> {
    let mut signals = lifeline.stop_signals()?;
    let logs = telemetry::Options::from_settings("object-storage", |name| std::env::var(name).ok())?;
    let logs = telemetry::init(if lifeline.end_with_parent { logs.to_stderr() } else { logs })?;
    let S3ServerSettings { bind, data_dir, .. } = &settings;
    let server = s3::Server::bind(&s3::Options {
        address: *bind,
        directory: data_dir.clone(),
        bucket: settings.bucket.clone(),
        access_key_id: settings.access_key_id.clone(),
        secret_access_key: settings.secret_access_key.reveal().to_owned(),
    })
    .await
    .with_context(|| format!("cannot serve {} on {bind}", data_dir.display()))?;
    let address = server.address()?;
    telemetry::event!(INFO, SERVICE_LISTENING, address = %address);
    if lifeline.end_with_parent {
        let mut output = std::io::stdout();
        // Whoever started us may not care to read it.
        let _ = writeln!(output, "http://{address}").and_then(|()| output.flush());
    }
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.run(stop.clone()));
    let reason = signals.requested().await;
    let begun = Instant::now();
    telemetry::event!(INFO, SERVICE_STOPPING, reason = reason);
    stop.cancel();
    serving.await?;
    telemetry::event!(INFO, SERVICE_STOPPED, durationMs = begun.elapsed().as_millis() as u64);
    logs.shutdown().await;
    Ok(())
}
