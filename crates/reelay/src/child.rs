//! One part of the system as a child process of this executable: started, waited for until it is ready, kept
//! alive, and stopped. It ends when this process does, even by kill -9, because its standard input closes.

use std::{
    fs::File,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{sys::signal::Signal, sys::signal::kill, unistd::Pid};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child as Process, ChildStdin, ChildStdout, Command},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::part::{NOT_INHERITED, Part};

/// How long a part may take until it is ready: a database may have to be migrated first.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// The pause before a part that died is started again, first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A part that lived this long did not die of how it was started.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// How to start a part, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) part: Part,
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) log: Log,
}

/// Where the log lines of children go.
#[derive(Debug, Clone)]
pub(crate) enum Log {
    /// To our own standard error.
    Inherited,
    /// To a file, where the terminal is needed for something else.
    File(std::sync::Arc<File>),
}

/// Why a part did not become ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("{0} cannot be started: {1}")]
    Spawn(Part, std::io::Error),
    #[error("{0} ended before it was ready ({1}); it says above why")]
    Ended(Part, String),
    #[error("{0} cannot be started: {1}")]
    Setting(Part, foundation::settings::SettingError),
    #[error("{0} was not ready within {READY_LIMIT:?}")]
    Slow(Part),
}

/// A part that is ready.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    /// Closed when this process ends; that is what the child waits for.
    _lifeline: Option<ChildStdin>,
    /// Kept open, so that the child may write to it.
    _output: BufReader<ChildStdout>,
    pub(crate) pid: u32,
    /// Its base URL.
    pub(crate) url: String,
}

impl Child {
    /// Starts a part and waits until it is ready. Cancellation ends the child.
    pub(crate) async fn start(recipe: &Recipe) -> Result<Self, StartError> {
        let part = recipe.part;
        let cannot = |error| StartError::Spawn(part, error);
        let mut process = recipe.command().and_then(|mut command| command.spawn()).map_err(cannot)?;
        let lifeline = process.stdin.take();
        let output = process.stdout.take().ok_or_else(|| cannot(std::io::ErrorKind::BrokenPipe.into()))?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let pid = process.id().unwrap_or_default();
        match timeout(READY_LIMIT, output.read_line(&mut line)).await {
            Err(_) => Err(StartError::Slow(part)),
            Ok(Err(error)) => Err(cannot(error)),
            Ok(Ok(0)) => {
                let ended = process.wait().await.map_err(cannot)?;
                Err(StartError::Ended(part, in_words(ended)))
            }
            Ok(Ok(_)) => {
                let url = line.trim().to_owned();
                Ok(Self { process, _lifeline: lifeline, _output: output, pid, url })
            }
        }
    }

    /// Asks it to stop, and ends it if it has not by the deadline.
    async fn stop(&mut self, deadline: Instant) -> bool {
        if let Ok(pid) = i32::try_from(self.pid) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if timeout_at(deadline, self.process.wait()).await.is_ok() {
            return true;
        }
        let _ = self.process.kill().await;
        false
    }
}

impl Recipe {
    fn command(&self) -> std::io::Result<Command> {
        let mut command = Command::new(executable()?);
        command
            .arg0("reelay")
            .args(["run", self.part.name(), "--end-with-parent"])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Out of reach of the terminal's Ctrl-C, which would stop all parts at once and in no order.
            .process_group(0)
            .kill_on_drop(true);
        for name in NOT_INHERITED.iter().filter(|name| !self.variables.iter().any(|(own, _)| own == *name)) {
            command.env_remove(name);
        }
        if let Log::File(file) = &self.log {
            command.stderr(file.try_clone()?);
        }
        Ok(command)
    }
}

/// This executable, even if a new build has taken its place.
fn executable() -> std::io::Result<std::path::PathBuf> {
    let this = Path::new("/proc/self/exe");
    if this.exists() { Ok(this.to_owned()) } else { std::env::current_exe() }
}

fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Keeps a part alive until `stop`, then stops it within `limit`. `changed` is told the process's id whenever
/// there is a new one.
pub(crate) async fn keep_alive(
    mut child: Child,
    recipe: Recipe,
    stop: CancellationToken,
    limit: Duration,
    changed: impl Fn(Part, u32),
) {
    let part = recipe.part;
    let mut pause = FIRST_PAUSE;
    loop {
        let born = Instant::now();
        let ended = tokio::select! {
            () = stop.cancelled() => {
                if !child.stop(Instant::now() + limit).await {
                    eprintln!("reelay: {part} did not stop within {limit:?} and was ended");
                }
                return;
            }
            ended = child.process.wait() => ended.map_or_else(|error| error.to_string(), in_words),
        };
        if born.elapsed() >= LONG_ENOUGH {
            pause = FIRST_PAUSE;
        }
        eprintln!("reelay: {part} ended unexpectedly ({ended}); it is started again in {pause:?}");
        child = loop {
            let again = async {
                tokio::time::sleep(pause).await;
                Child::start(&recipe).await
            };
            let started = tokio::select! {
                () = stop.cancelled() => return,
                started = again => started,
            };
            pause = (pause * 2).min(LONGEST_PAUSE);
            match started {
                Ok(child) => break child,
                Err(error) => eprintln!("reelay: {error}; the next try is in {pause:?}"),
            }
        };
        changed(part, child.pid);
        eprintln!("reelay: {part} is back (process {})", child.pid);
    }
}
