//! One process of the system under test. It ends with the test, even if the test is killed: its standard input
//! closes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::{Client, LIMIT, eventually, log::LogFile};

/// The program under test.
pub(crate) const REELAY: &str = env!("CARGO_BIN_EXE_reelay");

/// How a process is started, as often as a test likes.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Its whole environment, but for what every program needs.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where its log lines go.
    pub(crate) log: PathBuf,
    /// Where it answers once it is ready, if it does not say so itself.
    pub(crate) answers_at: Option<String>,
}

impl Recipe {
    pub(crate) fn new(arguments: &[&str], log: &Path) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (program, log) = (REELAY.into(), log.to_owned());
        Self { program, arguments, environment: BTreeMap::new(), log, answers_at: None }
    }

    /// A service as a program of its own, which lies beside the launcher. It logs to standard output, ends by
    /// signals alone, and says nowhere but at its address that it is ready.
    pub(crate) fn service(name: &str, address: String, log: &Path) -> Self {
        let program = Path::new(REELAY).with_file_name(name);
        assert!(program.exists(), "{} is built by tests of the whole workspace alone", program.display());
        Self { program, answers_at: Some(address), ..Self::new(&[], log) }
    }

    /// Adds settings.
    pub(crate) fn with<V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        self.environment.extend(settings.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        self
    }

    /// The command, with nothing of this process's environment but what finds programs and folders.
    pub(crate) fn command(&self) -> Command {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(&self.program);
        let inherited = ["PATH", "HOME", "TMPDIR"].into_iter();
        command
            .args(&self.arguments)
            .env_clear()
            .envs(inherited.filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(if self.answers_at.is_some() { log.try_clone().unwrap().into() } else { Stdio::piped() })
            .stderr(log)
            .kill_on_drop(true);
        command
    }

    /// Starts it and waits for the line that says that it is ready.
    pub(crate) async fn start(&self) -> Process {
        let Some(process) = self.try_to_start().await else {
            panic!("{:?} ended before it was ready:\n{}", self.arguments, self.log().tail())
        };
        process
    }

    /// The same for one that may end before it is ready.
    pub(crate) async fn try_to_start(&self) -> Option<Process> {
        let mut child = self.command().spawn().unwrap();
        let lifeline = child.stdin.take();
        if let Some(address) = &self.answers_at {
            return self.until_it_answers(child, address).await;
        }
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let Ok(line) = timeout(LIMIT, output.next_line()).await else {
            panic!("{:?} is not ready:\n{}", self.arguments, self.log().tail())
        };
        let line = line.unwrap()?;
        Some(Process { recipe: self.clone(), child, lifeline, _output: Some(output), line })
    }

    async fn until_it_answers(&self, mut child: Child, address: &str) -> Option<Process> {
        let client = Client::anonymous(address);
        let what = format!("{address} is ready");
        let answers = eventually(&what, async || {
            if child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            let answer = client.request(reqwest::Method::GET, "/readyz").send().await;
            answer.is_ok_and(|answer| answer.status().is_success()).then_some(true)
        });
        let (recipe, line) = (self.clone(), address.to_owned());
        answers.await.then_some(Process { recipe, child, lifeline: None, _output: None, line })
    }

    /// Starts one that is expected to give up, and returns how it ended and what it said on standard error.
    pub(crate) async fn fail(&self) -> (ExitStatus, String) {
        let before = std::fs::read_to_string(&self.log).unwrap_or_default().len();
        let mut child = self.command().spawn().unwrap();
        let Ok(status) = timeout(LIMIT, child.wait()).await else { panic!("{:?} runs on", self.arguments) };
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        (status.unwrap(), said[before..].to_owned())
    }

    /// What it logs.
    pub(crate) fn log(&self) -> LogFile {
        LogFile::at(&self.log)
    }
}

/// A process that is ready. Dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct Process {
    recipe: Recipe,
    child: Child,
    lifeline: Option<ChildStdin>,
    _output: Option<Lines<BufReader<ChildStdout>>>,
    /// What it said when it was ready.
    pub(crate) line: String,
}

impl Process {
    /// Ends it as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again, as it was.
    pub(crate) async fn start_again(&mut self) {
        *self = self.recipe.start().await;
    }

    /// Leaves a variable out of its environment the next time that it is started.
    pub(crate) fn forget(&mut self, variable: &str) {
        self.recipe.environment.remove(variable);
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        signal(self.child.id().unwrap(), Signal::SIGTERM);
        self.ended().await
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let Ok(status) = timeout(LIMIT, self.child.wait()).await else {
            panic!("{:?} does not end:\n{}", self.recipe.arguments, self.log().tail())
        };
        status.unwrap()
    }

    pub(crate) fn log(&self) -> LogFile {
        self.recipe.log()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Closes its standard input, as the end of its parent does.
    pub(crate) fn close_lifeline(&mut self) {
        self.lifeline.take();
    }
}

/// Sends a signal to a process that a test knows by its id.
pub(crate) fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// Whether there is such a process.
pub(crate) fn is_alive(pid: u32) -> bool {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), None).is_ok()
}
