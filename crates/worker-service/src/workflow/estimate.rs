//! How far a job is, how long it will take, and when it is worth asking, guessed from how long others took. Pure.

use std::time::Duration;

/// Progress while the provider works, from and to.
const GENERATING: (f64, f64) = (5.0, 85.0);
/// Progress of what follows.
pub(super) const DOWNLOADING: i32 = 87;
pub(super) const PROCESSING: i32 = 92;
pub(super) const UPLOADING: i32 = 95;
/// What follows takes about so long, in seconds.
pub(super) const AFTERWARDS: i64 = 3;

/// Progress and seconds to go after `elapsed` of what usually takes `usual`. Progress only rises with time and
/// never reaches the end, however long it takes; the seconds only fall. Of a video that is late nobody knows how
/// long it will take, and nothing else is said.
pub(super) fn generating(elapsed: Duration, usual: Duration) -> (i32, Option<i64>) {
    let (elapsed, usual) = (elapsed.as_secs_f64(), usual.as_secs_f64().max(0.1));
    let done = 1.0 - (-1.6 * elapsed / usual).exp();
    let (from, to) = GENERATING;
    let progress = (from + (to - from) * done) as i32;
    let rest = usual - elapsed;
    (progress, (rest > 0.0).then(|| rest.ceil() as i64 + AFTERWARDS))
}

/// The provider's own per cent as progress of the whole job.
pub(super) fn reported(per_cent: i32) -> i32 {
    let (from, to) = GENERATING;
    (from + (to - from) * f64::from(per_cent.clamp(0, 100)) / 100.0) as i32
}

/// How many of the longest waits one who tells by itself is left alone at the most: so much later is a video whose hint
/// was lost.
const TRUSTED: u32 = 4;

/// How soon a provider may be asked again, and how long it may be left alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
}

impl Pace {
    /// How long to wait before asking, after `elapsed` of what usually takes `usual`: not before half of it is over,
    /// often around the time when most are done, and ever less often when it is late.
    pub(super) fn until_asked(self, elapsed: Duration, usual: Duration) -> Duration {
        let half = usual / 2;
        let wait = if elapsed < half {
            half.saturating_sub(elapsed)
        } else if elapsed < usual.mul_f64(1.5) {
            usual / 12
        } else {
            elapsed / 8
        };
        wait.max(self.shortest).min(self.longest.max(self.shortest))
    }

    /// How long to wait before asking a provider that tells by itself when it is done: until the usual time is over by
    /// half, though by no more than the longest wait, and then ever less often. Where the usual time is long it is asked
    /// now and then before, since a hint may be lost of a video that took less.
    pub(super) fn safety_net(self, elapsed: Duration, usual: Duration) -> Duration {
        let longest = self.longest.max(self.shortest);
        let well_over = usual.saturating_add((usual / 2).min(longest));
        let wait = if elapsed < well_over {
            well_over.saturating_sub(elapsed).min(longest.saturating_mul(TRUSTED))
        } else {
            (elapsed / 4).min(longest)
        };
        wait.max(self.shortest)
    }

    /// As much of a wait as leaves time for another question, and for the video, before the job's own time, of which
    /// this is `left`, is over: a video that is never asked after is paid for nothing.
    pub(super) fn within(self, wait: Duration, left: Duration) -> Duration {
        wait.min((left / 2).max(self.shortest))
    }

    /// How long to wait before asking again, so long after a hint: a provider that told too early, of a file that is
    /// still being written for example, will not tell again. Soon, and ever less often.
    pub(super) fn after_hint(self, since: Duration) -> Duration {
        (since / 2).max(self.shortest).min(self.longest.max(self.shortest))
    }
}

/// Whether an operation that is found finished after `elapsed` says how long its kind takes. The questions of a safety
/// net come late by intent: what one finds may have been there for long, and to learn from it would put the next one off
/// even more. It is worth learning from if it was `pending` even after the `usual` time, or was done sooner than that.
pub(super) fn tells_latency(
    safety_net: bool,
    elapsed: Duration,
    pending: Option<Duration>,
    usual: Duration,
) -> bool {
    !safety_net || elapsed < usual || pending.is_some_and(|pending| pending >= usual)
}

/// How often the progress goes on between two questions, so that nobody takes the job for dead.
pub(super) fn tick(usual: Duration) -> Duration {
    (usual / 20).clamp(Duration::from_secs(1), Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Pace = Pace { shortest: Duration::from_secs(1), longest: Duration::from_secs(30) };

    #[test]
    fn half_of_the_providers_way_is_half_of_ours() {
        assert_eq!((reported(0), reported(50), reported(200)), (5, 45, 85));
    }

    #[test]
    fn who_is_late_says_no_time() {
        let eta = |elapsed: u64| generating(Duration::from_secs(elapsed), Duration::from_secs(60)).1;
        assert_eq!([eta(0), eta(59), eta(60), eta(600)], [Some(63), Some(4), None, None]);
    }

    #[test]
    fn a_provider_is_asked_when_it_may_be_done() {
        let seconds = Duration::from_secs;
        let asked = |elapsed, usual| PACE.until_asked(seconds(elapsed), seconds(usual)).as_secs();
        // The first question, those around the usual time, and those after it.
        assert_eq!([asked(0, 40), asked(15, 40), asked(30, 60), asked(60, 60)], [20, 5, 5, 5]);
        assert_eq!([asked(100, 60), asked(200, 60), asked(1_000, 60)], [12, 25, 30]);
        assert_eq!([asked(0, 1), asked(0, 600)], [1, 30], "within the settings");
        let hasty = Pace { shortest: seconds(9), longest: seconds(3) };
        assert_eq!(hasty.until_asked(seconds(0), seconds(60)), seconds(9), "the shortest holds");
    }

    #[test]
    fn who_tells_by_itself_is_asked_when_it_is_late() {
        let seconds = Duration::from_secs;
        let asked = |elapsed, usual| PACE.safety_net(seconds(elapsed), seconds(usual)).as_millis();
        // The first question, and those of who is late.
        assert_eq!(
            [asked(0, 40), asked(20, 40), asked(60, 40), asked(100, 40)],
            [60_000, 40_000, 15_000, 25_000]
        );
        assert_eq!([asked(0, 0), asked(1_000, 40)], [1_000, 30_000], "within the settings");
        // A long usual time is over by no more than the longest wait, and is not waited for in one.
        assert_eq!([asked(0, 80), asked(80, 80), asked(110, 80)], [110_000, 30_000, 27_500]);
        assert_eq!(
            [asked(0, 600), asked(480, 600), asked(600, 600), asked(629, 600), asked(630, 600)],
            [120_000, 120_000, 30_000, 1_000, 30_000]
        );
        let hasty = Pace { shortest: seconds(9), longest: seconds(3) };
        assert_eq!(
            [hasty.safety_net(seconds(0), seconds(600)), hasty.safety_net(seconds(99), seconds(1))],
            [seconds(36), seconds(9)]
        );
        let again = |since| PACE.after_hint(Duration::from_millis(since)).as_millis();
        assert_eq!([again(0), again(1_000), again(6_000), again(600_000)], [1_000, 1_000, 3_000, 30_000]);
    }

    #[test]
    fn no_wait_is_longer_than_half_of_what_is_left() {
        let seconds = Duration::from_secs;
        for (wait, left, expected) in [
            (120, 1_800, 120),
            (120, 240, 120),
            (120, 100, 50),
            (30, 61, 30),
            (30, 20, 10),
            (5, 2, 1),
            (5, 1, 1),
            (5, 0, 1),
            (1, 1_800, 1),
        ] {
            assert_eq!(PACE.within(seconds(wait), seconds(left)), seconds(expected), "{wait} of {left}");
        }
        let slow = Pace { shortest: seconds(30), longest: seconds(30) };
        assert_eq!(slow.within(seconds(30), seconds(20)), seconds(30), "the shortest holds");
    }

    #[test]
    fn what_was_found_late_by_intent_teaches_nothing() {
        let seconds = Duration::from_secs;
        for (safety_net, elapsed, pending, tells) in [
            (false, 90, None, true),
            (true, 90, None, false),
            // It may have been done a moment after that question.
            (true, 90, Some(30), false),
            (true, 90, Some(60), true),
            (true, 90, Some(80), true),
            (true, 59, None, true),
            (true, 59, Some(30), true),
        ] {
            let told = tells_latency(safety_net, seconds(elapsed), pending.map(seconds), seconds(60));
            assert_eq!(told, tells, "{safety_net} {elapsed} {pending:?}");
        }
    }

    proptest! {
        /// Of a video that nobody was told of: it is noticed, two minutes later at the most, and sooner if it took as
        /// long as usual.
        #[test]
        fn a_lost_hint_costs_little(took in 1_000_u64..1_200_000, usual in 1_000_u64..1_200_000) {
            let (took, usual) = (Duration::from_millis(took), Duration::from_millis(usual));
            let (mut now, mut asked) = (Duration::ZERO, 0);
            while now < took {
                now += PACE.safety_net(now, usual);
                asked += 1;
            }
            prop_assert!(asked <= 70, "{asked} questions");
            let most = if took < usual { PACE.longest * TRUSTED } else { PACE.longest };
            let late = now.saturating_sub(took);
            prop_assert!(late <= most + PACE.shortest, "noticed {late:?} later");
        }

        /// However late the job was begun, and whether the provider tells or not.
        #[test]
        fn every_video_is_asked_after_in_time(
            took in 1_000_u64..1_800_000,
            usual in 1_000_u64..7_200_000,
            left in 2_001_u64..1_800_000,
            is_told in any::<bool>(),
        ) {
            let left = Duration::from_millis(left);
            // Done a moment before the job's time is over.
            let took = Duration::from_millis(took).min(left.saturating_sub(Duration::from_millis(1_001)));
            let usual = Duration::from_millis(usual);
            let mut now = Duration::ZERO;
            while now < took {
                let wait = if is_told { PACE.safety_net(now, usual) } else { PACE.until_asked(now, usual) };
                now += PACE.within(wait, left.saturating_sub(now));
            }
            prop_assert!(now < left, "asked after {now:?}, with {left:?} in all");
        }

        /// Where hints never come, what is learnt is no later than the questions are, and does not put them off more
        /// and more.
        #[test]
        fn what_is_learnt_without_hints_stays_true(took in 1_000_u64..600_000, usual in 1_000_u64..600_000) {
            let (took, mut usual) = (Duration::from_millis(took), Duration::from_millis(usual));
            for _ in 0..50 {
                let (mut now, mut pending) = (Duration::ZERO, None);
                while now < took {
                    pending = Some(now).filter(|now| !now.is_zero());
                    now += PACE.safety_net(now, usual);
                }
                if tells_latency(true, now, pending, usual) {
                    usual = usual.mul_f64(0.7) + now.mul_f64(0.3);
                }
            }
            let most = took + PACE.longest * TRUSTED;
            prop_assert!(usual <= most + PACE.shortest, "{usual:?} where videos take {took:?}");
        }

        #[test]
        fn progress_rises_and_the_end_comes_nearer(a in 0_u64..7200, b in 0_u64..7200, usual in 0_u64..600) {
            let at = |seconds: u64| generating(Duration::from_secs(seconds), Duration::from_secs(usual));
            let ((early, long), (late, short)) = (at(a.min(b)), at(a.max(b)));
            prop_assert!((5..=85).contains(&early) && early <= late && late <= 85);
            prop_assert!(short.is_none_or(|short| short > 0 && long.is_some_and(|long| long >= short)));
        }

        #[test]
        fn nobody_is_asked_too_often_or_forgotten(elapsed in 0_u64..100_000, usual in 0_u64..100_000) {
            let wait = PACE.until_asked(Duration::from_millis(elapsed), Duration::from_millis(usual));
            prop_assert!((PACE.shortest..=PACE.longest).contains(&wait));
        }

        /// What a rule of waiting costs: few questions, and a video that is not kept waiting for long.
        #[test]
        fn a_video_is_noticed_soon_by_few_questions(took in 5_000_u64..360_000, usual in 5_000_u64..360_000) {
            let (took, usual) = (Duration::from_millis(took), Duration::from_millis(usual));
            let (mut now, mut asked) = (Duration::ZERO, 0);
            while now < took {
                now += PACE.until_asked(now, usual);
                asked += 1;
            }
            prop_assert!(asked <= 60, "{asked} questions");
            let late = now.saturating_sub(took);
            prop_assert!(late <= Duration::from_secs(30), "noticed after {late:?}");
        }
    }
}
