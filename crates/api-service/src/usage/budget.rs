//! How much a user may spend, and what becomes of what was held for a video: pure. Amounts are whole ten-thousandths of
//! a US dollar.
//!
//! A video's price is *held* when the user says yes. It is *settled* once the worker says that the provider accepted the
//! submission and did not refuse to charge for it, and *released* otherwise: what is held and what is settled counts
//! against the budgets of the day and the month of the yes.

use contract::{Timestamp, money, worker_api::JobSnapshot};
use foundation::settings::Setting;

/// An amount of US dollars, as it stands in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usd(i64);

impl Usd {
    /// In ten-thousandths of a dollar.
    #[must_use]
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }
}

impl Setting for Usd {
    fn parse(text: &str) -> Result<Self, String> {
        let amount = money::ten_thousandths(text).map(Self);
        amount.ok_or_else(|| "must be an amount of US dollars such as 20 or 12.50".to_owned())
    }
}

/// What a user may. `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Ten-thousandths of a dollar in a calendar day (UTC).
    pub budget_per_day: Option<i64>,
    /// Ten-thousandths of a dollar in a calendar month (UTC).
    pub budget_per_month: Option<i64>,
    /// Videos in a calendar day (UTC).
    pub videos_per_day: Option<i64>,
    /// Videos in the making at a time.
    pub queued: i64,
}

impl Allowance {
    /// Whether what was spent has to be looked at.
    #[must_use]
    pub const fn limits_spending(&self) -> bool {
        self.budget_per_day.is_some() || self.budget_per_month.is_some() || self.videos_per_day.is_some()
    }
}

/// What a user has spent, or what is held for it, in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Ten-thousandths of a dollar that the videos have cost.
    pub settled: i64,
    /// Ten-thousandths of a dollar that the videos in the making will cost.
    pub held: i64,
    /// How many videos that is.
    pub videos: i64,
}

impl Spent {
    /// What counts against a budget.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.settled.saturating_add(self.held)
    }
}

/// What a user has spent today and this month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// In the calendar day (UTC).
    pub day: Spent,
    /// In the calendar month (UTC).
    pub month: Spent,
}

/// A limit stands against one more video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// It costs more than is left of a budget.
    #[error("{price} are asked for and {left} of {budget} are left until {until}")]
    Budget {
        /// What the video costs.
        price: i64,
        /// What is left.
        left: i64,
        /// What there was.
        budget: i64,
        /// Of which span.
        span: Span,
        /// When there is a new one.
        until: Timestamp,
    },
    /// There were as many videos today as there may be.
    #[error("there were {videos} videos until {until}")]
    Videos {
        /// So many.
        videos: i64,
        /// When there may be more.
        until: Timestamp,
    },
}

impl Exceeded {
    /// When it goes again.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        match self {
            Self::Budget { until, .. } | Self::Videos { until, .. } => *until,
        }
    }
}

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A calendar day (UTC).
    Day,
    /// A calendar month (UTC).
    Month,
}

/// Whether a user may have a video of this price made now.
///
/// # Errors
/// The limit that stands against it; of two, the one that lasts longer.
pub fn check(allowance: &Allowance, ledger: &Ledger, price: i64, now: Timestamp) -> Result<(), Exceeded> {
    let budgets = [
        (Span::Month, allowance.budget_per_month, ledger.month, now.month().1),
        (Span::Day, allowance.budget_per_day, ledger.day, now.day().1),
    ];
    for (span, budget, spent, until) in budgets {
        if let Some(budget) = budget
            && spent.total().saturating_add(price) > budget
        {
            let left = budget.saturating_sub(spent.total()).max(0);
            return Err(Exceeded::Budget { price, left, budget, span, until });
        }
    }
    match allowance.videos_per_day {
        Some(most) if ledger.day.videos >= most => {
            Err(Exceeded::Videos { videos: ledger.day.videos, until: now.day().1 })
        }
        _ => Ok(()),
    }
}

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeState {
    /// It may become one.
    Held,
    /// It is one.
    Settled,
    /// It is none.
    Released,
}

impl ChargeState {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Settled => "settled",
            Self::Released => "released",
        }
    }
}

/// What becomes of a job's charge by what the worker tells: nothing before the job's end. The API may have called the
/// generation off long before.
#[must_use]
pub fn outcome(snapshot: &JobSnapshot) -> Option<ChargeState> {
    if !snapshot.status.is_terminal() {
        None
    } else if snapshot.billable {
        Some(ChargeState::Settled)
    } else {
        Some(ChargeState::Released)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-24T23:00:00Z";

    fn allowance(day: Option<i64>, month: Option<i64>, videos: Option<i64>) -> Allowance {
        Allowance { budget_per_day: day, budget_per_month: month, videos_per_day: videos, queued: 1 }
    }

    #[test]
    fn the_limit_that_lasts_longer_is_told() {
        let now: Timestamp = NOW.parse().unwrap();
        let spent = |settled, held, videos| Spent { settled, held, videos };
        let ledger = Ledger { day: spent(1_000, 500, 3), month: spent(9_000, 500, 20) };
        let told = |allowance: &Allowance, price| check(allowance, &ledger, price, now);
        assert_eq!(told(&allowance(None, None, None), i64::MAX), Ok(()));
        assert_eq!(told(&allowance(Some(2_000), Some(10_000), Some(4)), 500), Ok(()), "to the last cent");
        let midnight = "2026-11-25T00:00:00Z".parse().unwrap();
        let over = |span, left, budget, until| Exceeded::Budget { price: 600, left, budget, span, until };
        assert_eq!(
            told(&allowance(Some(2_000), None, None), 600),
            Err(over(Span::Day, 500, 2_000, midnight))
        );
        let next_month = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(
            told(&allowance(Some(2_000), Some(10_000), Some(3)), 600),
            Err(over(Span::Month, 500, 10_000, next_month))
        );
        // A budget that was made smaller leaves nothing, and no debts.
        assert_eq!(told(&allowance(Some(100), None, None), 600), Err(over(Span::Day, 0, 100, midnight)));
        let videos = Exceeded::Videos { videos: 3, until: midnight };
        assert_eq!(told(&allowance(None, None, Some(3)), 0), Err(videos));
    }

    #[test]
    fn a_setting_is_an_amount_of_dollars() {
        assert_eq!(Usd::parse("20").unwrap().ten_thousandths(), 200_000);
        assert_eq!(Usd::parse("0.05").unwrap().ten_thousandths(), 500);
        for text in ["", "-1", "a lot", "20 USD", "1.23456"] {
            assert!(Usd::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// Whatever is asked for one after the other, what is taken never exceeds a budget.
        #[test]
        fn no_sequence_of_videos_exceeds_a_budget(
            prices in prop::collection::vec(0..5_000_i64, 0..50),
            day in prop::option::of(0..50_000_i64),
            month in prop::option::of(0..50_000_i64),
            videos in prop::option::of(0..20_i64),
        ) {
            let now: Timestamp = NOW.parse().unwrap();
            let allowance = allowance(day, month, videos);
            let mut ledger = Ledger::default();
            for price in prices {
                if check(&allowance, &ledger, price, now).is_ok() {
                    for spent in [&mut ledger.day, &mut ledger.month] {
                        spent.held += price;
                        spent.videos += 1;
                    }
                } else {
                    prop_assert!(
                        day.is_some_and(|day| ledger.day.total() + price > day)
                            || month.is_some_and(|month| ledger.month.total() + price > month)
                            || videos.is_some_and(|videos| ledger.day.videos >= videos)
                    );
                }
            }
            prop_assert!(day.is_none_or(|day| ledger.day.total() <= day));
            prop_assert!(month.is_none_or(|month| ledger.month.total() <= month));
            prop_assert!(videos.is_none_or(|videos| ledger.day.videos <= videos));
        }
    }
}
