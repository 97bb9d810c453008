//! Conversations and the messages in them, as their owner reads and names them.

use contract::{ConversationId, Timestamp, UserId};
use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, reading, transaction, writing};

use super::{
    Error, Store,
    idempotency::IdempotencySteps,
    rows,
    schema::{conversation, message},
};
use crate::{
    conversations::{Conversation, message::Message, search::Search},
    idempotency::{Answer, Ticket},
};

diesel::define_sql_function! {
    /// A text with small letters, of which only those of ASCII can be relied on.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// Whether a text has this word, however it is written.
macro_rules! has {
    ($text:expr, $word:expr) => {
        lower($text)
            .like(&$word.small)
            .escape('\\')
            .or(lower($text).like(&$word.capitalised).escape('\\'))
            .or(lower($text).like(&$word.large).escape('\\'))
    };
}

impl From<rows::Conversation> for Conversation {
    fn from(row: rows::Conversation) -> Self {
        Self {
            id: row.id,
            title: row.title,
            events_cursor: row.last_cursor,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Store {
    /// Writes a new conversation, and the answer that tells it.
    pub async fn create_conversation(
        &self,
        user: &UserId,
        new: &Conversation,
        answer: Option<(&Ticket, &Answer)>,
    ) -> Result<(), Error> {
        let row = rows::Conversation {
            id: new.id.clone(),
            user_id: user.clone(),
            title: new.title.clone(),
            last_cursor: new.events_cursor,
            created_at: new.created_at,
            updated_at: new.updated_at,
            deleted_at: None,
        };
        transaction!(&self.database, Place::ConversationBegun, Error, |c| {
            diesel::insert_into(conversation::table).values(&row).execute(c).await?;
            if let Some((ticket, answer)) = answer {
                c.finish_idempotency(ticket, answer.status, &answer.body).await?;
            }
            Ok(())
        })
    }

    /// A user's conversations that have what is looked for, newest first, from the one after `after` on.
    pub async fn conversations(
        &self,
        user: &UserId,
        search: &Search,
        after: Option<&ConversationId>,
        limit: i64,
    ) -> Result<Vec<Conversation>, Error> {
        // Beyond every id: hexadecimal ends at f.
        let before = after.map_or("conv_g", ConversationId::as_str);
        let rows = reading!(&self.database, |c| {
            let mut query = conversation::table
                .filter(conversation::user_id.eq(user))
                .filter(conversation::id.lt(before))
                .filter(conversation::deleted_at.is_null())
                .order(conversation::id.desc())
                .limit(limit)
                .select(rows::Conversation::as_select())
                .into_boxed();
            for word in search.words() {
                let said = message::table
                    .filter(message::conversation_id.eq(conversation::id))
                    .filter(has!(message::content, word));
                query = query.filter(has!(conversation::title.assume_not_null(), word).or(exists(said)));
            }
            query.load(c).await
        })?;
        Ok(rows.into_iter().map(Conversation::from).collect())
    }

    /// A conversation of the user's, unless it was deleted.
    pub async fn conversation(
        &self,
        user: &UserId,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, Error> {
        let query = conversation::table
            .find(id)
            .filter(conversation::user_id.eq(user))
            .filter(conversation::deleted_at.is_null());
        let row = reading!(&self.database, |c| {
            query.select(rows::Conversation::as_select()).first(c).await.optional()
        })?;
        Ok(row.map(Conversation::from))
    }

    /// Names a conversation of the user's, and says how it is now.
    pub async fn rename_conversation(
        &self,
        user: &UserId,
        id: &ConversationId,
        title: Option<&str>,
    ) -> Result<Option<Conversation>, Error> {
        let own = conversation::table
            .find(id)
            .filter(conversation::user_id.eq(user))
            .filter(conversation::deleted_at.is_null());
        let query = diesel::update(own)
            .set((conversation::title.eq(title), conversation::updated_at.eq(Timestamp::now())));
        let row = writing!(&self.database, |c| {
            query.returning(rows::Conversation::as_returning()).get_result(c).await.optional()
        })?;
        Ok(row.map(Conversation::from))
    }

    /// What was said in a conversation of the user's after the place `after`, oldest first, with its places.
    pub async fn messages(
        &self,
        user: &UserId,
        id: &ConversationId,
        after: i64,
        limit: i64,
    ) -> Result<Option<Vec<(i64, Message)>>, Error> {
        if self.conversation(user, id).await?.is_none() {
            return Ok(None);
        }
        let query = message::table
            .filter(message::conversation_id.eq(id))
            .filter(message::position.gt(after))
            .order(message::position)
            .limit(limit);
        let rows = reading!(&self.database, |c| query.select(rows::Message::as_select()).load(c).await)?;
        Ok(Some(rows.into_iter().map(|row| (row.position, row.into())).collect()))
    }
}
