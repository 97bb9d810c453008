//! When a webhook that was not taken is tried again. Pure but for the jitter.

use std::time::{Duration, SystemTime};

use backoff::{ExponentialBackoffBuilder, backoff::Backoff};

/// How much longer or shorter than planned a retry may wait.
const JITTER: f64 = 0.5;
/// Nobody may ask for more patience than this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The spans of the schedule.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How long the first retry waits.
    pub first: Duration,
    /// How long any retry waits at most.
    pub longest: Duration,
}

impl Schedule {
    /// How long to wait after this many failed tries, and no less than the receiver asked for. The exponential
    /// interval of the `backoff` crate, begun where the tries before have left it, because they are rows and
    /// not a loop.
    #[must_use]
    pub fn delay(&self, tries: i32, retry_after: Option<Duration>) -> Duration {
        let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(30);
        let interval = self.first.saturating_mul(1 << doublings).min(self.longest);
        let mut backoff = ExponentialBackoffBuilder::new()
            .with_initial_interval(interval)
            .with_randomization_factor(JITTER)
            .with_max_interval(self.longest)
            .with_max_elapsed_time(None)
            .build();
        let delay = backoff.next_backoff().unwrap_or(interval).min(self.longest);
        delay.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

/// What `Retry-After` asks for: seconds, or a date of HTTP's form.
#[must_use]
pub fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule =
        Schedule { first: Duration::from_secs(1), longest: Duration::from_secs(3_600) };

    #[test]
    fn the_interval_doubles_up_to_an_hour() {
        for (tries, seconds) in
            [(0, 1.0), (1, 1.0), (2, 2.0), (3, 4.0), (8, 128.0), (12, 2_048.0), (90, 3_600.0)]
        {
            for _ in 0..50 {
                let delay = SCHEDULE.delay(tries, None).as_secs_f64();
                assert!(
                    (seconds * 0.5..=(seconds * 1.5_f64).min(3_600.0)).contains(&delay),
                    "{tries}: {delay}"
                );
            }
        }
    }

    #[test]
    fn it_takes_longer_than_the_lifetime_to_make_a_hundred_tries() {
        let total: Duration = (1..=100).map(|tries| SCHEDULE.delay(tries, None)).sum();
        assert!(total > Duration::from_hours(60), "{total:?}");
    }

    #[test]
    fn the_receivers_wish_is_honoured_within_reason() {
        assert_eq!(SCHEDULE.delay(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert!(SCHEDULE.delay(12, Some(Duration::from_secs(1))) >= Duration::from_secs(1_024));
        assert_eq!(SCHEDULE.delay(1, Some(Duration::MAX)), LONGEST_RETRY_AFTER);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 09:30:00 GMT").unwrap();
        let read = |text| retry_after(text, now);
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("Mon, 23 Nov 2026 09:31:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read("Mon, 23 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
    }
}
