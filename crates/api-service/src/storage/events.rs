//! Reading events, and hearing of them: what push asks of the database.

use std::time::Duration;

use contract::{ConversationId, GenerationId, UserId};
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, pooled_connection::deadpool::Object};
use foundation::{
    database::{self, Database, Postgres, database_now},
    reading,
};
use futures_util::StreamExt as _;

use super::{
    EVENTS_CHANNEL, Error, Store,
    schema::{conversation, event, generation, session},
};
use crate::push::cursor::{Event, Window};

/// How many ids one query names at most.
const BATCH: usize = 500;
/// How long the server may be silent before the connection that listens is tried.
const SILENCE: Duration = Duration::from_secs(30);
/// How long an answer to that may take.
const ANSWER: Duration = Duration::from_secs(5);

/// A PostgreSQL connection of its own on which commits on any replica are heard of.
pub struct Hearing(Postgres);

impl Hearing {
    /// The next conversation with new events; an error means that the connection is lost, and that what was
    /// committed since is not heard of. Cancellation-safe.
    pub async fn next(&mut self) -> Result<ConversationId, Error> {
        loop {
            let notification = {
                let mut notifications = std::pin::pin!(self.0.notifications_stream());
                tokio::time::timeout(SILENCE, notifications.next()).await
            };
            match notification {
                Ok(Some(Ok(notification))) => {
                    let conversation = notification.payload.split(':').next().unwrap_or_default();
                    // Anything else on the channel is not ours.
                    if let Ok(conversation) = conversation.parse() {
                        return Ok(conversation);
                    }
                }
                Ok(Some(Err(error))) => return Err(error.into()),
                Ok(None) => return Err(lost("the connection was closed")),
                Err(_) => {
                    let alive = diesel::sql_query("SELECT 1").execute(&mut self.0);
                    match tokio::time::timeout(ANSWER, alive).await {
                        Ok(answer) => drop(answer?),
                        Err(_) => return Err(lost("the server does not answer")),
                    }
                }
            }
        }
    }
}

fn lost(reason: &str) -> Error {
    database::Error::Unavailable(reason.to_owned()).into()
}

impl Store {
    /// Begins to hear of commits on all replicas. Nothing on SQLite, where there is one replica, whose commits
    /// are signalled within the process.
    pub async fn hear(&self) -> Result<Option<Hearing>, Error> {
        let Database::Postgres(pool) = &self.database else { return Ok(None) };
        // Taken out of the pool for good: a connection that listens is of no use to anybody else.
        let mut connection = Object::take(pool.get().await.map_err(database::Error::from)?);
        diesel::sql_query(format!("LISTEN {EVENTS_CHANNEL}")).execute(&mut connection).await?;
        Ok(Some(Hearing(connection)))
    }

    /// The cursor of the last event of a user's conversation; nothing if there is no such conversation.
    pub async fn last_cursor(&self, user: &UserId, id: &ConversationId) -> Result<Option<i64>, Error> {
        let query = conversation::table
            .find(id)
            .filter(conversation::user_id.eq(user))
            .filter(conversation::deleted_at.is_null())
            .select(conversation::last_cursor);
        Ok(reading!(&self.database, |c| query.first(c).await.optional())?)
    }

    /// The conversation of a user's generation and the cursor of its last event.
    pub async fn generation_cursor(
        &self,
        user: &UserId,
        id: &GenerationId,
    ) -> Result<Option<(ConversationId, i64)>, Error> {
        let query = generation::table
            .inner_join(conversation::table.on(conversation::id.eq(generation::conversation_id)))
            .filter(generation::id.eq(id))
            .filter(generation::user_id.eq(user))
            .filter(conversation::deleted_at.is_null())
            .select((conversation::id, conversation::last_cursor));
        Ok(reading!(&self.database, |c| query.first(c).await.optional())?)
    }

    /// At most `limit` events of a conversation after a cursor; nothing if the conversation is gone.
    pub async fn events_after(
        &self,
        id: &ConversationId,
        cursor: i64,
        limit: i64,
    ) -> Result<Option<Window>, Error> {
        type Row = (i64, String, Option<GenerationId>, serde_json::Value);
        // The last cursor first: an event that commits between the reads is then one more than expected, and
        // never looks like one that was pruned.
        let found: Option<(i64, Vec<Row>)> = reading!(&self.database, |c| {
            let last = conversation::table
                .find(id)
                .filter(conversation::deleted_at.is_null())
                .select(conversation::last_cursor)
                .first::<i64>(c)
                .await
                .optional()?;
            match last {
                None => Ok(None),
                Some(last) if last == cursor => Ok(Some((last, Vec::new()))),
                Some(last) => event::table
                    .filter(event::conversation_id.eq(id).and(event::cursor.gt(cursor)))
                    .order(event::cursor)
                    .limit(limit)
                    .select((event::cursor, event::name, event::generation_id, event::payload))
                    .load::<Row>(c)
                    .await
                    .map(|rows| Some((last, rows))),
            }
        })?;
        Ok(found.map(|(last, rows)| {
            let event = |(cursor, name, generation, payload)| Event { cursor, name, generation, payload };
            Window { last, events: rows.into_iter().map(event).collect() }
        }))
    }

    /// The last cursors of conversations; those that are gone are not among them.
    pub async fn last_cursors(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let query = conversation::table
                .filter(conversation::id.eq_any(batch))
                .filter(conversation::deleted_at.is_null())
                .select((conversation::id, conversation::last_cursor));
            found.extend(reading!(&self.database, |c| query.load::<(ConversationId, i64)>(c).await)?);
        }
        Ok(found)
    }

    /// Which of these sessions, named by their tokens' hashes, still hold.
    pub async fn sessions_that_hold(&self, hashes: &[String]) -> Result<Vec<String>, Error> {
        let mut found = Vec::with_capacity(hashes.len());
        for batch in hashes.chunks(BATCH) {
            let query = session::table
                .filter(session::token_hash.eq_any(batch))
                .filter(session::expires_at.gt(database_now()))
                .select(session::token_hash);
            found.extend(reading!(&self.database, |c| query.load::<String>(c).await)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
pub(crate) mod fixture;
