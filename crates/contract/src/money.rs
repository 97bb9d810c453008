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

    /// The amount in ten-thousandths of a dollar: what can be added and compared. `None` if it is no amount of US
    /// dollars that [`Money::usd_ten_thousandths`] writes.
    #[must_use]
    pub fn ten_thousandths(&self) -> Option<i64> {
        if self.currency == "USD" { ten_thousandths(&self.amount) } else { None }
    }
}

/// Reads a decimal number of dollars with at most four places, such as `20` or `0.0125`, in ten-thousandths. It has no
/// sign.
#[must_use]
pub fn ten_thousandths(amount: &str) -> Option<i64> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 4 || !is_number(whole) || !is_number(part) {
        return None;
    }
    format!("{whole}{part:0<4}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_cents() {
        for (units, text) in
            [(32_000, "3.20"), (0, "0.00"), (500, "0.05"), (1_234, "0.1234"), (100_000, "10.00")]
        {
            let money = Money::usd_ten_thousandths(units);
            assert_eq!((money.amount.as_str(), money.ten_thousandths()), (text, Some(units)));
        }
        for (amount, currency) in [
            ("3.20", "EUR"),
            ("", "USD"),
            (".5", "USD"),
            ("-1", "USD"),
            ("1.23456", "USD"),
            ("99999999999999999", "USD"),
        ] {
            let money = Money { amount: amount.to_owned(), currency: currency.to_owned() };
            assert_eq!(money.ten_thousandths(), None, "{amount} {currency}");
        }
        let plain = Money { amount: "20".to_owned(), currency: "USD".to_owned() };
        assert_eq!(plain.ten_thousandths(), Some(200_000));
    }
}
