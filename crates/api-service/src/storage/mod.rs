//! All queries of api-service, and nothing else: what to write is decided by the services.

mod accounts;
mod charges;
pub mod columns;
mod conversations;
pub(crate) mod events;
mod generations;
pub(crate) mod idempotency;
mod locking;
mod outbox;
mod room;
pub mod rows;
pub mod schema;
mod steps;
mod turns;
mod upkeep;
mod uploads;

use std::sync::Arc;

use contract::ConversationId;
use diesel_migrations::embed_migrations;
use foundation::database::{self, Database, DatabaseSettings, OpenError, Schema};
use tokio::sync::{Notify, broadcast};

pub use self::{
    charges::{SpentOnModel, Standing},
    generations::{Changed, Filter, Origin, Outcome},
    room::{Full, Room},
    steps::{GENERATION_UPDATED, MESSAGE_CREATED},
    turns::{Deed, Keep, Taken, Turn},
    upkeep::Horizons,
};

const SCHEMA: Schema = Schema {
    name: "api",
    postgres: embed_migrations!("../../migrations/api/postgres"),
    sqlite: embed_migrations!("../../migrations/api/sqlite"),
};

/// How many changed conversations a listener may lag behind before it has to look at all of them.
const SIGNALS: usize = 1024;

/// Woken after a commit. Nobody waits for them, and a wake that is missed costs a second, because the tasks
/// look by themselves, too.
#[derive(Debug)]
pub struct Wakes {
    /// A command to the worker is due.
    pub commands: Notify,
    /// A conversation has new events. On SQLite the store sends it after its commits; on PostgreSQL the
    /// commits notify the channel [`EVENTS_CHANNEL`], and whoever listens there sends it here, because
    /// another replica may have written the events.
    pub events: broadcast::Sender<ConversationId>,
}

/// The PostgreSQL channel on which each commit of events says `conversation:cursor`.
pub const EVENTS_CHANNEL: &str = "reelay_events";

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed or cannot be reached.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// Another transaction was faster; decided again, it goes. Only a turn that was planned before its
    /// transaction began meets this.
    #[error("another transaction was faster")]
    Raced,
    /// The user has as many generations as one may have; nothing was written.
    #[error(transparent)]
    Full(#[from] Full),
    /// The user has as many pictures as one may have; nothing was written.
    #[error("{0} pictures of the user's are kept")]
    TooManyUploads(i64),
    /// A repetition of the request has claimed its key meanwhile; nothing was written.
    #[error("the request's key was claimed by a repetition")]
    ClaimLost,
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The API's database. Cheap to clone.
///
/// Writes are transactions that must run to their end: call them from a task that nobody drops.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    wakes: Arc<Wakes>,
}

impl Store {
    /// Opens the database and brings its tables up to date. To be called on the home runtime.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, OpenError> {
        let database = Database::open(settings, SCHEMA).await?;
        let wakes = Wakes { commands: Notify::new(), events: broadcast::Sender::new(SIGNALS) };
        Ok(Self { database, wakes: Arc::new(wakes) })
    }

    /// What is woken after commits.
    #[must_use]
    pub fn wakes(&self) -> &Arc<Wakes> {
        &self.wakes
    }

    /// Whether commits on other replicas have to be heard of by `LISTEN`.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// Closes the pools.
    pub fn close(&self) {
        self.database.close();
    }
}
