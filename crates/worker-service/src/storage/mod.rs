//! All queries of worker-service, and nothing else: what to write is decided by the services.

pub mod columns;
mod commands;
mod leases;
mod locking;
mod names;
mod objects;
mod operations;
mod overview;
pub mod rows;
pub mod schema;
mod steps;
mod uploads;
mod webhooks;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use contract::{JobId, Timestamp};
use diesel_migrations::embed_migrations;
use foundation::database::{self, Database, DatabaseSettings, OpenError, Schema};
use tokio::sync::{Mutex, Notify};

pub use self::{
    commands::TakenCommand,
    leases::{Claimed, Renewed},
    operations::Abandoned,
    overview::BATCH,
    webhooks::{After, DueAgain, WebhookQuery},
};
use crate::jobs::state::Rules;

const SCHEMA: Schema = Schema {
    name: "worker",
    postgres: embed_migrations!("../../migrations/worker/postgres"),
    sqlite: embed_migrations!("../../migrations/worker/sqlite"),
};

/// The spans and limits that queries need.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The rules of a job's lifecycle.
    pub rules: Rules,
    /// How long a lease holds without being renewed.
    pub lease: Duration,
    /// How long a webhook is tried before it is given up.
    pub webhook_lifetime: Duration,
    /// How many jobs may wait in the queue.
    pub queue_depth: i64,
}

/// Woken after a commit that makes work: nobody waits for them, and a wake that is missed costs a second,
/// because the workers look by themselves, too.
#[derive(Debug, Default)]
pub struct Wakes {
    /// A job may have become claimable.
    pub queue: Notify,
    /// A webhook is due.
    pub webhooks: Notify,
    /// A job was called off whose operation may be under way.
    pub cancels: Notify,
}

/// How many jobs and webhooks are in which state, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs in the queue.
    pub waiting: i64,
    /// Jobs that a worker runs.
    pub active: i64,
    /// Webhooks still to be delivered.
    pub webhooks_pending: i64,
    /// Webhooks that were given up.
    pub webhooks_dead: i64,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed or cannot be reached.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A signed request of this id was taken before.
    #[error("the request was taken before")]
    Replayed,
    /// As many jobs wait as may.
    #[error("the queue is full")]
    QueueFull,
    /// The write came under a lease that is no longer held: another has the job, or it has ended (I11).
    #[error("the lease on {0} is lost")]
    LostLease(JobId),
    /// Another picture was sent under this upload's id, or it has had its time.
    #[error("another picture was sent under the id {0}")]
    OtherPicture(contract::UploadId),
    /// Another worker that is alive has this name.
    #[error("another worker runs under the name {0:?}: each needs its own (WORKER_NAME)")]
    NameTaken(String),
    /// Another transaction was faster; asked again, it goes.
    #[error("another transaction was faster")]
    Raced,
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The worker's database. Cheap to clone.
///
/// Writes are transactions that must run to their end: call them from a task that nobody drops.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    terms: Arc<Terms>,
    wakes: Arc<Wakes>,
    names: Arc<Mutex<names::Names>>,
    clock: Arc<Clock>,
}

/// By how many microseconds the database's clock is ahead of this process's, as far as is known.
#[derive(Debug, Default)]
struct Clock(AtomicI64);

impl Store {
    /// Opens the database and brings its tables up to date. To be called on the home runtime.
    pub async fn open(settings: &DatabaseSettings, terms: Terms) -> Result<Self, OpenError> {
        let database = Database::open(settings, SCHEMA).await?;
        Ok(Self {
            database,
            terms: Arc::new(terms),
            wakes: Arc::default(),
            names: Arc::default(),
            clock: Arc::default(),
        })
    }

    /// What is woken after commits.
    #[must_use]
    pub fn wakes(&self) -> &Arc<Wakes> {
        &self.wakes
    }

    /// The time by the database's clock, as far as it was last seen: what all workers agree on (I12). At most a
    /// heartbeat after this process's clock has jumped it is right again.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = self.clock.0.load(Ordering::Relaxed);
        Timestamp::from_micros(Timestamp::now().as_micros().saturating_add(ahead))
    }

    /// The database's clock was just this.
    fn saw(&self, time: Timestamp) {
        let ahead = time.as_micros().saturating_sub(Timestamp::now().as_micros());
        self.clock.0.store(ahead, Ordering::Relaxed);
    }

    /// The rules of a job's lifecycle.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.terms.rules
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.database.ping().await?)
    }

    /// Closes the pools.
    pub fn close(&self) {
        self.database.close();
    }
}
