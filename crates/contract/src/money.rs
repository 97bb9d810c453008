//! Amounts of money.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An exact amount: a decimal number as text, so that no reader rounds it, and an ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// A decimal number with at least two places.
    #[schema(example = "3.20")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
}

impl Money {
    /// US dollars from ten-thousandths of a dollar; whole cents are written with two places, the rest
    /// with four.
    #[must_use]
    pub fn usd_ten_thousandths(units: i64) -> Self {
        let (whole, part) = (units.div_euclid(10_000), units.rem_euclid(10_000));
        let amount =
            if part % 100 == 0 { format!("{whole}.{:02}", part / 100) } else { format!("{whole}.{part:04}") };
        Self { amount, currency: "USD".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_cents() {
        for (units, text) in
            [(32_000, "3.20"), (0, "0.00"), (500, "0.05"), (1_234, "0.1234"), (100_000, "10.00")]
        {
            assert_eq!(Money::usd_ten_thousandths(units).amount, text);
        }
    }
}
