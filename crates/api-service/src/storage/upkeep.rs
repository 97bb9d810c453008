//! What is thrown away when it has been kept long enough.

use contract::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::writing;

use super::{
    Error, Store,
    schema::{event, idempotency_key, inbox, session, upload},
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
    /// So do uploads.
    pub uploads: Timestamp,
}

/// The webhook that is none, by which the database is asked whether it takes writes.
const PROBE: &str = "probe";

impl Store {
    /// Whether the database takes writes.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let now = inbox::received_at.eq(Timestamp::now());
        let query = diesel::insert_into(inbox::table)
            .values((inbox::webhook_id.eq(PROBE), now))
            .on_conflict(inbox::webhook_id)
            .do_update()
            .set(now);
        writing!(&self.database, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Throws away what is older than its horizon. Says how many rows went.
    pub async fn prune(&self, horizons: Horizons) -> Result<usize, Error> {
        let events = event::table.filter(event::created_at.lt(horizons.events));
        let inbox = inbox::table.filter(inbox::received_at.lt(horizons.inbox));
        let keys = idempotency_key::table.filter(idempotency_key::created_at.lt(horizons.idempotency));
        let sessions = session::table.filter(session::expires_at.lt(horizons.sessions));
        let uploads = upload::table.filter(upload::expires_at.lt(horizons.uploads));
        let mut gone = writing!(&self.database, |c| diesel::delete(events).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(inbox).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(keys).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(sessions).execute(c).await)?;
        gone += writing!(&self.database, |c| diesel::delete(uploads).execute(c).await)?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use foundation::{reading, settings::Environment, testing::TestDatabase};

    use super::*;
    use crate::{
        generations::{FlowSettings, housekeeper},
        storage::events::fixture::{Somebody, happen, open_session},
    };

    const HOUR: Duration = Duration::from_secs(3_600);

    /// Everything once older and once younger than it is kept.
    async fn what_was_kept_long_enough_goes(database: TestDatabase) {
        let store = Store::open(database.settings()).await.unwrap();
        let who = Somebody::new(&store).await;
        let now = Timestamp::now();
        let ages = |kept: Duration| [("old", now - kept - HOUR), ("young", now - kept + HOUR)];
        for (cursor, (_, at)) in (1_i64..).zip(ages(24 * HOUR)) {
            happen(&store, &who.conversation, None, serde_json::json!({}), false).await;
            let aged =
                diesel::update(event::table.filter(event::cursor.eq(cursor))).set(event::created_at.eq(at));
            assert_eq!(writing!(&store.database, |c| aged.execute(c).await).unwrap(), 1);
        }
        for (name, at) in ages(7 * 24 * HOUR) {
            let row = (inbox::webhook_id.eq(name), inbox::received_at.eq(at));
            writing!(&store.database, |c| diesel::insert_into(inbox::table).values(row).execute(c).await)
                .unwrap();
        }
        for (name, at) in ages(24 * HOUR) {
            let row = (
                idempotency_key::user_id.eq(who.user.clone()),
                idempotency_key::method.eq("POST"),
                idempotency_key::path.eq("/"),
                idempotency_key::key.eq(name),
                idempotency_key::body_hash.eq(""),
                idempotency_key::created_at.eq(at),
            );
            writing!(&store.database, |c| {
                diesel::insert_into(idempotency_key::table).values(row).execute(c).await
            })
            .unwrap();
        }
        let ended = open_session(&store, &who.user).await;
        let ends = diesel::update(session::table.find(&ended)).set(session::expires_at.eq(now - HOUR));
        writing!(&store.database, |c| ends.execute(c).await).unwrap();

        for (name, until) in [("old", now - HOUR), ("young", now + HOUR)] {
            let row = (
                upload::id.eq(name),
                upload::user_id.eq(who.user.clone()),
                upload::content_type.eq("image/png"),
                (upload::width.eq(80), upload::height.eq(80), upload::size.eq(1_i64)),
                upload::sha256.eq(""),
                upload::stored.eq(false),
                upload::created_at.eq(now - HOUR),
                upload::expires_at.eq(until),
            );
            writing!(&store.database, |c| diesel::insert_into(upload::table).values(row).execute(c).await)
                .unwrap();
        }

        let settings = FlowSettings::read(&Environment::from_map([].into())).unwrap();
        housekeeper::round(&store, &settings, now).await.unwrap();

        let events = event::table.select(event::cursor);
        assert_eq!(reading!(&store.database, |c| events.load::<i64>(c).await).unwrap(), [2]);
        let webhooks = inbox::table.select(inbox::webhook_id);
        assert_eq!(reading!(&store.database, |c| webhooks.load::<String>(c).await).unwrap(), ["young"]);
        let keys = idempotency_key::table.select(idempotency_key::key);
        assert_eq!(reading!(&store.database, |c| keys.load::<String>(c).await).unwrap(), ["young"]);
        let sessions = session::table.select(session::token_hash);
        assert_eq!(reading!(&store.database, |c| sessions.load::<String>(c).await).unwrap(), [who.session]);
        let uploads = upload::table.select(upload::id);
        assert_eq!(reading!(&store.database, |c| uploads.load::<String>(c).await).unwrap(), ["young"]);
        store.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_kept_long_enough_goes_on_sqlite() {
        what_was_kept_long_enough_goes(TestDatabase::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_kept_long_enough_goes_on_postgres() {
        what_was_kept_long_enough_goes(TestDatabase::postgres().await).await;
    }
}
