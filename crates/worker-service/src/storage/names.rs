//! A worker's name is one process's at a time: two of the same name would take each other's jobs back as their own
//! (I14). On SQLite the database's file has one process anyway; on PostgreSQL a session of its own, as long as
//! the process lives, holds a lock on the name, which a kill -9 opens at once.

use std::{collections::HashMap, time::Duration};

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, pooled_connection::deadpool::Object};
use foundation::database::{Database, Postgres};
use sha2::{Digest, Sha256};

use super::{Error, Store};

diesel::define_sql_function! {
    /// Held until the session ends; a session that has it gets it again.
    fn pg_try_advisory_lock(key: BigInt) -> Bool;
}

/// How long the session may take to answer before another takes its place.
const PATIENCE: Duration = Duration::from_secs(10);

/// The names that this process goes by, one but in tests, each with whether its lock was ever ours, and the session
/// that holds the locks.
#[derive(Default)]
pub(super) struct Names {
    session: Option<Postgres>,
    held: HashMap<String, bool>,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes a name; says whether it is ours now, or was before.
    pub(super) async fn hold_name(&self, name: &str) -> Result<bool, Error> {
        let Database::Postgres(pool) = &self.database else { return Ok(true) };
        let mut names = self.names.lock().await;
        if names.session.is_none() {
            let pooled = pool.get().await.map_err(foundation::database::Error::from)?;
            // Out of the pool for good, which opens another in its place.
            names.session = Some(Object::take(pooled));
        }
        let Some(session) = &mut names.session else { return Ok(false) };
        let ours = match tokio::time::timeout(PATIENCE, lock(session, name)).await {
            Ok(answer) => answer.map_err(foundation::database::Error::from),
            Err(_) => Err(foundation::database::Error::Unavailable(format!("no answer within {PATIENCE:?}"))),
        };
        match ours {
            // It has gone, and its locks with it.
            Err(_) => names.session = None,
            Ok(true) => drop(names.held.insert(name.to_owned(), true)),
            Ok(false) => {}
        }
        Ok(ours?)
    }

    /// Goes by a name whose lock the server still holds for one that fell silent: it is taken when it is free.
    pub(super) async fn go_by(&self, name: &str) {
        if let Database::Postgres(_) = &self.database {
            self.names.lock().await.held.entry(name.to_owned()).or_insert(false);
        }
    }

    /// Takes the names that this process goes by, in case the session that held them broke, or a name was not
    /// free before. Says whether all are ours; if it cannot be done now, there is a next time.
    pub async fn keep_names(&self) -> bool {
        let held = self.names.lock().await.held.clone();
        let mut all = true;
        for (name, was_ours) in held {
            match self.hold_name(&name).await {
                Ok(true) => continue,
                Ok(false) if was_ours => {
                    tracing::error!(name, "Another worker runs under this one's name (WORKER_NAME)");
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(name, %error, "The worker's name is not held just now"),
            }
            all = false;
        }
        all
    }
}

async fn lock(session: &mut Postgres, name: &str) -> diesel::QueryResult<bool> {
    diesel::select(pg_try_advisory_lock(key(name))).get_result(session).await
}

/// A number for a name.
fn key(name: &str) -> i64 {
    let digest = Sha256::digest(format!("reelay worker {name}"));
    digest.iter().take(8).fold(0, |key, byte| key << 8 | i64::from(*byte))
}
