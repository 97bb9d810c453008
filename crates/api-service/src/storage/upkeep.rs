//! What is thrown away when it has been kept long enough.

use contract::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::writing;

use super::{
    Error, Store,
    schema::{event, idempotency_key, inbox, session},
};

/// Up to when things were made that go now.
#[derive(Clone, Copy, Debug)]
pub struct Horizons {
    /// Events that listeners can resume from.
    pub events: Timestamp,
    /// Webhooks that a duplicate is known by (I8).
    pub inbox: Timestamp,
    /// Answers under an `Idempotency-Key`.
    pub idempotency: Timestamp,
    /// Sessions end by themselves; this is the time now.
    pub sessions: Timestamp,
}

impl Store {
    /// Throws away what is older than its horizon. Says how many rows went.
    pub async fn prune(&self, horizons: Horizons) -> Result<usize, Error> {
        let events = event::table.filter(event::created_at.lt(horizons.events));
        let inbox = inbox::table.filter(inbox::received_at.lt(horizons.inbox));
        let keys = idempotency_key::table.filter(idempotency_key::created_at.lt(horizons.idempotency));
        let sessions = session::table.filter(session::expires_at.lt(horizons.sessions));
        let mut gone = writing!(&self.database, |c| diesel::delete(events).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(inbox).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(keys).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(sessions).execute(c).await)?;
        Ok(gone)
    }
}
