//! How far a job is and how long it will take, guessed from how long others took. Pure, but for what was seen.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Progress while the provider works, from and to.
const GENERATING: (f64, f64) = (5.0, 85.0);
/// Progress of what follows.
pub(super) const DOWNLOADING: i32 = 87;
pub(super) const PROCESSING: i32 = 92;
pub(super) const UPLOADING: i32 = 95;
/// What follows takes about so long, in seconds.
pub(super) const AFTERWARDS: i64 = 3;
/// How much a new observation counts.
const WEIGHT: f64 = 0.3;
/// Models that are remembered at most; their names come from outside.
const MOST_MODELS: usize = 100;

/// Progress and seconds to go after `elapsed` of what usually takes `usual`. Progress only rises with time and
/// never reaches the end, however long it takes.
pub(super) fn generating(elapsed: Duration, usual: Duration) -> (i32, i64) {
    let (elapsed, usual) = (elapsed.as_secs_f64(), usual.as_secs_f64().max(0.1));
    let done = 1.0 - (-1.6 * elapsed / usual).exp();
    let (from, to) = GENERATING;
    let progress = (from + (to - from) * done) as i32;
    let rest = (usual - elapsed).max(usual / 10.0);
    (progress, rest.ceil() as i64 + AFTERWARDS)
}

/// The provider's own per cent as progress of the whole job.
pub(super) fn reported(per_cent: i32) -> i32 {
    let (from, to) = GENERATING;
    (from + (to - from) * f64::from(per_cent.clamp(0, 100)) / 100.0) as i32
}

/// How long the videos of each model took lately.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<HashMap<String, f64>>);

impl Latencies {
    /// How long one usually takes; `before` until any were seen.
    pub(super) fn of(&self, model: &str, before: Duration) -> Duration {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied();
        seen.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(before)
    }

    /// One took so long.
    pub(super) fn learn(&self, model: &str, took: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let took = took.as_secs_f64();
        if let Some(usual) = seen.get_mut(model) {
            *usual += WEIGHT * (took - *usual);
        } else if seen.len() < MOST_MODELS {
            seen.insert(model.to_owned(), took);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_seen_counts_more_than_what_was_said() {
        let (latencies, said) = (Latencies::default(), Duration::from_secs(60));
        assert_eq!(latencies.of("m", said), said);
        latencies.learn("m", Duration::from_secs(10));
        assert_eq!(latencies.of("m", said), Duration::from_secs(10));
        latencies.learn("m", Duration::from_secs(20));
        assert_eq!(latencies.of("m", said), Duration::from_secs(13));
        assert_eq!(latencies.of("other", said), said);
    }

    #[test]
    fn half_of_the_providers_way_is_half_of_ours() {
        assert_eq!((reported(0), reported(50), reported(200)), (5, 45, 85));
    }

    proptest! {
        #[test]
        fn progress_rises_and_the_end_comes_nearer(a in 0_u64..7200, b in 0_u64..7200, usual in 0_u64..600) {
            let at = |seconds: u64| generating(Duration::from_secs(seconds), Duration::from_secs(usual));
            let ((early, long), (late, short)) = (at(a.min(b)), at(a.max(b)));
            prop_assert!((5..=85).contains(&early) && early <= late && late <= 85);
            prop_assert!(long >= short && short > 0);
        }
    }
}
