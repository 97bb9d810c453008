//! SQLite: one file, one writer, write-ahead log.

use std::{
    fs::{OpenOptions, TryLockError},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Text,
};
use diesel_async::{
    AsyncConnection as _, SimpleAsyncConnection as _,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool},
};
use diesel_migrations::MigrationHarness as _;

use super::{Database, FileLock, OpenError, POOL_WAIT, Schema, Sqlite};

/// Set first, because the other pragmas may already have to wait.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
const READERS: usize = 4;
/// How long a process that holds the file may take to end, and how often to look.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_LOOK: Duration = Duration::from_millis(50);

pub(super) async fn open(path: &Path, schema: Schema) -> Result<Database, OpenError> {
    let file = path.to_owned();
    let prepared = tokio::task::spawn_blocking(move || {
        let lock = lock(&file)?;
        let mut connection = connect(&file)?;
        examine(&mut connection, &file)?;
        migrate(&mut connection, schema)?;
        Ok::<_, OpenError>(lock)
    });
    let lock = Arc::new(prepared.await.map_err(|error| OpenError::Migrate(error.to_string()))??);
    Ok(Database::Sqlite { write: pool(path, false)?, read: pool(path, true)?, lock })
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: reason.to_string() }
}

/// Takes the lock that says that this process is the service's one replica on this file. One that is just ending is
/// waited for. Blocks.
fn lock(path: &Path) -> Result<FileLock, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    }
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = Path::new(&lock_path);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock_path)
        .map_err(|error| unusable(lock_path, &error))?;
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock { _file: file }),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(unusable(lock_path, &error)),
        }
    }
}

fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| unusable(path, &error))?;
    connection.batch_execute(PRAGMAS).map_err(|error| unusable(path, &error))?;
    Ok(connection)
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Reads the file through once: what is damaged is found now, and not in the middle of somebody's request.
fn examine(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let verdict: Verdict = diesel::sql_query("PRAGMA quick_check(1)")
        .get_result(connection)
        .map_err(|error| unusable(path, &error))?;
    if verdict.quick_check == "ok" {
        return Ok(());
    }
    Err(unusable(path, &format_args!("it is damaged: {}", verdict.quick_check.replace('\n', " "))))
}

fn migrate(connection: &mut SqliteConnection, schema: Schema) -> Result<(), OpenError> {
    connection
        .run_pending_migrations(schema.sqlite)
        .map(drop)
        .map_err(|error| OpenError::Migrate(error.to_string()))
}

fn pool(path: &Path, read_only: bool) -> Result<Pool<Sqlite>, OpenError> {
    let mut config = ManagerConfig::<Sqlite>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |path| {
        let path = path.to_owned();
        Box::pin(async move {
            let mut connection = Sqlite::establish(&path).await?;
            let pragmas =
                if read_only { format!("{PRAGMAS} PRAGMA query_only = ON;") } else { PRAGMAS.to_owned() };
            connection
                .batch_execute(&pragmas)
                .await
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        })
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(path.to_string_lossy(), config))
        .max_size(if read_only { READERS } else { 1 })
        .wait_timeout(Some(POOL_WAIT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| unusable(path, &error))
}
