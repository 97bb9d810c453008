//! Where a user stands, and what a user is told who may not spend more.

use contract::{Money, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::budget::{Allowance, Exceeded, Spent};
use crate::{
    error::{AppError, AppResult},
    generations::Flow,
    intent::{Language, reply},
    store::Standing,
};

/// What a user has spent, and what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// In the calendar day (UTC).
    pub day: Period,
    /// In the calendar month (UTC).
    pub month: Period,
    /// Generations that have not ended.
    pub open: Count,
    /// Of these, those that are being made.
    pub queued: Count,
    /// The month by model, the dearest first.
    pub models: Vec<ModelUsage>,
}

/// A span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// Its beginning.
    pub since: Timestamp,
    /// Its end, when the budget is whole again.
    pub until: Timestamp,
    /// What videos have cost.
    pub spent: Money,
    /// What those in the making will cost if they come to be.
    pub held: Money,
    /// What may be spent; `null` if there is no limit.
    pub budget: Option<Money>,
    /// What is left of it.
    pub left: Option<Money>,
    /// How many videos that is.
    pub videos: i64,
    /// How many there may be; `null` if there is no limit.
    pub videos_allowed: Option<i64>,
}

/// A number with its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// So many there are.
    pub count: i64,
    /// So many there may be.
    pub allowed: i64,
}

/// What was spent with a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelUsage {
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// What it has cost or will cost.
    pub spent: Money,
    /// How many videos that is.
    pub videos: i64,
}

fn period(
    (since, until): (Timestamp, Timestamp),
    spent: Spent,
    budget: Option<i64>,
    videos_allowed: Option<i64>,
) -> Period {
    let money = Money::usd_ten_thousandths;
    Period {
        since,
        until,
        spent: money(spent.settled),
        held: money(spent.held),
        budget: budget.map(money),
        left: budget.map(|budget| money(budget.saturating_sub(spent.total()).max(0))),
        videos: spent.videos,
        videos_allowed,
    }
}

impl Usage {
    fn of(standing: Standing, open_allowed: i64, now: Timestamp) -> Self {
        let Standing { allowance, ledger, models, open, queued } = standing;
        let Allowance { budget_per_day, budget_per_month, videos_per_day, queued: queued_allowed } =
            allowance;
        let models = models.into_iter().map(|spent| ModelUsage {
            provider: spent.provider,
            model: spent.model,
            spent: Money::usd_ten_thousandths(spent.amount),
            videos: spent.videos,
        });
        Self {
            day: period(now.day(), ledger.day, budget_per_day, videos_per_day),
            month: period(now.month(), ledger.month, budget_per_month, None),
            open: Count { count: open, allowed: open_allowed },
            queued: Count { count: queued, allowed: queued_allowed },
            models: models.collect(),
        }
    }
}

impl Flow {
    /// What a user has spent, and what is left.
    pub async fn usage(&self, user: &UserId) -> AppResult<Usage> {
        let (room, now) = (self.room(), Timestamp::now());
        let standing = self.store().standing(user, room.allowance, now).await?;
        Ok(Usage::of(standing, room.open, now))
    }
}

/// 402 `budget_exceeded` or 429 `too_many_today`, with the time from which on it goes again.
pub(crate) fn refused(language: Language, exceeded: &Exceeded, now: Timestamp) -> AppError {
    let words = reply::exceeded(language, exceeded);
    let error = match exceeded {
        Exceeded::Budget { .. } => AppError::payment_required("budget_exceeded", words),
        Exceeded::Videos { .. } => AppError::limit_reached("too_many_today", words),
    };
    error.until(exceeded.until(), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::budget::Span;

    #[test]
    fn a_refusal_says_what_and_when() {
        let until: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let now = until - std::time::Duration::from_secs(90);
        let budget =
            Exceeded::Budget { price: 32_000, left: 12_000, budget: 200_000, span: Span::Day, until };
        let error = refused(Language::English, &budget, now);
        assert_eq!((error.status(), error.code()), (402, "budget_exceeded"));
        assert_eq!(
            error.problem("").detail,
            "This video costs $3.20, and $1.20 is left of your budget of $20.00 a day. \
             There is more from 2026-11-25 00:00 UTC on."
        );
        assert_eq!(error.problem("").resets_at, Some(until));
        for language in Language::ALL {
            let told = reply::exceeded(language, &budget);
            for part in ["$3.20", "$1.20", "$20.00", "2026-11-25 00:00 UTC"] {
                assert!(told.contains(part), "{told}");
            }
            assert_eq!(told.contains("There is more"), language == Language::English, "{told}");
        }
        let videos = refused(Language::German, &Exceeded::Videos { videos: 3, until }, now);
        assert_eq!((videos.status(), videos.code()), (429, "too_many_today"));
        assert!(videos.problem("").detail.starts_with("Du hast heute schon 3 Videos"));
    }
}
