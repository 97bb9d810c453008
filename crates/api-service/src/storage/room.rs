//! How many generations a user may have at once, and how many may be paid for (I20). They are counted in the transaction
//! that adds one, under the account's lock, so that no requests at the same time can each find the last place free, or
//! the last dollar.

use contract::{GenerationStatus, Timestamp, UserId};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::on_both;

use super::{Error, charges::ChargeSteps, locking::Locking, schema::generation};
use crate::{
    generations::generation::Generation,
    usage::budget::{self, Allowance, Exceeded},
};

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
    /// What every user may whom the operator has said nothing of.
    pub allowance: Allowance,
}

impl Room {
    /// Whether there is room for another beside so many that have not ended.
    pub(super) const fn check(&self, open: i64) -> Result<(), Full> {
        if open < self.open { Ok(()) } else { Err(Full::Open(open)) }
    }
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
    /// What may be spent, or made in a day.
    #[error(transparent)]
    Spending(#[from] Exceeded),
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

        /// How many of a user's generations have not ended.
        async fn count_open(&mut self, user: &UserId) -> QueryResult<i64> {
            let statuses: Vec<_> = WAITING.into_iter().chain(IN_THE_MAKING).collect();
            self.count_in(user, &statuses).await
        }

        /// Whether there is room for another generation of the user's.
        async fn has_room(&mut self, user: &UserId, room: Room) -> Result<(), Error> {
            self.lock_account(user).await?;
            Ok(room.check(self.count_open(user).await?)?)
        }

        /// Takes a place among those in the making for a generation that its user has just said yes to, and holds
        /// what it costs.
        async fn take_place_in_queue(&mut self, yes: &Generation, room: Room, now: Timestamp) -> Result<(), Error> {
            let user = &yes.user_id;
            self.lock_account(user).await?;
            let allowance = self.allowance_of(user, room.allowance).await?;
            let queued = self.count_in(user, &IN_THE_MAKING).await?;
            if queued >= allowance.queued {
                return Err(Full::Queued(queued).into());
            }
            let price = yes.estimated_cost.as_ref().and_then(contract::Money::ten_thousandths).unwrap_or(0);
            if allowance.limits_spending() {
                let ledger = self.ledger(user, now).await?;
                budget::check(&allowance, &ledger, price, now).map_err(Full::from)?;
            }
            self.hold(&yes.id, user, price, now).await?;
            Ok(())
        }
    }
}
