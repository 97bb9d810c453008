//! How many generations a user may have at once (I20). They are counted in the transaction that adds one, under
//! the account's lock, so that no requests at the same time can each find the last place free.

use contract::{GenerationStatus, UserId};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::on_both;

use super::{Error, locking::Locking, schema::generation};

/// The statuses in which the worker has something to tell.
pub(super) const IN_THE_MAKING: [GenerationStatus; 3] =
    [GenerationStatus::Confirmed, GenerationStatus::Queued, GenerationStatus::Processing];
/// The statuses in which it is the user's turn.
pub(super) const WAITING: [GenerationStatus; 2] =
    [GenerationStatus::PendingClarification, GenerationStatus::PendingConfirmation];

/// How many generations a user may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// That have not ended.
    pub open: i64,
    /// Of these, that are confirmed.
    pub queued: i64,
}

/// A user has so many already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Generations that have not ended.
    #[error("{0} generations have not ended")]
    Open(i64),
    /// Generations that are confirmed and not made.
    #[error("{0} generations are being made")]
    Queued(i64),
}

on_both! {
    pub(super) trait RoomSteps {
        /// How many of a user's generations are in one of these statuses.
        async fn count_in(&mut self, user: &UserId, statuses: &[GenerationStatus]) -> QueryResult<i64> {
            generation::table
                .filter(generation::user_id.eq(user))
                .filter(generation::status.eq_any(statuses))
                .select(count_star())
                .first(self)
                .await
        }

        /// Whether there is room for another generation of the user's.
        async fn has_room(&mut self, user: &UserId, room: Room) -> Result<(), Error> {
            self.lock_account(user).await?;
            let statuses: Vec<_> = WAITING.into_iter().chain(IN_THE_MAKING).collect();
            let open = self.count_in(user, &statuses).await?;
            if open < room.open { Ok(()) } else { Err(Full::Open(open).into()) }
        }

        /// Whether there is room for another one in the making.
        async fn has_room_in_queue(&mut self, user: &UserId, room: Room) -> Result<(), Error> {
            self.lock_account(user).await?;
            let queued = self.count_in(user, &IN_THE_MAKING).await?;
            if queued < room.queued { Ok(()) } else { Err(Full::Queued(queued).into()) }
        }
    }
}
