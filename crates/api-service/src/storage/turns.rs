//! A turn of a conversation: what a user says, what it does, and what the assistant says to it, in one
//! transaction.

use contract::{ConversationId, GenerationId, GenerationStatus, MessageId, Timestamp, UserId};
use diesel::{OptionalExtension as _, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, on_both, reading, transaction};

use super::{
    Error, Store,
    columns::Word,
    generations::Changed,
    idempotency::IdempotencySteps,
    locking::Locking,
    room::{Room, RoomSteps},
    rows,
    schema::{conversation, message},
    steps::{Steps, Words},
};
use crate::{
    conversations::message::{Message, MessageKind, Role},
    generations::{
        cause::Cause,
        generation::Generation,
        state::{self, Decision, Input, Quote},
    },
    idempotency::{Answer, Ticket},
};

/// What a turn writes.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Whose turn it is.
    pub user: &'a UserId,
    /// How many generations the user may have.
    pub room: Room,
    /// The request itself, for the worker.
    pub cause: &'a Cause,
    /// Where it is taken.
    pub conversation: &'a ConversationId,
    /// Whether the conversation begins with it.
    pub begins: bool,
    /// What the user says, if it was not said before.
    pub says: Option<(&'a MessageId, &'a str)>,
    /// What it does.
    pub deed: Deed<'a>,
}

/// What a turn does.
#[derive(Clone, Copy, Debug)]
pub enum Deed<'a> {
    /// Nothing: the assistant only answers, perhaps speaking of a generation.
    Talk {
        /// What the answer is for.
        kind: MessageKind,
        /// The answer.
        words: &'a str,
        /// The generation that it speaks of.
        about: Option<&'a GenerationId>,
    },
    /// It asks for a video. Without open questions it comes with its price.
    Create(&'a Generation, Option<&'a Quote>),
    /// It acts on a generation, which must still be in the status that the turn was planned on.
    Act {
        /// The generation as the plan knows it.
        on: &'a Generation,
        /// What happens to it.
        input: Input<'a>,
        /// What the assistant says if the change itself says nothing.
        words: &'a str,
    },
}

/// A turn that was committed.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What the user said, if the turn said it.
    pub message: Option<Message>,
    /// What the assistant says to it.
    pub reply: Option<Message>,
    /// The generation that it made or changed, or of which the answer speaks.
    pub generation: Option<Generation>,
    /// The change, if there was one.
    pub changed: Option<Changed>,
}

/// The right to answer under a request's key, and the form of the answer.
pub type Keep<'a> = Option<(&'a Ticket, fn(&Taken) -> Answer)>;

on_both! {
    trait TurnSteps {
        async fn begin_conversation(&mut self, row: &rows::Conversation) -> QueryResult<()> {
            diesel::insert_into(conversation::table).values(row).execute(self).await.map(drop)
        }
    }
}

impl Store {
    /// Takes a turn. `None` if there is no such conversation of the user's; [`Error::Raced`] if the generation
    /// that it acts on is no longer as the plan knew it, and then nothing was written.
    pub async fn take_turn(&self, turn: Turn<'_>, keep: Keep<'_>) -> Result<Option<Taken>, Error> {
        let now = Timestamp::now();
        let taken: Option<Taken> = transaction!(&self.database, Place::TurnTaken, Error, |c| {
            let locked = if turn.begins {
                let row = rows::Conversation {
                    id: turn.conversation.clone(),
                    user_id: turn.user.clone(),
                    title: None,
                    last_cursor: 0,
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                };
                c.begin_conversation(&row).await?;
                Some(row)
            } else {
                c.lock_conversation(turn.conversation).await?
            };
            let own = locked.filter(|locked| locked.user_id == *turn.user && locked.deleted_at.is_none());
            let Some(mut locked) = own else { return Ok(None) };
            let began_at = locked.last_cursor;
            let mut taken = Taken { message: None, reply: None, generation: None, changed: None };
            let about = match turn.deed {
                Deed::Create(generation, _) | Deed::Act { on: generation, .. } => Some(&generation.id),
                Deed::Talk { about, .. } => about,
            };
            if let Some((id, content)) = turn.says {
                c.name_after(&mut locked, content).await?;
                let words = Words {
                    id: id.clone(),
                    role: Role::User,
                    kind: MessageKind::Text,
                    content,
                    generation: None,
                };
                taken.message = Some(c.say(&mut locked, words, now).await?);
            }
            let reply = |kind, content| Words {
                id: MessageId::new(),
                role: Role::Assistant,
                kind,
                content,
                generation: about,
            };
            let decided = match turn.deed {
                Deed::Talk { kind, words, about } => {
                    taken.reply = Some(c.say(&mut locked, reply(kind, words), now).await?);
                    if let Some(id) = about {
                        taken.generation = c.find_generation(id).await?;
                    }
                    None
                }
                Deed::Create(generation, quote) => {
                    c.has_room(turn.user, turn.room).await?;
                    c.insert_generation(generation).await?;
                    Some((state::decide(generation, Input::Created(quote), now), true, ""))
                }
                Deed::Act { on, input, words } => {
                    let before = c.find_generation(&on.id).await?.ok_or(Error::Raced)?;
                    if before.status != on.status || before.job.revision != on.job.revision {
                        return Err(Error::Raced);
                    }
                    Some((state::decide(&before, input, now), false, words))
                }
            };
            if let Some((decision, new, words)) = decided {
                let Ok(Decision::Change(mut change)) = decision else { return Err(Error::Raced) };
                if change.is_yes() {
                    c.take_place_in_queue(&change.after, turn.room, now).await?;
                }
                let said = c.write_change(&mut locked, &mut change, new, Some(turn.cause), now).await?;
                taken.reply = match said {
                    Some(said) => Some(said),
                    None if words.is_empty() => None,
                    None => Some(c.say(&mut locked, reply(MessageKind::Text, words), now).await?),
                };
                taken.generation = Some(change.after.clone());
                taken.changed = Some(Changed { change: *change, message: taken.reply.clone() });
            }
            if let Some(generation) = &mut taken.generation {
                generation.events_cursor = locked.last_cursor;
            }
            c.unlock(&locked, began_at, now).await?;
            if let Some((ticket, form)) = keep {
                let answer = form(&taken);
                c.finish_idempotency(ticket, answer.status, &answer.body).await?;
            }
            Ok(Some(taken))
        })?;
        if let Some(taken) = &taken {
            let command = taken.changed.as_ref().is_some_and(|changed| changed.change.command.is_some());
            self.wake(Some(turn.conversation), command);
        }
        Ok(taken)
    }

    /// Whether a turn that makes a generation could be taken as things are, in this conversation or in a new one. Nothing
    /// is held, so the turn itself looks again. `false` if there is no such conversation of the user's.
    ///
    /// # Errors
    /// Also that the user has too many generations already.
    pub async fn could_make(
        &self,
        user: &UserId,
        conversation: Option<&ConversationId>,
        room: Room,
    ) -> Result<bool, Error> {
        if let Some(id) = conversation
            && self.last_cursor(user, id).await?.is_none()
        {
            return Ok(false);
        }
        let open: i64 = reading!(&self.database, |c| c.count_open(user).await)?;
        room.check(open)?;
        Ok(true)
    }

    /// The conversation in which the user said this, if the user did.
    pub async fn place_of_message(
        &self,
        user: &UserId,
        id: &MessageId,
    ) -> Result<Option<ConversationId>, Error> {
        Ok(reading!(&self.database, |c| {
            message::table
                .find(id)
                .inner_join(conversation::table.on(conversation::id.eq(message::conversation_id)))
                .filter(conversation::user_id.eq(user))
                .filter(conversation::deleted_at.is_null())
                .filter(message::role.eq(Word(Role::User)))
                .select(message::conversation_id)
                .first(c)
                .await
                .optional()
        })?)
    }

    /// What was said last in a conversation, the oldest first.
    pub async fn last_messages(&self, id: &ConversationId, limit: i64) -> Result<Vec<Message>, Error> {
        let query = message::table
            .filter(message::conversation_id.eq(id))
            .order(message::position.desc())
            .limit(limit);
        let rows = reading!(&self.database, |c| query.select(rows::Message::as_select()).load(c).await)?;
        Ok(rows.into_iter().rev().map(Message::from).collect())
    }

    /// The newest finished video of a conversation, which its user's further wishes may start from.
    pub async fn newest_video(&self, id: &ConversationId) -> Result<Option<Generation>, Error> {
        self.newest_generation(id, &[GenerationStatus::Completed]).await
    }

    /// What a message in a conversation of the user's can speak of: the newest generation that waits for the
    /// user, or else the newest that has not ended. `None` if there is no such conversation of the user's.
    pub async fn topic(
        &self,
        user: &UserId,
        id: &ConversationId,
    ) -> Result<Option<Option<Generation>>, Error> {
        use GenerationStatus::{Confirmed, PendingClarification, PendingConfirmation, Processing, Queued};
        if self.last_cursor(user, id).await?.is_none() {
            return Ok(None);
        }
        let waiting = self.newest_generation(id, &[PendingClarification, PendingConfirmation]).await?;
        if waiting.is_some() {
            return Ok(Some(waiting));
        }
        self.newest_generation(id, &[Confirmed, Queued, Processing]).await.map(Some)
    }
}
