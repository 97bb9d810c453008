//! The queries that the two databases say differently: on PostgreSQL rows are locked, on SQLite the
//! transaction that asks is the only one that writes.

use contract::{ConversationId, GenerationId, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::database::{Postgres, Sqlite, database_now};

use super::{
    EVENTS_CHANNEL,
    rows::{Command, Conversation},
    schema::{account, command, conversation, generation, generation_job},
};

diesel::define_sql_function! {
    /// Heard by whoever listens on the channel, if and when the transaction commits.
    fn pg_notify(channel: diesel::sql_types::Text, payload: diesel::sql_types::Text) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Reads that hold what they read until the transaction ends, and signals that go out when it commits.
pub(super) trait Locking {
    /// A conversation. Whoever writes in it, or anything of a generation in it, holds this lock: so the
    /// cursors of its events are gap-free and in commit order.
    fn lock_conversation(
        &mut self,
        id: &ConversationId,
    ) -> impl Future<Output = QueryResult<Option<Conversation>>> + Send;

    /// The conversation of a generation.
    fn lock_conversation_of(
        &mut self,
        id: &GenerationId,
    ) -> impl Future<Output = QueryResult<Option<Conversation>>> + Send;

    /// A user's account. Whoever counts what the user has, to add to it, holds this lock, taken after the
    /// conversation's.
    fn lock_account(&mut self, id: &UserId) -> impl Future<Output = QueryResult<()>> + Send;

    /// The jobs of these generations, in the order of their ids, so that two who lock several cannot wait for
    /// each other.
    fn lock_jobs(&mut self, ids: &[GenerationId]) -> impl Future<Output = QueryResult<()>> + Send;

    /// Commands that are due.
    fn pick_commands(&mut self, limit: i64) -> impl Future<Output = QueryResult<Vec<Command>>> + Send;

    /// Says that a conversation has events up to this cursor.
    fn signal(&mut self, id: &ConversationId, cursor: i64) -> impl Future<Output = QueryResult<()>> + Send;
}

macro_rules! locking {
    ($connection:ty, [$($wait:tt)*], [$($count:tt)*], [$($skip:tt)*], $signal:path) => {
        impl Locking for $connection {
            async fn lock_conversation(&mut self, id: &ConversationId) -> QueryResult<Option<Conversation>> {
                let query = conversation::table.find(id).select(Conversation::as_select());
                query $($wait)* .first(self).await.optional()
            }

            async fn lock_conversation_of(&mut self, id: &GenerationId) -> QueryResult<Option<Conversation>> {
                let of = generation::table.find(id).select(generation::conversation_id).single_value();
                let query = conversation::table
                    .filter(conversation::id.nullable().eq(of))
                    .select(Conversation::as_select());
                query $($wait)* .first(self).await.optional()
            }

            async fn lock_account(&mut self, id: &UserId) -> QueryResult<()> {
                let query = account::table.find(id).select(account::id);
                query $($count)* .first::<UserId>(self).await.map(drop)
            }

            async fn lock_jobs(&mut self, ids: &[GenerationId]) -> QueryResult<()> {
                let query = generation_job::table
                    .filter(generation_job::generation_id.eq_any(ids))
                    .order(generation_job::generation_id)
                    .select(generation_job::generation_id);
                query $($wait)* .load::<GenerationId>(self).await.map(drop)
            }

            async fn pick_commands(&mut self, limit: i64) -> QueryResult<Vec<Command>> {
                let query = command::table
                    .filter(command::next_attempt_at.le(database_now()))
                    .order(command::next_attempt_at)
                    .limit(limit)
                    .select(Command::as_select());
                query $($skip)* .load(self).await
            }

            async fn signal(&mut self, id: &ConversationId, cursor: i64) -> QueryResult<()> {
                $signal(self, id, cursor).await
            }
        }
    };
}

async fn notify(connection: &mut Postgres, id: &ConversationId, cursor: i64) -> QueryResult<()> {
    let signal = pg_notify(EVENTS_CHANNEL, format!("{id}:{cursor}"));
    diesel::select(signal).execute(connection).await.map(drop)
}

/// The store broadcasts after the commit.
async fn later(_: &mut Sqlite, _: &ConversationId, _: i64) -> QueryResult<()> {
    Ok(())
}

// New rows refer to the account: they must not wait for those who only count.
locking!(Postgres, [.for_update()], [.for_no_key_update()], [.for_update().skip_locked()], notify);
locking!(Sqlite, [], [], [], later);
