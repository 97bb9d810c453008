//! What users spend, and how much of it they may: budgets and daily limits, the hold at the yes, and what becomes of it.
//!
//! [`budget`] decides, purely; the store counts, holds and settles in the transactions that say yes and that hear of the
//! end; [`service`] tells a user where they stand.

pub mod budget;
pub mod http;
pub mod service;

use self::budget::{Allowance, Usd};

foundation::settings! {
    /// What each user may spend. The table `allowance` says otherwise for single users.
    pub struct BudgetSettings {
        /// US dollars that a user may spend in a calendar day (UTC); without it, there is no such limit.
        pub per_day: Option<Usd> = optional("BUDGET_PER_DAY"),
        /// US dollars that a user may spend in a calendar month (UTC); without it, there is no such limit.
        pub per_month: Option<Usd> = optional("BUDGET_PER_MONTH"),
        /// Videos that a user may have made in a calendar day (UTC); without it, there is no such limit.
        pub videos_per_day: Option<i64> = optional("VIDEOS_PER_DAY"),
    }
}

impl BudgetSettings {
    /// What a user may whom no row of the table speaks of.
    #[must_use]
    pub fn allowance(&self, queued: i64) -> Allowance {
        Allowance {
            budget_per_day: self.per_day.map(Usd::ten_thousandths),
            budget_per_month: self.per_month.map(Usd::ten_thousandths),
            videos_per_day: self.videos_per_day,
            queued,
        }
    }
}
