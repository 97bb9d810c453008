//! Generations: the one write path of their lifecycle, and what can be read of them.

use contract::{ConversationId, GenerationId, GenerationStatus, Timestamp, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, on_both, reading, transaction};

use super::{
    Error, Store,
    charges::ChargeSteps,
    idempotency::IdempotencySteps,
    locking::Locking,
    room::{IN_THE_MAKING, Room, RoomSteps, WAITING},
    schema::{command, conversation, generation, generation_job, inbox},
    steps::{Joined, Steps, joined},
};
use crate::{
    conversations::message::Message,
    generations::{
        cause::Cause,
        generation::Generation,
        state::{self, Change, Decision, Input, Rejection, Unchanged},
    },
    idempotency::{Answer, Ticket},
    usage::budget,
};

/// What brought an input about; some of it is written down with the input's effect.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// A request of a user's: it only reaches the user's own, and its answer may be kept with the effect.
    User {
        /// Who asks.
        id: &'a UserId,
        /// How many generations the user may have.
        room: Room,
        /// The request itself, for the worker.
        cause: &'a Cause,
        /// The right to answer under the request's key.
        ticket: Option<&'a Ticket>,
    },
    /// A webhook of this id, which counts once (I8).
    Webhook(&'a str),
    /// The answer to the command of this revision, which leaves the outbox.
    Command(i64),
    /// What the worker answered when it was asked, or the passing of time.
    Ourselves,
}

/// What became of an input.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The generation changed.
    Changed(Box<Changed>),
    /// It stays as it is, and that is all right.
    Unchanged(Unchanged, Box<Generation>),
    /// The action cannot be taken.
    Rejected(Rejection),
    /// The webhook was taken before.
    Duplicate,
    /// There is no such generation, or not for this user.
    Unknown,
}

/// A change that was committed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The change as it was written.
    pub change: Change,
    /// What the assistant said to it.
    pub message: Option<Message>,
}

/// Which of a user's generations are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those in this status.
    pub status: Option<GenerationStatus>,
    /// Only those of this conversation.
    pub conversation: Option<ConversationId>,
}

on_both! {
    trait LifecycleSteps {
        /// Remembers a webhook; says whether it is new.
        async fn remember_webhook(&mut self, id: &str, now: Timestamp) -> QueryResult<bool> {
            let row = (inbox::webhook_id.eq(id), inbox::received_at.eq(now));
            let query = diesel::insert_into(inbox::table).values(row).on_conflict_do_nothing();
            Ok(query.execute(self).await? == 1)
        }

        /// Takes a command out of the outbox; says whether it was still this one.
        async fn drop_command(&mut self, id: &GenerationId, revision: i64) -> QueryResult<bool> {
            let sent = command::table.find(id).filter(command::revision.eq(revision));
            Ok(diesel::delete(sent).execute(self).await? == 1)
        }

        async fn generations_in(&mut self, id: &ConversationId) -> QueryResult<Vec<GenerationId>> {
            generation::table
                .filter(generation::conversation_id.eq(id))
                .order(generation::id)
                .select(generation::id)
                .load(self)
                .await
        }

        async fn hide_conversation(&mut self, id: &ConversationId, now: Timestamp) -> QueryResult<()> {
            let changes = (conversation::deleted_at.eq(Some(now)), conversation::updated_at.eq(now));
            diesel::update(conversation::table.find(id)).set(changes).execute(self).await.map(drop)
        }
    }
}

/// Where what comes of an input is committed, for tests that end the process there.
fn place(input: &Input<'_>) -> Place {
    match input {
        Input::Created(_) => Place::TurnTaken,
        Input::Answered { .. } | Input::AnsweredInPart(_) | Input::Amended(_) => Place::Clarified,
        Input::Reworded(_) => Place::Reworded,
        Input::Confirmed(..) => Place::Confirmed,
        Input::Cancelled => Place::Cancelled,
        Input::Discarded => Place::ConversationDiscarded,
        Input::Expired(_) => Place::Expired,
        Input::CommandAccepted(_) | Input::CommandRefused => Place::CommandAnswered,
        Input::Snapshot(_) => Place::SnapshotApplied,
    }
}

impl Store {
    /// Lets something happen to a generation: decides on it as it is in the database and writes what comes
    /// of that, in one transaction under its conversation's lock.
    ///
    /// It never is [`Error::Raced`]: whatever changes a generation's status, revision or sequence holds that
    /// lock, so what is read after it was taken is still so when it is written. (On PostgreSQL each statement
    /// sees what was committed before it began, the wait for the lock included; SQLite has one writer.) The
    /// guards of the updates are there should a write path ever forget the lock.
    pub async fn happen(
        &self,
        id: &GenerationId,
        input: Input<'_>,
        origin: Origin<'_>,
    ) -> Result<Outcome, Error> {
        let now = Timestamp::now();
        let (outcome, conversation): (Outcome, Option<ConversationId>) =
            transaction!(&self.database, place(&input), Error, |c| {
                let locked = c.lock_conversation_of(id).await?;
                if let Origin::Webhook(webhook) = origin
                    && !c.remember_webhook(webhook, now).await?
                {
                    return Ok((Outcome::Duplicate, None));
                }
                let Some(mut locked) = locked else { return Ok((Outcome::Unknown, None)) };
                if let Origin::User { id: user, .. } = origin
                    && (locked.user_id != *user || locked.deleted_at.is_some())
                {
                    return Ok((Outcome::Unknown, None));
                }
                let began_at = locked.last_cursor;
                let before = c.find_generation(id).await?.ok_or(diesel::result::Error::NotFound)?;
                // What is refused is of no interest once something newer is to be sent.
                if let Origin::Command(revision) = origin
                    && !c.drop_command(id, revision).await?
                    && matches!(input, Input::CommandRefused)
                {
                    return Ok((Outcome::Unchanged(Unchanged::Late, Box::new(before)), None));
                }
                let outcome = match state::decide(&before, input, now) {
                    Err(rejection) => Outcome::Rejected(rejection),
                    Ok(Decision::Nothing(why)) => Outcome::Unchanged(why, Box::new(before)),
                    Ok(Decision::Change(mut change)) => {
                        let cause = match origin {
                            Origin::User { room, cause, .. } => {
                                if change.is_yes() {
                                    c.take_place_in_queue(&change.after, room, now).await?;
                                }
                                Some(cause)
                            }
                            _ => None,
                        };
                        let message = c.write_change(&mut locked, &mut change, false, cause, now).await?;
                        c.unlock(&locked, began_at, now).await?;
                        Outcome::Changed(Box::new(Changed { change: *change, message }))
                    }
                };
                // Also of one that was called off long before: what was paid for it only the worker knows.
                if let Input::Snapshot(snapshot) = input
                    && !matches!(outcome, Outcome::Unchanged(Unchanged::OtherJob, _))
                    && let Some(state) = budget::outcome(snapshot)
                {
                    c.settle(id, state, now).await?;
                }
                let after = match &outcome {
                    Outcome::Changed(changed) => Some(&changed.change.after),
                    Outcome::Unchanged(_, generation) => Some(&**generation),
                    _ => None,
                };
                if let (Origin::User { ticket: Some(ticket), .. }, Some(after)) = (origin, after) {
                    let answer = Answer::ok(after);
                    c.finish_idempotency(ticket, answer.status, &answer.body).await?;
                }
                Ok((outcome, (locked.last_cursor > began_at).then_some(locked.id)))
            })?;
        if let Outcome::Changed(changed) = &outcome {
            self.wake(conversation.as_ref(), changed.change.command.is_some());
        }
        Ok(outcome)
    }

    /// Lets listeners and the dispatcher know of a commit.
    pub(super) fn wake(&self, conversation: Option<&ConversationId>, command: bool) {
        if command {
            self.wakes.commands.notify_one();
        }
        if let Some(id) = conversation
            && !self.is_shared()
        {
            // That nobody listens is no error.
            let _ = self.wakes.events.send(id.clone());
        }
    }

    /// Hides a conversation of the user's and calls off all that is in it; the worker is told to discard what
    /// it has stored. `None` if there is no such conversation of the user's.
    pub async fn discard_conversation(
        &self,
        user: &UserId,
        id: &ConversationId,
        cause: &Cause,
    ) -> Result<Option<Vec<Changed>>, Error> {
        let now = Timestamp::now();
        let discarded: Option<Vec<Changed>> =
            transaction!(&self.database, Place::ConversationDiscarded, Error, |c| {
                let locked = c.lock_conversation(id).await?;
                let own = locked.filter(|locked| locked.user_id == *user && locked.deleted_at.is_none());
                let Some(mut locked) = own else { return Ok(None) };
                let began_at = locked.last_cursor;
                let mut discarded = Vec::new();
                for generation in c.generations_in(id).await? {
                    let before =
                        c.find_generation(&generation).await?.ok_or(diesel::result::Error::NotFound)?;
                    if let Ok(Decision::Change(mut change)) = state::decide(&before, Input::Discarded, now) {
                        let message =
                            c.write_change(&mut locked, &mut change, false, Some(cause), now).await?;
                        discarded.push(Changed { change: *change, message });
                    }
                }
                c.unlock(&locked, began_at, now).await?;
                c.hide_conversation(id, now).await?;
                Ok(Some(discarded))
            })?;
        if discarded.is_some() {
            self.wake(Some(id), true);
        }
        Ok(discarded)
    }

    /// A generation of the user's.
    pub async fn generation(&self, user: &UserId, id: &GenerationId) -> Result<Option<Generation>, Error> {
        let found: Option<Joined> = reading!(&self.database, |c| {
            joined()
                .filter(generation::id.eq(id))
                .filter(generation::user_id.eq(user))
                .filter(conversation::deleted_at.is_null())
                .select(Joined::as_select())
                .first(c)
                .await
                .optional()
        })?;
        Ok(found.map(Joined::whole))
    }

    /// A user's generations, newest first, from the one after `after` on.
    pub async fn generations(
        &self,
        user: &UserId,
        filter: &Filter,
        after: Option<&GenerationId>,
        limit: i64,
    ) -> Result<Vec<Generation>, Error> {
        let found: Vec<Joined> = reading!(&self.database, |c| {
            let mut query = joined()
                .filter(generation::user_id.eq(user))
                .filter(conversation::deleted_at.is_null())
                .order(generation::id.desc())
                .limit(limit)
                .select(Joined::as_select())
                .into_boxed();
            if let Some(after) = after {
                query = query.filter(generation::id.lt(after));
            }
            if let Some(status) = filter.status {
                query = query.filter(generation::status.eq(status));
            }
            if let Some(id) = &filter.conversation {
                query = query.filter(generation::conversation_id.eq(id));
            }
            query.load(c).await
        })?;
        Ok(found.into_iter().map(Joined::whole).collect())
    }

    /// The newest generation of a conversation in one of these statuses.
    pub async fn newest_generation(
        &self,
        id: &ConversationId,
        statuses: &[GenerationStatus],
    ) -> Result<Option<Generation>, Error> {
        let found: Option<Joined> = reading!(&self.database, |c| {
            joined()
                .filter(generation::conversation_id.eq(id))
                .filter(generation::status.eq_any(statuses))
                .order(generation::id.desc())
                .select(Joined::as_select())
                .first(c)
                .await
                .optional()
        })?;
        Ok(found.map(Joined::whole))
    }

    /// Generations in the making of which nothing was heard since `since`, the longest silent first.
    pub async fn silent(&self, since: Timestamp, limit: i64) -> Result<Vec<Generation>, Error> {
        let found: Vec<Joined> = reading!(&self.database, |c| {
            joined()
                .filter(generation::status.eq_any(IN_THE_MAKING))
                .filter(generation_job::heard_at.lt(since))
                .order((generation_job::heard_at, generation::id))
                .limit(limit)
                .select(Joined::as_select())
                .load(c)
                .await
        })?;
        Ok(found.into_iter().map(Joined::whole).collect())
    }

    /// Notes that the worker has spoken of these generations, even if it had nothing new to say.
    pub async fn heard(&self, ids: &[GenerationId]) -> Result<(), Error> {
        let now = Timestamp::now();
        transaction!(&self.database, Place::JobsHeard, Error, |c| {
            c.lock_jobs(ids).await?;
            let rows = generation_job::table.filter(generation_job::generation_id.eq_any(ids));
            diesel::update(rows).set(generation_job::heard_at.eq(now)).execute(c).await?;
            Ok(())
        })
    }

    /// Generations that have waited for their user since before `since`.
    pub async fn forgotten(&self, since: Timestamp, limit: i64) -> Result<Vec<GenerationId>, Error> {
        Ok(reading!(&self.database, |c| {
            generation::table
                .filter(generation::status.eq_any(WAITING))
                .filter(generation::updated_at.lt(since))
                .order(generation::updated_at)
                .limit(limit)
                .select(generation::id)
                .load(c)
                .await
        })?)
    }
}
