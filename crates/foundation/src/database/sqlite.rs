//! SQLite: one file, one writer, write-ahead log.

use std::{
    fs::{OpenOptions, TryLockError},
    path::Path,
    sync::Arc,
};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
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

pub(super) async fn open(path: &Path, schema: Schema) -> Result<Database, OpenError> {
    let lock = Arc::new(lock(path)?);
    let file = path.to_owned();
    tokio::task::spawn_blocking(move || migrate(&file, schema))
        .await
        .map_err(|error| OpenError::Migrate(error.to_string()))??;
    Ok(Database::Sqlite { write: pool(path, false)?, read: pool(path, true)?, lock })
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: reason.to_string() }
}

/// Takes the lock that says that this process is the service's one replica on this file.
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
    match file.try_lock() {
        Ok(()) => Ok(FileLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(lock_path, &error)),
    }
}

fn migrate(path: &Path, schema: Schema) -> Result<(), OpenError> {
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| unusable(path, &error))?;
    connection.batch_execute(PRAGMAS).map_err(|error| unusable(path, &error))?;
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
