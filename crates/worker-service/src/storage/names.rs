//! A worker's name is one process's at a time: two of the same name would take each other's jobs back as their own
//! (I14). On SQLite the database's file has one process anyway; on PostgreSQL a session of its own, as long as
//! the process lives, holds a lock on the name, which a kill -9 opens at once.

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, pooled_connection::deadpool::Object};
use foundation::database::{Database, Postgres};
use sha2::{Digest, Sha256};

use super::{Error, Store};

diesel::define_sql_function! {
    /// Held until the session ends; a session that has it gets it again.
    fn pg_try_advisory_lock(key: BigInt) -> Bool;
}

/// The names that this process holds, one but in tests, and the session that does.
#[derive(Default)]
pub(super) struct Names {
    session: Option<Postgres>,
    held: Vec<String>,
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
        let ours = lock(session, name).await;
        if ours.is_err() {
            // It has gone, and its locks with it.
            names.session = None;
        } else if ours == Ok(true) && names.held.iter().all(|held| held != name) {
            names.held.push(name.to_owned());
        }
        Ok(ours?)
    }

    /// Takes the names again that this process holds, in case the session that held them broke. If it cannot be
    /// done now, there is a next time.
    pub(super) async fn keep_names(&self) {
        let held = self.names.lock().await.held.clone();
        for name in held {
            match self.hold_name(&name).await {
                Ok(true) => {}
                Ok(false) => tracing::error!(name, "Another worker runs under this one's name (WORKER_NAME)"),
                Err(error) => tracing::warn!(name, %error, "The worker's name is not held just now"),
            }
        }
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
