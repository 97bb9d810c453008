//! Points in time as both services exchange and store them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A point in time in UTC, in whole microseconds since the Unix epoch (what both databases keep exactly).
/// Its text form is RFC 3339 with milliseconds: `2026-11-23T09:30:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "sql", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "sql", diesel(sql_type = crate::sql::UtcTimestamp))]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = DateTime, example = "2026-11-23T09:30:00.000Z")]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time that a [`Timestamp`] can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct MalformedTimestamp;

/// The beginning of the year 0000: RFC 3339 has none before, and not all databases keep what ISO 8601 has.
const EARLIEST: Timestamp = Timestamp(-62_167_219_200_000_000);
/// 9999-12-30T22:00:00Z: what is later has no text form in every time zone, and jiff writes none.
const LATEST: Timestamp = Timestamp(253_402_207_200_000_000);

impl Timestamp {
    /// This machine's clock. Lease times come from the database's clock instead.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar day in UTC that this lies in: its beginning, and that of the next one.
    #[must_use]
    pub fn day(self) -> (Self, Self) {
        self.span(|date| (date, date.tomorrow().unwrap_or(date)))
    }

    /// The calendar month in UTC that this lies in: its beginning, and that of the next one.
    #[must_use]
    pub fn month(self) -> (Self, Self) {
        self.span(|date| (date.first_of_month(), date.last_of_month().tomorrow().unwrap_or(date)))
    }

    fn span(
        self,
        around: impl Fn(jiff::civil::Date) -> (jiff::civil::Date, jiff::civil::Date),
    ) -> (Self, Self) {
        let micros = self.0.clamp(EARLIEST.0, LATEST.0);
        let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let (from, to) = around(jiff::tz::Offset::UTC.to_datetime(time).date());
        let midnight = |date: jiff::civil::Date| {
            let time = jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
            time.map_or(self, |time| Self(time.as_microsecond()))
        };
        (midnight(from), midnight(to))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A sum may lie beyond all that can be written, and writing must not fail.
        let micros = self.0.clamp(EARLIEST.0, LATEST.0);
        let time = jiff::Timestamp::from_microsecond(micros).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = MalformedTimestamp;
    fn from_str(text: &str) -> Result<Self, MalformedTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| MalformedTimestamp)?;
        let time = Self(time.as_microsecond());
        if (EARLIEST..=LATEST).contains(&time) { Ok(time) } else { Err(MalformedTimestamp) }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = MalformedTimestamp;
    fn try_from(text: String) -> Result<Self, MalformedTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_rfc_3339_with_milliseconds() {
        let time = Timestamp::from_micros(1_795_426_200_123_456);
        assert_eq!(time.to_string(), "2026-11-23T09:30:00.123Z");
        assert_eq!("2026-11-23T09:30:00.123456Z".parse(), Ok(time));
        assert_eq!("2026-11-23T10:30:00.123456+01:00".parse(), Ok(time));
        assert_eq!(Timestamp::from_micros(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert!("0000-01-01T00:00:00Z".parse::<Timestamp>().is_ok());
        for text in [
            "yesterday",
            "-000001-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-30T22:00:00.999999999Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_and_months_begin_at_midnight_in_utc() {
        for (time, day, next_day, month, next_month) in [
            ("2026-11-23T09:30:00Z", "2026-11-23", "2026-11-24", "2026-11-01", "2026-12-01"),
            ("2026-12-31T23:59:59.999Z", "2026-12-31", "2027-01-01", "2026-12-01", "2027-01-01"),
            ("2028-02-29T00:00:00Z", "2028-02-29", "2028-03-01", "2028-02-01", "2028-03-01"),
        ] {
            let time: Timestamp = time.parse().unwrap();
            let midnight = |date: &str| format!("{date}T00:00:00Z").parse::<Timestamp>().unwrap();
            assert_eq!(time.day(), (midnight(day), midnight(next_day)));
            assert_eq!(time.month(), (midnight(month), midnight(next_month)));
        }
        // Beyond all calendars, it still is a span.
        for end in [EARLIEST, LATEST] {
            assert!(end.day().0 <= end && end.month().0 <= end.day().0);
        }
    }

    #[test]
    fn every_time_has_a_text_form_that_is_read_again() {
        let now = Timestamp::from_micros(1_795_426_200_123_456);
        assert_eq!((now + Duration::MAX).to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!((now - Duration::MAX).to_string(), "0000-01-01T00:00:00.000Z");
        for end in [EARLIEST, LATEST] {
            assert_eq!(end.to_string().parse(), Ok(end));
        }
    }
}
