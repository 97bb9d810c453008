//! Takes providers' webhooks: sees that they are the providers' own and come no faster than they may, and has the job
//! that one is about asked after, here or by the replica that runs it. What strangers send counts for nothing: it takes
//! neither the providers' rate nor, for longer than a moment, the room for their bodies.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use contract::JobId;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use telemetry::{event, metric};

use super::{
    hint::Hint,
    room::{PLACES, Place, Room},
};
use crate::{
    providers::{
        Providers,
        hook::{Claim, Hook, Presented, Sender, Untrusted},
    },
    queue::Running,
    store::{Error, Store},
};

/// How many webhooks of one provider are taken in a second: more than a worker's jobs give reason for.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
/// How many lines a second say that one was not the provider's: whoever knocks on and on shall not fill the log.
const TOLD_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// When to come again if the place for a body was lost.
const CROWDED: Duration = Duration::from_secs(1);

/// The providers' webhooks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hints {
    store: Store,
    running: Running,
    providers: Providers,
    limits: Arc<BTreeMap<&'static str, Limits>>,
}

/// What bounds the webhooks of one provider.
#[derive(Debug)]
struct Limits {
    /// Of those that are the provider's.
    taken: DefaultDirectRateLimiter,
    /// Of the lines about those that are not.
    told: DefaultDirectRateLimiter,
    /// For bodies whose senders are known.
    known: Room,
    /// For bodies whose senders could be anybody.
    claimed: Room,
}

impl Limits {
    fn new() -> Self {
        let [taken, told] = [PER_SECOND, TOLD_PER_SECOND].map(|n| RateLimiter::direct(Quota::per_second(n)));
        Self { taken, told, known: Room::new(PLACES), claimed: Room::new(PLACES) }
    }
}

/// Why a webhook is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No provider of this name is asked to send any.
    Unknown,
    /// It is not the provider's.
    Untrusted(Untrusted),
    /// More came than are taken.
    TooMany(Duration),
}

/// What became of a hint, also for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its job runs here, as far as is known, and was woken.
    Woken,
    /// Another replica may run it and will see it.
    Noticed,
    /// It is about nothing that runs.
    Unknown,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Woken => "woken",
            Self::Noticed => "noticed",
            Self::Unknown => "unknown",
        }
    }
}

impl Hints {
    /// `running` are the jobs of this process.
    #[must_use]
    pub fn new(store: Store, running: Running, providers: Providers) -> Self {
        let limits = Arc::new(providers.names().map(|name| (name, Limits::new())).collect());
        Self { store, running, providers, limits }
    }

    /// The provider of this name, if it is asked to send any.
    pub fn admit(&self, provider: &str) -> Result<&'static str, Refused> {
        let found = self.providers.get(provider).filter(|provider| provider.hook().is_some());
        Ok(found.ok_or(Refused::Unknown)?.name())
    }

    fn hook(&self, provider: &str) -> Result<&Hook, Refused> {
        self.providers.get(provider).and_then(|provider| provider.hook()).ok_or(Refused::Unknown)
    }

    fn limits(&self, provider: &str) -> Result<&Limits, Refused> {
        self.limits.get(provider).ok_or(Refused::Unknown)
    }

    /// Who has sent a webhook with these headers, before anything of its body is read. May ask the provider for its keys.
    pub async fn sender(&self, provider: &'static str, presented: Presented) -> Result<Sender, Refused> {
        let found = self.hook(provider)?.sender(presented).await;
        let sender = found.map_err(|untrusted| self.refuse(provider, untrusted))?;
        if matches!(sender, Sender::Known(_)) {
            self.count_in(provider)?;
        }
        Ok(sender)
    }

    /// What the reading of a body comes to, with the place that the body takes up for as long as it is kept.
    pub async fn read<T>(
        &self,
        provider: &'static str,
        sender: &Sender,
        reading: impl Future<Output = T>,
    ) -> Result<(T, Place), Refused> {
        let limits = self.limits(provider)?;
        let room = match sender {
            Sender::Known(_) => &limits.known,
            Sender::Claimed(_) => &limits.claimed,
        };
        let place = room.enter();
        let read = place.hold(reading).await.ok_or_else(|| {
            count(provider, "limited");
            Refused::TooMany(CROWDED)
        })?;
        Ok((read, place))
    }

    /// Sees that a body is the provider's whose sender has only claimed it.
    pub fn verify(&self, provider: &'static str, claim: &Claim, body: &[u8]) -> Result<(), Refused> {
        let verified = self.hook(provider)?.verify(claim, body);
        verified.map_err(|untrusted| self.refuse(provider, untrusted))?;
        self.count_in(provider)
    }

    /// One more of the provider's own.
    fn count_in(&self, provider: &'static str) -> Result<(), Refused> {
        self.limits(provider)?.taken.check().map_err(|refusal| {
            count(provider, "limited");
            Refused::TooMany(refusal.wait_time_from(DefaultClock::default().now()))
        })
    }

    fn refuse(&self, provider: &'static str, untrusted: Untrusted) -> Refused {
        count(provider, "refused");
        if self.limits(provider).is_ok_and(|limits| limits.told.check().is_ok()) {
            let reason = untrusted.to_string();
            event!(WARN, PROVIDER_WEBHOOK_REFUSED, provider, reason);
        }
        Refused::Untrusted(untrusted)
    }

    /// Has the job that a hint is about asked after, if it is this provider that makes it, in this very attempt: what one
    /// provider signs is about no other's videos.
    pub async fn take(&self, provider: &'static str, hint: Hint) -> Result<Outcome, Error> {
        let (attempt, is_under_way) = match hint.attempt {
            Some((job, number)) => {
                let is_under_way = self.store.is_under_way(provider, &job, number).await?;
                (Some((job, number)), is_under_way)
            }
            None if hint.operations.is_empty() => (None, false),
            None => (self.store.attempt_called(provider, &hint.operations).await?, true),
        };
        let outcome = match &attempt {
            Some((job, number)) if is_under_way => self.wake(job, *number).await?,
            Some(_) | None => Outcome::Unknown,
        };
        let job = attempt.as_ref().map(|(job, _)| tracing::field::display(job));
        event!(DEBUG, PROVIDER_WEBHOOK_RECEIVED, provider, outcome = outcome.as_str(), jobId = job);
        count(provider, outcome.as_str());
        Ok(outcome)
    }

    /// Wakes the runner here, and writes it down for any other: a job that was taken over runs elsewhere before the one
    /// that has lost it knows.
    async fn wake(&self, job: &JobId, number: i32) -> Result<Outcome, Error> {
        let is_woken = self.running.hint(job);
        let noticed = self.store.notice(job, number).await?;
        if let Some(at) = noticed.filter(|_| is_woken) {
            self.running.knows(job, at);
        }
        let unwoken = if noticed.is_some() { Outcome::Noticed } else { Outcome::Unknown };
        Ok(if is_woken { Outcome::Woken } else { unwoken })
    }
}

fn count(provider: &'static str, outcome: &'static str) {
    metrics::counter!(metric::PROVIDER_HINTS, "provider" => provider, "outcome" => outcome).increment(1);
}
