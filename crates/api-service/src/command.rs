//! The service as a program: settings in, log lines and an exit code out.

use std::{io::Write as _, process::ExitCode};

use foundation::{
    crash,
    settings::{self, Environment, SettingError},
    shutdown,
};

use crate::{app::Application, settings::Settings};

/// The name of the service in logs and traces.
const SERVICE: &str = "api-service";

/// A setting is missing or malformed.
const BAD_SETTING: u8 = 2;

const ABOUT: &str = "The product's database and every route that a frontend calls.

Usage: api-service [--help | --version]
";

const TELEMETRY: &str = "
  LOG_FORMAT [default: pretty]
         How log lines look: pretty or json.

  RUST_LOG
         What is logged, as in warn,reelay=debug.

  OTEL_EXPORTER_OTLP_ENDPOINT
         Where traces are sent: a collector that takes OTLP over HTTP.
";

/// Runs the service until SIGINT, SIGTERM or, with `end_with_parent`, the end of standard input.
///
/// With `end_with_parent` logs go to standard error, and once the service listens, its base URL is the one line
/// on standard output. Without it logs go to standard output.
#[must_use]
pub fn run(end_with_parent: bool) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let Some(answer) = arguments.find_map(|argument| answer(&argument)) {
        print(&answer);
        return ExitCode::SUCCESS;
    }
    // Fails only if a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("cannot start the runtime: {error}")),
    };
    runtime.block_on(serve(end_with_parent))
}

fn answer(argument: &str) -> Option<String> {
    match argument {
        "--help" | "-h" => Some(format!("{ABOUT}\n{}{TELEMETRY}", settings::help(Settings::AREAS))),
        "--version" | "-V" => Some(format!("{SERVICE} {}\n", env!("CARGO_PKG_VERSION"))),
        _ => None,
    }
}

async fn serve(end_with_parent: bool) -> ExitCode {
    let environment = Environment::process();
    let settings = match Settings::read(&environment) {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    let telemetry = telemetry::Options::from_settings(SERVICE, |name| std::env::var(name).ok());
    let telemetry = telemetry
        .map(|options| if end_with_parent { options.to_stderr() } else { options })
        .and_then(telemetry::init);
    let telemetry = match telemetry {
        Ok(guard) => guard,
        Err(error) => return fail(BAD_SETTING, &error.to_string()),
    };
    if let Err(error) = crash::arm(&environment) {
        telemetry.shutdown().await;
        return fail(BAD_SETTING, &error.to_string());
    }
    let application = match Application::build(settings).await {
        Ok(application) => application,
        Err(error) => {
            telemetry.shutdown().await;
            return fail(1, &error.to_string());
        }
    };
    if end_with_parent {
        print(&format!("http://{}\n", application.address()));
    }
    let shutdown = async { shutdown::requested(end_with_parent).await.unwrap_or("signals cannot be heard") };
    application.run_until_stopped(shutdown).await;
    telemetry.shutdown().await;
    ExitCode::SUCCESS
}

fn refuse(error: &SettingError) -> ExitCode {
    fail(BAD_SETTING, &error.to_string())
}

/// Whoever started us may not care to read it.
fn print(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

fn fail(code: u8, message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{SERVICE}: {message}");
    ExitCode::from(code)
}
