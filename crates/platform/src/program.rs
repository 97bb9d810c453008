//! A service as a program: settings in, log lines and an exit code out.

use std::{fmt::Display, io::Write as _, net::SocketAddr, process::ExitCode, time::Duration};

use foundation::{
    crash::{self, CrashSettings},
    settings::{self, Environment, SettingError, Variable},
    shutdown::StopSignals,
};
use futures_util::future::BoxFuture;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use telemetry::event;

use crate::RunError;

/// A setting is missing or malformed.
const BAD_SETTING: u8 = 2;
/// How long the process outlives the service for work that cannot be cut off: what blocks a thread, such as the
/// hashing of a password.
const LINGER: Duration = Duration::from_secs(2);

const TELEMETRY: &str = "
  LOG_FORMAT [default: pretty]
         How log lines look: pretty or json.

  RUST_LOG
         What is logged, as in warn,reelay=debug.

  OTEL_EXPORTER_OTLP_ENDPOINT
         Where traces are sent: a collector that takes OTLP over HTTP.
";

/// Comes with the reason when the service shall stop.
pub type Stop = BoxFuture<'static, &'static str>;

/// A service's executable.
#[derive(Clone, Debug)]
pub struct Program {
    /// The name of the service in logs and traces.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// Its settings, area by area, without those that every program has.
    pub areas: Vec<&'static [Variable]>,
}

impl Program {
    /// Runs the service until SIGINT, SIGTERM or, with `end_with_parent`, the end of standard input: `read` makes
    /// its settings, `build` everything up to where it listens, which `address` tells, and `run` does the rest, until
    /// the stop and through it. A stop is heard from the first moment; before the service is ready it is dropped.
    ///
    /// With `end_with_parent` logs go to standard error, and once the service listens, its base URL is the one
    /// line on standard output. Without it logs go to standard output.
    #[must_use]
    pub fn serve<Settings, Service, StartError: Display>(
        self,
        end_with_parent: bool,
        read: impl FnOnce(&Environment) -> Result<Settings, SettingError>,
        build: impl AsyncFnOnce(Settings) -> Result<Service, StartError>,
        address: impl FnOnce(&Service) -> SocketAddr,
        run: impl AsyncFnOnce(Service, Stop) -> Result<(), RunError>,
    ) -> ExitCode {
        self.run(end_with_parent, read, async move |settings, mut process: Process| {
            // Boxed, since what makes a whole service ready is large.
            let built = process.start(Box::pin(build(settings))).await.map_err(|error| error.to_string())?;
            let Some(service) = built else { return Ok(()) };
            process.tell_address(address(&service));
            let stop: Stop = Box::pin(process.stop_requested());
            Box::pin(run(service, stop)).await.map_err(|error| error.to_string())
        })
    }

    /// The process around a service: `serve` does everything between the start of telemetry and its end.
    fn run<Settings, ServeError: Display>(
        self,
        end_with_parent: bool,
        read: impl FnOnce(&Environment) -> Result<Settings, SettingError>,
        serve: impl AsyncFnOnce(Settings, Process) -> Result<(), ServeError>,
    ) -> ExitCode {
        let mut arguments = std::env::args().skip(1);
        if let Some(answer) = arguments.find_map(|argument| self.answer(&argument)) {
            print(&answer);
            return ExitCode::SUCCESS;
        }
        // Fails only if a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        take_all_descriptors();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(1, &format!("cannot start the runtime: {error}")),
        };
        let ended = runtime.block_on(async {
            let stop = StopSignals::hear(end_with_parent)
                .map_err(|error| (1, format!("signals cannot be heard: {error}")))?;
            let environment = Environment::process();
            let settings = read(&environment).map_err(|error| (BAD_SETTING, error.to_string()))?;
            let options = telemetry::Options::from_settings(self.name, |name| std::env::var(name).ok());
            let telemetry = options
                .map(|options| if end_with_parent { options.to_stderr() } else { options })
                .and_then(telemetry::init)
                .map_err(|error| (BAD_SETTING, error.to_string()))?;
            let ended = match crash::arm(&environment) {
                Ok(()) => {
                    let process = Process { stop, end_with_parent };
                    serve(settings, process).await.map_err(|error| (1, error.to_string()))
                }
                Err(error) => Err((BAD_SETTING, error.to_string())),
            };
            telemetry.shutdown().await;
            ended
        });
        // Dropped, it would wait for blocked threads as long as they like.
        runtime.shutdown_timeout(LINGER);
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err((code, message)) => self.fail(code, &message),
        }
    }

    fn answer(&self, argument: &str) -> Option<String> {
        let Self { name, about, areas } = self;
        match argument {
            "--help" | "-h" => {
                let areas: Vec<_> = areas.iter().copied().chain([CrashSettings::VARIABLES]).collect();
                let settings = settings::help(&areas);
                Some(format!("{about}\n\nUsage: {name} [--help | --version]\n\n{settings}{TELEMETRY}"))
            }
            "--version" | "-V" => Some(format!("{name} {}\n", env!("CARGO_PKG_VERSION"))),
            _ => None,
        }
    }

    fn fail(&self, code: u8, message: &str) -> ExitCode {
        let _ = writeln!(std::io::stderr(), "{}: {message}", self.name);
        ExitCode::from(code)
    }
}

/// The process that a service runs in, as whoever started it sees it.
#[derive(Debug)]
struct Process {
    stop: StopSignals,
    end_with_parent: bool,
}

impl Process {
    /// Starts the service: `None` if the process shall stop before `starting` is ready, which is dropped then.
    async fn start<Service, StartError>(
        &mut self,
        starting: impl Future<Output = Result<Service, StartError>>,
    ) -> Result<Option<Service>, StartError> {
        tokio::select! {
            started = starting => started.map(Some),
            reason = self.stop.requested() => {
                event!(INFO, SERVICE_STOPPING, reason);
                event!(INFO, SERVICE_STOPPED, durationMs = 0);
                Ok(None)
            }
        }
    }

    /// Tells the parent where the service listens.
    fn tell_address(&self, address: SocketAddr) {
        if self.end_with_parent {
            print(&format!("http://{address}\n"));
        }
    }

    /// Waits until the process shall stop, and says why.
    async fn stop_requested(mut self) -> &'static str {
        self.stop.requested().await
    }
}

/// Listeners hold a connection each, with two descriptors, and the soft limit is 1024 on many systems, for the sake of
/// programs that use `select(2)`. What may be had is had; without more, the limit is what it was.
fn take_all_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Whoever started us may not care to read it.
fn print(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    fn program() -> Program {
        Program { name: "sample", about: "For tests.", areas: Vec::new() }
    }

    #[test]
    fn a_blocked_thread_does_not_hold_the_process() {
        let (let_go, held) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            let _ = program().run(
                true,
                |_| Ok(()),
                async move |(), _| {
                    let (begun, has_begun) = tokio::sync::oneshot::channel();
                    tokio::task::spawn_blocking(move || {
                        let _ = begun.send(());
                        held.recv()
                    });
                    has_begun.await.map_err(|error| error.to_string())
                },
            );
            ended.send(())
        });
        assert_eq!(end.recv_timeout(Duration::from_secs(60)), Ok(()), "it ends though a thread is blocked");
        drop(let_go);
    }

    /// What a service comes to that is built so, and then runs so.
    fn served(built: Result<u16, &'static str>, ran: Result<(), RunError>) -> (ExitCode, Option<u16>) {
        let address = |port: &u16| SocketAddr::from(([127, 0, 0, 1], *port));
        let mut seen = None;
        let code = program().serve(
            false,
            |_| Ok(()),
            async |()| built,
            address,
            async |port, _| {
                seen = Some(port);
                ran
            },
        );
        (code, seen)
    }

    #[test]
    fn a_service_that_is_built_runs_to_its_end() {
        assert_eq!(served(Ok(7), Ok(())), (ExitCode::SUCCESS, Some(7)));
    }

    #[test]
    fn a_service_that_cannot_be_built_never_runs() {
        assert_eq!(served(Err("the address is in use"), Ok(())), (ExitCode::FAILURE, None));
    }

    #[test]
    fn a_service_that_fails_while_it_runs_is_a_failure_of_the_process() {
        let failure = RunError::Server("the socket is gone".to_owned());
        assert_eq!(served(Ok(7), Err(failure)), (ExitCode::FAILURE, Some(7)));
    }
}
