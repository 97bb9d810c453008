//! The outbox of commands to the worker: one row a generation, its newest desired state (I6).

use std::time::Duration;

use contract::{GenerationId, GenerationStatus, Timestamp};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, reading, transaction, writing};

use super::{
    Error, Store,
    locking::Locking,
    rows::{Command, Outgoing},
    schema::command,
    steps::Steps,
};
use crate::generations::state;

impl Store {
    /// Commands that are due, put off for `span`: whoever took them sends them meanwhile, and if it dies, they
    /// are due again.
    pub async fn take_commands(&self, limit: i64, span: Duration) -> Result<Vec<Command>, Error> {
        Ok(transaction!(&self.database, Place::CommandsTaken, unless Vec::is_empty, Error, |c| {
            let due = c.pick_commands(limit).await?;
            if !due.is_empty() {
                let ids: Vec<_> = due.iter().map(|command| &command.generation_id).collect();
                diesel::update(command::table.filter(command::generation_id.eq_any(ids)))
                    .set((
                        command::attempts.eq(command::attempts + 1),
                        command::next_attempt_at.eq(database_now().plus(span)),
                    ))
                    .execute(c)
                    .await?;
            }
            Ok::<_, Error>(due)
        })?)
    }

    /// Puts a command off after a try that failed, if it has not been replaced meanwhile.
    pub async fn postpone_command(
        &self,
        id: &GenerationId,
        revision: i64,
        delay: Duration,
    ) -> Result<(), Error> {
        let sent = command::table.find(id).filter(command::revision.eq(revision));
        let changes = command::next_attempt_at.eq(database_now().plus(delay));
        writing!(&self.database, |c| diesel::update(sent).set(changes).execute(c).await)?;
        Ok(())
    }

    /// Puts the command of a generation that the worker does not know into the outbox again, unless one is
    /// there or the generation has ended meanwhile. Says whether it did.
    pub async fn command_again(&self, id: &GenerationId) -> Result<bool, Error> {
        let now = Timestamp::now();
        let again = transaction!(&self.database, Place::CommandRenewed, Error, |c| {
            c.lock_conversation_of(id).await?;
            let Some(generation) = c.find_generation(id).await? else { return Ok(false) };
            let waiting: i64 =
                command::table.filter(command::generation_id.eq(id)).select(count_star()).first(c).await?;
            let in_the_making = matches!(
                generation.status,
                GenerationStatus::Confirmed | GenerationStatus::Queued | GenerationStatus::Processing
            );
            if waiting > 0 || !in_the_making {
                return Ok(false);
            }
            let command = state::command(&generation, state::desired(generation.status), None);
            c.put_command(Outgoing { command, request_id: None }, now).await?;
            Ok::<_, Error>(true)
        })?;
        if again {
            self.wakes.commands.notify_one();
        }
        Ok(again)
    }

    /// How many commands the worker has not accepted yet.
    pub async fn count_commands(&self) -> Result<i64, Error> {
        Ok(reading!(&self.database, |c| command::table.select(count_star()).first(c).await)?)
    }

    /// The command of a generation that the worker has not accepted yet, if there is one.
    pub async fn pending_command(&self, id: &GenerationId) -> Result<Option<Command>, Error> {
        Ok(reading!(&self.database, |c| {
            command::table.find(id).select(Command::as_select()).first(c).await.optional()
        })?)
    }
}
