//! Databases for tests: a new, empty one for each test, on either backend.
//!
//! PostgreSQL is found by `TEST_DATABASE_URL`, else at the standard local port, else a private server is
//! started from installed binaries, once for each test run. Without any of these the test fails and says
//! what to install: nothing is skipped.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use tokio_postgres::NoTls;
use url::Url;
use uuid::Uuid;

use crate::database::{DatabaseSettings, DatabaseUrl};

/// An empty database that is removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    settings: DatabaseSettings,
    keep: Keep,
}

#[derive(Debug)]
enum Keep {
    File(#[expect(dead_code, reason = "held so that the folder is removed at the end")] TempDir),
    Server { admin: Url, name: String },
}

impl TestDatabase {
    /// A new SQLite file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder =
            tempfile::tempdir().unwrap_or_else(|error| fail(&format!("no temporary folder: {error}")));
        let url = DatabaseUrl::Sqlite(folder.path().join("test.sqlite"));
        Self { settings: settings(url), keep: Keep::File(folder) }
    }

    /// A new database on a PostgreSQL server.
    pub async fn postgres() -> Self {
        Self::made_on(server().await).await
    }

    /// A new database on this PostgreSQL server, named by the URL of any of its databases.
    pub async fn on(server: &Url) -> Self {
        Self::made_on(server.clone()).await
    }

    async fn made_on(admin: Url) -> Self {
        let name = format!("reelay_test_{}", Uuid::now_v7().simple());
        execute(&admin, &format!("CREATE DATABASE {name}")).await.unwrap_or_else(|error| fail(&error));
        let mut url = admin.clone();
        url.set_path(&name);
        Self { settings: settings(DatabaseUrl::Postgres(url)), keep: Keep::Server { admin, name } }
    }

    /// Settings that open this database.
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// The database as `DATABASE_URL` names it, password included.
    pub fn url(&self) -> String {
        match &self.settings.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) => url.to_string(),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Keep::Server { admin, name } = &self.keep {
            let (admin, statement) = (admin.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            // A runtime of its own: the test's may be gone, and cannot be blocked on from here.
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime
                    .map_err(|error| error.to_string())
                    .and_then(|r| r.block_on(execute(&admin, &statement)))
            });
            if let Ok(Err(error)) = dropped.join() {
                eprintln!("a test database was left behind: {error}");
            }
        }
    }
}

/// A PostgreSQL server of a test's own, which it can stop and start. Dropping it removes it.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    binaries: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// Makes one and starts it on a port. Blocks for some seconds.
    pub fn start(port: u16) -> Self {
        let folder =
            tempfile::tempdir().unwrap_or_else(|error| fail(&format!("no temporary folder: {error}")));
        let binaries = installed_binaries().unwrap_or_else(|| fail(NOT_INSTALLED));
        initialise(&binaries, folder.path(), &folder.path().join("data"))
            .unwrap_or_else(|error| fail(&error));
        let server = Self { folder, binaries, port };
        server.start_again();
        server
    }

    /// Where it is.
    pub fn url(&self) -> Url {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
            .parse()
            .unwrap_or_else(|_| fail("a port is no URL"))
    }

    /// Starts it after a stop, and recovers what was committed. Blocks until it takes connections.
    pub fn start_again(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=100",
            self.port,
            self.folder.path().display()
        );
        self.control(&["-w", "-o", &options, "start"]).unwrap_or_else(|error| fail(&error));
    }

    /// Ends it as a crash would: nothing is flushed, every connection breaks.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "-w", "stop"]).unwrap_or_else(|error| fail(&error));
    }

    fn control(&self, arguments: &[&str]) -> Result<(), String> {
        run(&mut as_server_user(&self.binaries.join("pg_ctl"), |command| {
            command.arg("-D").arg(self.folder.path().join("data"));
            command.arg("-l").arg(self.folder.path().join("log")).args(arguments);
        }))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // It may be down already.
        let _ = self.control(&["-m", "immediate", "-w", "stop"]);
    }
}

const NOT_INSTALLED: &str = "PostgreSQL is needed for the tests: set TEST_DATABASE_URL, start a server on 127.0.0.1:5432, or install \
                             the server's binaries (Debian: apt-get install postgresql; macOS: brew install postgresql)";

/// Makes a server's data folder in a folder that then is the server's user's.
fn initialise(binaries: &Path, folder: &Path, data: &Path) -> Result<(), String> {
    if nix::unistd::Uid::effective().is_root() {
        run(Command::new("chown").arg("postgres").arg(folder))?;
    }
    run(&mut as_server_user(&binaries.join("initdb"), |command| {
        command.arg("-D").arg(data).args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]);
    }))
}

fn settings(url: DatabaseUrl) -> DatabaseSettings {
    DatabaseSettings { url, pool_size: 4, ca_file: None }
}

#[expect(clippy::panic, reason = "a test without its database must fail loudly")]
fn fail(message: &str) -> ! {
    panic!("{message}")
}

async fn execute(url: &Url, statement: &str) -> Result<(), String> {
    let work = async {
        let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await?;
        let driver = tokio::spawn(connection);
        let result = client.batch_execute(statement).await;
        drop(client);
        let _ = driver.await;
        result
    };
    match tokio::time::timeout(Duration::from_secs(60), work).await {
        Ok(result) => result.map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error))),
        Err(_) => Err("timed out".to_owned()),
    }
}

async fn server() -> Url {
    // Empty is as good as not there, as for every other setting.
    if let Some(text) = std::env::var("TEST_DATABASE_URL").ok().filter(|text| !text.is_empty()) {
        return text.parse().unwrap_or_else(|_| fail("TEST_DATABASE_URL is not a URL"));
    }
    for local in [
        "postgres://postgres@127.0.0.1:5432/postgres",
        "postgres://postgres:postgres@127.0.0.1:5432/postgres",
    ] {
        if let Ok(url) = local.parse()
            && execute(&url, "SELECT 1").await.is_ok()
        {
            return url;
        }
    }
    let started = tokio::task::spawn_blocking(private_server).await;
    match started {
        Ok(Ok(url)) => url,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.to_string()),
    }
}

/// Where the private server keeps its data and lock: one for each user and machine, shared by all tests.
fn private_folder() -> PathBuf {
    std::env::temp_dir().join("reelay-test-postgres")
}

const PRIVATE_PORT: u16 = 54_329;

/// Starts the private server, or finds it running. Test processes queue at a lock file, so it is started
/// once; it ends with the machine, or by `cargo xtask test`, which stops it after the run.
fn private_server() -> Result<Url, String> {
    let url: Url = format!("postgres://postgres@127.0.0.1:{PRIVATE_PORT}/postgres")
        .parse()
        .map_err(|error: url::ParseError| error.to_string())?;
    let binaries = installed_binaries().ok_or(NOT_INSTALLED)?;
    let folder = private_folder();
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = std::fs::File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if std::net::TcpStream::connect(("127.0.0.1", PRIVATE_PORT)).is_ok() {
        return Ok(url);
    }
    let data = folder.join("data");
    if !data.join("PG_VERSION").exists() {
        initialise(&binaries, &folder, &data)?;
    }
    let options = format!(
        "-p {PRIVATE_PORT} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=300 -c fsync=off",
        folder.display()
    );
    run(&mut as_server_user(&binaries.join("pg_ctl"), |command| {
        command.arg("-D").arg(&data).arg("-l").arg(folder.join("log")).args(["-w", "-o", &options, "start"]);
    }))?;
    Ok(url)
}

/// Stops the private server if one was started. Called by `cargo xtask test` after the run.
pub fn stop_private_server() -> Result<(), String> {
    let data = private_folder().join("data");
    if !data.join("postmaster.pid").exists() {
        return Ok(());
    }
    let binaries = installed_binaries().ok_or("the server's binaries are gone")?;
    run(&mut as_server_user(&binaries.join("pg_ctl"), |command| {
        command.arg("-D").arg(&data).args(["-m", "fast", "-w", "stop"]);
    }))
}

/// PostgreSQL refuses to run as root: drop to the user that its packages make.
fn as_server_user(program: &Path, arguments: impl FnOnce(&mut Command)) -> Command {
    let mut command = if nix::unistd::Uid::effective().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    arguments(&mut command);
    command.stdin(std::process::Stdio::null());
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    // Output goes to files or nowhere: a server that inherits a pipe would keep the test run waiting.
    let status = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

fn installed_binaries() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    candidates.sort();
    candidates.reverse();
    candidates.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    candidates.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}
