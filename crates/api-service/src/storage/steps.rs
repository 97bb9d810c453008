//! What several transactions share: saying something in a conversation, telling of a generation, and writing
//! a generation's change with everything that goes with it (I3, I6).

use contract::{GenerationId, MessageId, Timestamp};
use diesel::{pg::Pg, prelude::*, sqlite::Sqlite};
use diesel_async::RunQueryDsl;
use foundation::{database::database_now, on_both};
use serde::Serialize;

use super::{
    Error,
    columns::{Json, Word},
    locking::Locking,
    rows,
    schema::{command, conversation, event, generation, generation_job, message},
};
use crate::{
    conversations::{
        message::{Message, MessageKind, Role},
        title,
    },
    generations::{
        cause::Cause,
        generation::{Generation, Job},
        state::{self, Change},
    },
};

/// The name of the event that tells a message.
pub const MESSAGE_CREATED: &str = "message.created";
/// The name of the event that tells how a generation is now.
pub const GENERATION_UPDATED: &str = "generation.updated";

/// A generation's two rows and its conversation's cursor.
#[derive(Queryable, Selectable)]
#[diesel(table_name = conversation, check_for_backend(Pg, Sqlite))]
pub(super) struct Joined {
    #[diesel(embed)]
    row: rows::Generation,
    #[diesel(embed)]
    job: rows::GenerationJob,
    last_cursor: i64,
}

impl Joined {
    /// The whole of a generation.
    pub(super) fn whole(self) -> Generation {
        self.row.joined(self.job, self.last_cursor)
    }
}

/// Generations with their jobs and their conversations; [`Joined`] selects from them.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn joined() -> _ {
    let own_job = generation_job::table.on(generation_job::generation_id.eq(generation::id));
    let place = conversation::table.on(conversation::id.eq(generation::conversation_id));
    generation::table.inner_join(own_job).inner_join(place)
}

/// Something that is said.
pub(super) struct Words<'a> {
    pub id: MessageId,
    pub role: Role,
    pub kind: MessageKind,
    pub content: &'a str,
    pub generation: Option<&'a GenerationId>,
}

fn json(value: &impl Serialize) -> QueryResult<Json<serde_json::Value>> {
    let value = serde_json::to_value(value)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    Ok(Json::new(value))
}

/// A generation as far as a listener can see it.
fn visible(generation: &Generation) -> Generation {
    Generation { job: Job::default(), events_cursor: 0, ..generation.clone() }
}

on_both! {
    pub(super) trait Steps {
        /// A generation, whosoever it is.
        async fn find_generation(&mut self, id: &GenerationId) -> QueryResult<Option<Generation>> {
            let found: Option<Joined> = joined()
                .filter(generation::id.eq(id))
                .select(Joined::as_select())
                .first(self)
                .await
                .optional()?;
            Ok(found.map(Joined::whole))
        }

        /// Writes an event under the next cursor of a locked conversation.
        async fn tell(
            &mut self,
            locked: &mut rows::Conversation,
            name: &str,
            of: Option<&GenerationId>,
            payload: Json<serde_json::Value>,
            now: Timestamp,
        ) -> QueryResult<()> {
            let row = rows::Event {
                conversation_id: locked.id.clone(),
                cursor: locked.last_cursor,
                name: name.to_owned(),
                generation_id: of.cloned(),
                payload,
                created_at: now,
            };
            diesel::insert_into(event::table).values(row).execute(self).await.map(drop)
        }

        /// Says something in a locked conversation.
        async fn say(
            &mut self,
            locked: &mut rows::Conversation,
            words: Words<'_>,
            now: Timestamp,
        ) -> QueryResult<Message> {
            locked.last_cursor += 1;
            let row = rows::Message {
                id: words.id,
                conversation_id: locked.id.clone(),
                position: locked.last_cursor,
                role: Word(words.role),
                kind: Word(words.kind),
                content: words.content.to_owned(),
                generation_id: words.generation.cloned(),
                created_at: now,
            };
            diesel::insert_into(message::table).values(&row).execute(self).await?;
            let said = Message::from(row);
            self.tell(locked, MESSAGE_CREATED, words.generation, json(&said)?, now).await?;
            Ok(said)
        }

        /// Writes a new generation as it begins.
        async fn insert_generation(&mut self, new: &Generation) -> QueryResult<()> {
            diesel::insert_into(generation::table).values(rows::Generation::of(new)).execute(self).await?;
            let job = rows::GenerationJob::of(new, new.created_at);
            diesel::insert_into(generation_job::table).values(job).execute(self).await.map(drop)
        }

        /// Writes a change: the rows, what the assistant says, the event, and the command to the worker. A row
        /// that is no longer as the change was decided on is [`Error::Raced`]. `new` says that the generation
        /// has not been told of at all.
        async fn write_change(
            &mut self,
            locked: &mut rows::Conversation,
            change: &mut Change,
            new: bool,
            cause: Option<&Cause>,
            now: Timestamp,
        ) -> Result<Option<Message>, Error> {
            let Change { before, after, says, command } = change;
            let row = rows::Generation::of(after);
            if rows::Generation::of(before) != row {
                let held = generation::table.find(&before.id).filter(generation::status.eq(before.status));
                if diesel::update(held).set(&row).execute(self).await? == 0 {
                    return Err(Error::Raced);
                }
            }
            let job = rows::GenerationJob::of(after, now);
            let held = generation_job::table.find(&before.id)
                .filter(generation_job::revision.eq(before.job.revision))
                .filter(generation_job::sequence.eq(before.job.sequence));
            if diesel::update(held).set(&job).execute(self).await? == 0 {
                return Err(Error::Raced);
            }
            // The message goes first, so that the generation's own event is the last word of its end.
            let said = match says {
                Some((kind, content)) => {
                    let words = Words {
                        id: MessageId::new(),
                        role: Role::Assistant,
                        kind: *kind,
                        content,
                        generation: Some(&after.id),
                    };
                    Some(self.say(locked, words, now).await?)
                }
                None => None,
            };
            if new || visible(before) != visible(after) {
                locked.last_cursor += 1;
                after.events_cursor = locked.last_cursor;
                self.tell(locked, GENERATION_UPDATED, Some(&after.id), json(&*after)?, now).await?;
            }
            after.events_cursor = locked.last_cursor;
            if let Some(state) = command {
                let command = state::command(after, *state, cause.map(|cause| cause.traceparent.clone()));
                let request_id = cause.and_then(|cause| cause.request_id.clone());
                self.put_command(rows::Outgoing { command, request_id }, now).await?;
            }
            Ok(said)
        }

        /// Puts a command into the outbox in place of the generation's older one (I6).
        async fn put_command(&mut self, body: rows::Outgoing, now: Timestamp) -> QueryResult<()> {
            let (id, revision) = (body.command.generation_id.clone(), body.command.revision);
            let body = Json::new(body);
            let fresh = (
                command::revision.eq(revision),
                command::body.eq(&body),
                command::attempts.eq(0),
                command::next_attempt_at.eq(database_now()),
                command::created_at.eq(now),
            );
            diesel::insert_into(command::table)
                .values((command::generation_id.eq(&id), fresh))
                .on_conflict(command::generation_id)
                .do_update()
                .set(fresh)
                .execute(self)
                .await
                .map(drop)
        }

        /// Names a locked conversation after the first thing that is said in it.
        async fn name_after(&mut self, locked: &mut rows::Conversation, words: &str) -> QueryResult<()> {
            if locked.title.is_some() || locked.last_cursor > 0 {
                return Ok(());
            }
            locked.title = title::of(words);
            let named = conversation::title.eq(&locked.title);
            diesel::update(conversation::table.find(&locked.id)).set(named).execute(self).await.map(drop)
        }

        /// Writes down how far a locked conversation has come, and lets listeners know.
        async fn unlock(&mut self, locked: &rows::Conversation, began_at: i64, now: Timestamp) -> QueryResult<()> {
            if locked.last_cursor == began_at {
                return Ok(());
            }
            let changes = (conversation::last_cursor.eq(locked.last_cursor), conversation::updated_at.eq(now));
            diesel::update(conversation::table.find(&locked.id)).set(changes).execute(self).await?;
            self.signal(&locked.id, locked.last_cursor).await
        }
    }
}
