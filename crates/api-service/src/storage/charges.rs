//! What videos cost their users: held with the yes, settled or released with the end, each in its transaction.

use contract::{GenerationId, GenerationStatus, Timestamp, UserId};
use diesel::{
    dsl::{count_star, sql},
    prelude::*,
    sql_types::BigInt,
};
use diesel_async::RunQueryDsl;
use foundation::{on_both, reading, writing};

use super::{
    Error, Store,
    room::{IN_THE_MAKING, RoomSteps, WAITING},
    schema::{allowance, charge, generation},
};
use crate::usage::budget::{Allowance, ChargeState, Ledger, Spent};

const HELD: &str = ChargeState::Held.as_str();
const SETTLED: &str = ChargeState::Settled.as_str();
const RELEASED: &str = ChargeState::Released.as_str();

/// PostgreSQL sums whole numbers to a numeric.
const SUM: &str = "CAST(COALESCE(SUM(charge.amount), 0) AS BIGINT)";

/// What a user has spent with a model.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct SpentOnModel {
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// Ten-thousandths of a dollar, what is held included.
    pub amount: i64,
    /// How many videos that is.
    pub videos: i64,
}

/// Where a user stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the user may.
    pub allowance: Allowance,
    /// What the user has spent.
    pub ledger: Ledger,
    /// The same for the month by model, the dearest first.
    pub models: Vec<SpentOnModel>,
    /// Generations that have not ended.
    pub open: i64,
    /// Of these, those that are being made.
    pub queued: i64,
}

/// A row of `allowance` without its key.
type Exceptions = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);

on_both! {
    pub(super) trait ChargeSteps {
        /// What a user may: what the operator allows this one, or else what everybody may.
        async fn allowance_of(&mut self, user: &UserId, everybody: Allowance) -> QueryResult<Allowance> {
            let own: Option<Exceptions> = allowance::table
                .find(user)
                .select((
                    allowance::budget_per_day,
                    allowance::budget_per_month,
                    allowance::videos_per_day,
                    allowance::queued,
                ))
                .first(self)
                .await
                .optional()?;
            let (day, month, videos, queued) = own.unwrap_or_default();
            Ok(Allowance {
                budget_per_day: day.or(everybody.budget_per_day),
                budget_per_month: month.or(everybody.budget_per_month),
                videos_per_day: videos.or(everybody.videos_per_day),
                queued: queued.unwrap_or(everybody.queued),
            })
        }

        /// What a user has spent, and what is held, since then.
        async fn spent_since(&mut self, user: &UserId, since: Timestamp) -> QueryResult<Spent> {
            let sums: Vec<(String, i64, i64)> = charge::table
                .filter(charge::user_id.eq(user))
                .filter(charge::created_at.ge(since))
                .filter(charge::state.ne(RELEASED))
                .group_by(charge::state)
                .select((charge::state, sql::<BigInt>(SUM), count_star()))
                .load(self)
                .await?;
            let mut spent = Spent::default();
            for (state, amount, videos) in sums {
                if state == SETTLED { spent.settled = amount } else { spent.held = amount }
                spent.videos += videos;
            }
            Ok(spent)
        }

        /// What a user has spent today and this month.
        async fn ledger(&mut self, user: &UserId, now: Timestamp) -> QueryResult<Ledger> {
            let day = self.spent_since(user, now.day().0).await?;
            let month = self.spent_since(user, now.month().0).await?;
            Ok(Ledger { day, month })
        }

        /// Holds what a generation costs.
        async fn hold(&mut self, id: &GenerationId, user: &UserId, amount: i64, now: Timestamp) -> QueryResult<()> {
            let row = (
                charge::generation_id.eq(id),
                charge::user_id.eq(user),
                charge::amount.eq(amount),
                charge::state.eq(HELD),
                charge::created_at.eq(now),
                charge::updated_at.eq(now),
            );
            diesel::insert_into(charge::table).values(row).execute(self).await.map(drop)
        }

        /// Writes down what became of a charge. The first word of the end holds.
        async fn settle(&mut self, id: &GenerationId, state: ChargeState, now: Timestamp) -> QueryResult<()> {
            let held = charge::table.find(id).filter(charge::state.eq(HELD));
            let changes = (charge::state.eq(state.as_str()), charge::updated_at.eq(now));
            diesel::update(held).set(changes).execute(self).await.map(drop)
        }
    }
}

impl Store {
    /// Where a user stands now. `everybody` is what a user may whom the operator has said nothing of.
    pub async fn standing(
        &self,
        user: &UserId,
        everybody: Allowance,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        Ok(reading!(&self.database, |c| {
            let models = charge::table
                .inner_join(generation::table.on(generation::id.eq(charge::generation_id)))
                .filter(charge::user_id.eq(user))
                .filter(charge::created_at.ge(now.month().0))
                .filter(charge::state.ne(RELEASED))
                .group_by((generation::provider, generation::model))
                .select((generation::provider, generation::model, sql::<BigInt>(SUM), count_star()));
            let mut models: Vec<SpentOnModel> = models.load(c).await?;
            models.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.model.cmp(&b.model)));
            let queued = c.count_in(user, &IN_THE_MAKING).await?;
            Ok(Standing {
                allowance: c.allowance_of(user, everybody).await?,
                ledger: c.ledger(user, now).await?,
                models,
                open: queued + c.count_in(user, &WAITING).await?,
                queued,
            })
        })?)
    }

    /// Settles what has been held since before `since` for generations that ended without the worker's word on it: as
    /// spent if they had begun, because nobody can say that it was not. Says how many there were.
    pub async fn settle_forgotten(&self, since: Timestamp, now: Timestamp) -> Result<usize, Error> {
        let ended = [GenerationStatus::Completed, GenerationStatus::Failed, GenerationStatus::Cancelled];
        let forgotten = |begun: bool| {
            let ids = generation::table
                .filter(generation::status.eq_any(ended))
                .filter(generation::started_at.is_not_null().eq(begun))
                .select(generation::id);
            charge::table
                .filter(charge::state.eq(HELD))
                .filter(charge::created_at.lt(since))
                .filter(charge::generation_id.eq_any(ids))
        };
        let to = |state: ChargeState| (charge::state.eq(state.as_str()), charge::updated_at.eq(now));
        let spent = diesel::update(forgotten(true)).set(to(ChargeState::Settled));
        let free = diesel::update(forgotten(false)).set(to(ChargeState::Released));
        let settled: usize = writing!(&self.database, |c| spent.execute(c).await)?;
        let released: usize = writing!(&self.database, |c| free.execute(c).await)?;
        Ok(settled + released)
    }
}
