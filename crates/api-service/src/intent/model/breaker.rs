//! Whether a remote that keeps failing is asked at all. Pure: it is told the time.

use std::time::{Duration, Instant};

/// How many failures in a row are enough.
const ENOUGH: u32 = 3;
/// How long the remote is left alone then. Afterwards one request tries it, and the others still wait.
const PAUSE: Duration = Duration::from_secs(30);

/// What is known of the remote.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    paused_until: Option<Instant>,
}

impl Breaker {
    /// Whether to ask now. After a pause, the first that asks is the one that tries; should nobody hear of what
    /// became of it, the next may try a pause later.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        match self.paused_until {
            Some(until) if now < until => false,
            Some(_) => {
                self.paused_until = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    /// The remote answered.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The remote did not answer. If that was one too many, how long it is left alone.
    pub(super) fn failed(&mut self, now: Instant) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        (self.failures >= ENOUGH).then(|| {
            self.paused_until = Some(now + PAUSE);
            PAUSE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_failing_is_left_alone_and_tried_by_one_at_a_time() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 1..ENOUGH {
            assert!(breaker.allows(start));
            assert_eq!(breaker.failed(start), None);
        }
        assert!(breaker.allows(start));
        assert_eq!(breaker.failed(start), Some(PAUSE));
        assert!(!breaker.allows(start + PAUSE / 2));
        assert!(breaker.allows(start + PAUSE), "one tries");
        assert!(!breaker.allows(start + PAUSE), "and the others wait for it");
        assert_eq!(breaker.failed(start + PAUSE), Some(PAUSE), "one failure more is enough");
        assert!(!breaker.allows(start + PAUSE + PAUSE / 2));
        assert!(breaker.allows(start + PAUSE * 2), "even if nobody told how the last try went");
        breaker.succeeded();
        assert!(breaker.allows(start + PAUSE * 2) && breaker.allows(start + PAUSE * 2));
    }

    #[test]
    fn an_answer_makes_good_for_the_failures_before_it() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            assert_eq!(breaker.failed(now), None);
            assert_eq!(breaker.failed(now), None);
            breaker.succeeded();
        }
        assert!(breaker.allows(now));
    }
}
