//! One database, SQLite or PostgreSQL, behind one body of query code.
//!
//! [`Database`] is an enum of pools; the macros [`reading!`](crate::reading!), [`writing!`](crate::writing!),
//! [`transaction!`](crate::transaction!) and [`on_both!`](crate::on_both!) compile a body of queries once for each
//! backend. SQLite has one write connection, so writers queue in the pool and never see `SQLITE_BUSY`.
//!
//! Cancellation: a dropped transaction future leaves its transaction open until the pool recycles the
//! connection, so a caller that may be dropped runs its writes in a spawned task and awaits that.

mod json;
mod macros;
mod now;
mod postgres;
mod sqlite;

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use diesel_async::pooled_connection::deadpool::Pool;
use diesel_migrations::EmbeddedMigrations;
use url::Url;

pub use self::{
    json::Json,
    now::{DatabaseNow, database_now},
};
use crate::settings::Setting;

/// The connection to PostgreSQL.
pub type Postgres = diesel_async::AsyncPgConnection;
/// The connection to SQLite.
pub type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;

/// How long a request for a pooled connection waits.
const POOL_WAIT: Duration = Duration::from_secs(5);

/// Where the database is: `sqlite://path` or `postgres://…`. Its `Debug` form hides the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The path of the database file.
    Sqlite(PathBuf),
    /// A connection URL of libpq's form.
    Postgres(Url),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let port = url.port().unwrap_or(5432);
                write!(f, "postgres://{}:{port}{}", url.host_str().unwrap_or(""), url.path())
            }
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return if path.is_empty() {
                Err("sqlite:// must be followed by the path of a file".to_owned())
            } else {
                Ok(Self::Sqlite(PathBuf::from(path)))
            };
        }
        let url = Url::parse(text).map_err(|_| "must be sqlite://path or postgres://…".to_owned())?;
        if matches!(url.scheme(), "postgres" | "postgresql") {
            Ok(Self::Postgres(url))
        } else {
            Err("must be sqlite://path or postgres://…".to_owned())
        }
    }
}

impl Setting for DatabaseUrl {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

crate::settings! {
    /// Where a service keeps its data.
    pub struct DatabaseSettings {
        /// sqlite://path or postgres://user:password@host/database?sslmode=… (disable, prefer, require,
        /// verify-full). Both services may share one PostgreSQL database, never one SQLite file. Read at the
        /// start alone, also from a file.
        pub url: DatabaseUrl = required("DATABASE_URL"),
        /// Connections to PostgreSQL at most; more than about 8 for each core of the server gain nothing.
        pub pool_size: usize = or_default("DATABASE_POOL_SIZE", "8"),
        /// Certificates (PEM) that sslmode=verify-full trusts besides the public ones.
        pub ca_file: Option<PathBuf> = optional("DATABASE_CA_FILE"),
    }
}

/// What a service brings (as a constant, since opening takes it): its schema's name on PostgreSQL and its migrations for either backend.
pub struct Schema {
    /// The schema on PostgreSQL; each service has its own, with its own migrations table.
    pub name: &'static str,
    /// The migrations for PostgreSQL.
    pub postgres: EmbeddedMigrations,
    /// The migrations for SQLite, of the same names.
    pub sqlite: EmbeddedMigrations,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.name)
    }
}

/// What goes wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
    /// No connection could be had in time.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
}

impl Error {
    /// Whether the database itself is what failed (gone, full, shutting down), rather than what it was asked:
    /// the same request may go through later.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error as Query};
        match self {
            Self::Unavailable(_)
            | Self::Query(
                Query::BrokenTransactionManager
                | Query::DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _),
            ) => true,
            // Neither driver has a kind for these.
            Self::Query(Query::DatabaseError(_, about)) => {
                OUTAGES.iter().any(|words| about.message().contains(words))
            }
            Self::Query(_) => false,
        }
    }

    /// Whether a row was refused because there is one like it.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error as Query};
        matches!(self, Self::Query(Query::DatabaseError(Kind::UniqueViolation, _)))
    }
}

/// How SQLite and PostgreSQL word that they cannot work at all just now.
const OUTAGES: &[&str] = &[
    "database or disk is full",
    "disk I/O error",
    "database is locked",
    "unable to open database file",
    "attempt to write a readonly database",
    "No space left on device",
    "terminating connection",
    "the database system is",
    "connection closed",
    "too many clients",
    "remaining connection slots",
    "cannot execute INSERT in a read-only transaction",
    "cannot execute UPDATE in a read-only transaction",
];

impl From<diesel_async::pooled_connection::deadpool::PoolError> for Error {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The database cannot be used as it is; the start is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the SQLite file open as its own.
    #[error(
        "{0} is in use by another process: on SQLite there is one replica a service; more need PostgreSQL"
    )]
    Locked(PathBuf),
    /// The file or its folder cannot be read or written.
    #[error("cannot use {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The setting does not say where to connect.
    #[error("DATABASE_URL is malformed: {0}")]
    Url(String),
    /// The server does not answer or refuses us.
    #[error("cannot connect to the database: {0}")]
    Connect(String),
    /// The tables could not be brought up to date.
    #[error("the database could not be migrated: {0}")]
    Migrate(String),
}

/// Holds the lock on an SQLite file for as long as the database is in use.
#[derive(Debug)]
pub struct FileLock {
    _file: std::fs::File,
}

/// A service's database. Cheap to clone.
#[derive(Clone)]
pub enum Database {
    /// A pool of connections to a server.
    Postgres(Pool<Postgres>),
    /// One connection that writes and a pool of those that only read.
    Sqlite {
        /// The one connection that writes.
        write: Pool<Sqlite>,
        /// Connections that cannot write.
        read: Pool<Sqlite>,
        /// Keeps other processes away.
        lock: Arc<FileLock>,
    },
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Database(PostgreSQL)",
            Self::Sqlite { .. } => "Database(SQLite)",
        })
    }
}

impl Database {
    /// Opens the database, creates what is missing and brings its tables up to date. Several replicas may do
    /// so at once. Must be called on the process's home runtime, which the connections will belong to.
    pub async fn open(settings: &DatabaseSettings, schema: Schema) -> Result<Self, OpenError> {
        match &settings.url {
            DatabaseUrl::Postgres(url) => postgres::open(settings, url, schema).await.map(Self::Postgres),
            DatabaseUrl::Sqlite(path) => sqlite::open(path, schema).await,
        }
    }

    /// Whether a trivial query is answered, for readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        use diesel_async::RunQueryDsl as _;
        crate::reading!(self, |c| diesel::sql_query("SELECT 1").execute(c).await).map(drop)
    }

    /// Closes the pools; connections in use are closed when they are given back.
    pub fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close(),
            Self::Sqlite { write, read, .. } => {
                write.close();
                read.close();
            }
        }
    }
}
