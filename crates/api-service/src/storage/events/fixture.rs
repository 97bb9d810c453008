//! What push's tests need in the tables, written as plainly as can be.

use contract::{ConversationId, GenerationId, Timestamp, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::Database, reading, transaction, writing};
use serde_json::Value;

use crate::storage::{
    EVENTS_CHANNEL, Error, Store,
    schema::{account, conversation, event, session},
};

/// A user with a session and a conversation.
pub(crate) struct Somebody {
    pub(crate) user: UserId,
    pub(crate) session: String,
    pub(crate) conversation: ConversationId,
}

impl Somebody {
    pub(crate) async fn new(store: &Store) -> Self {
        let (user, now) = (UserId::new(), Timestamp::now());
        let row = (
            account::id.eq(user.clone()),
            account::email.eq(user.as_str().to_owned()),
            account::password_hash.eq(""),
            account::created_at.eq(now),
        );
        writing!(&store.database, |c| diesel::insert_into(account::table).values(row).execute(c).await)
            .unwrap();
        let (session, conversation) = (open_session(store, &user).await, ConversationId::new());
        let row = (
            conversation::id.eq(conversation.clone()),
            conversation::user_id.eq(user.clone()),
            conversation::created_at.eq(now),
            conversation::updated_at.eq(now),
        );
        writing!(&store.database, |c| diesel::insert_into(conversation::table).values(row).execute(c).await)
            .unwrap();
        Self { user, session, conversation }
    }
}

pub(crate) async fn open_session(store: &Store, user: &UserId) -> String {
    let hash = GenerationId::new().to_string();
    let now = Timestamp::now();
    let row = (
        session::token_hash.eq(hash.clone()),
        session::user_id.eq(user.clone()),
        session::created_at.eq(now),
        session::expires_at.eq(now + std::time::Duration::from_secs(3_600)),
    );
    writing!(&store.database, |c| diesel::insert_into(session::table).values(row).execute(c).await).unwrap();
    hash
}

pub(crate) async fn close_session(store: &Store, hash: &str) {
    let rows = session::table.find(hash);
    writing!(&store.database, |c| diesel::delete(rows).execute(c).await).unwrap();
}

/// Commits an event as the lifecycle does, with or without its signal.
pub(crate) async fn happen(
    store: &Store,
    id: &ConversationId,
    generation: Option<&GenerationId>,
    payload: Value,
    signal: bool,
) -> i64 {
    let name = if generation.is_some() { "generation.updated" } else { "message.created" };
    let cursor = transaction!(&store.database, Place::TurnTaken, Error, |c| {
        let row = conversation::table.find(id);
        let cursor: i64 = diesel::update(row)
            .set(conversation::last_cursor.eq(conversation::last_cursor + 1))
            .returning(conversation::last_cursor)
            .get_result(c)
            .await?;
        let row = (
            event::conversation_id.eq(id),
            event::cursor.eq(cursor),
            event::name.eq(name),
            event::generation_id.eq(generation),
            event::payload.eq(&payload),
            event::created_at.eq(Timestamp::now()),
        );
        diesel::insert_into(event::table).values(row).execute(c).await?;
        if signal && store.is_shared() {
            let text = format!("SELECT pg_notify('{EVENTS_CHANNEL}', '{id}:{cursor}')");
            diesel::sql_query(text).execute(c).await?;
        }
        Ok(cursor)
    })
    .unwrap();
    if signal && !store.is_shared() {
        let _ = store.wakes().events.send(id.clone());
    }
    cursor
}

/// Removes a conversation's events up to a cursor.
pub(crate) async fn prune(store: &Store, id: &ConversationId, cursor: i64) {
    let rows = event::table.filter(event::conversation_id.eq(id).and(event::cursor.le(cursor)));
    writing!(&store.database, |c| diesel::delete(rows).execute(c).await).unwrap();
}

/// Hides a conversation.
pub(crate) async fn delete(store: &Store, id: &ConversationId) {
    let row =
        diesel::update(conversation::table.find(id)).set(conversation::deleted_at.eq(Some(Timestamp::now())));
    writing!(&store.database, |c| row.execute(c).await).unwrap();
}

/// Cuts the connections that listen, as a restart of the server would.
pub(crate) async fn cut_hearing(store: &Store) {
    let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    reading!(&store.database, |c| diesel::sql_query(text).execute(c).await).unwrap();
}

/// How many connections listen.
pub(crate) async fn hearing(store: &Store) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let text = "SELECT count(*) AS count FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let Database::Postgres(pool) = &store.database else { return 0 };
    let mut connection = pool.get().await.unwrap();
    let count: Count = diesel::sql_query(text).get_result(&mut connection).await.unwrap();
    count.count
}
