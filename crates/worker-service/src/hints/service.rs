//! Takes providers' webhooks: sees that they are the providers' own and come no faster than they may, and has the job
//! that one is about asked after, here or by the replica that runs it.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use contract::JobId;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use serde_json::Value;
use telemetry::{event, metric};

use super::hint::Hint;
use crate::{
    providers::{Providers, hook::Presented},
    queue::Running,
    store::{Error, Store},
};

/// How many webhooks of one provider are looked at in a second: more than a worker's jobs give reason for.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// The providers' webhooks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hints {
    store: Store,
    running: Running,
    providers: Providers,
    limits: Arc<BTreeMap<&'static str, DefaultDirectRateLimiter>>,
}

/// Why a webhook is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No provider of this name is asked to send any.
    Unknown,
    /// More came than are looked at.
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
        let limit = |name| (name, RateLimiter::direct(Quota::per_second(PER_SECOND)));
        let limits = Arc::new(providers.names().map(limit).collect());
        Self { store, running, providers, limits }
    }

    /// Whether a webhook of this provider may be looked at now. Before anything of it is read.
    pub fn admit(&self, provider: &str) -> Result<&'static str, Refused> {
        let found = self.providers.get(provider).filter(|provider| provider.hook().is_some());
        let name = found.ok_or(Refused::Unknown)?.name();
        let limit = self.limits.get(name).ok_or(Refused::Unknown)?;
        limit.check().map_err(|refusal| {
            count(name, "limited");
            Refused::TooMany(refusal.wait_time_from(DefaultClock::default().now()))
        })?;
        Ok(name)
    }

    /// Whether this is the provider's own webhook; gives what its token claims, if it has one. May ask the provider for
    /// its keys.
    pub async fn verify(
        &self,
        provider: &'static str,
        presented: &Presented,
        body: &[u8],
    ) -> Result<Option<Value>, String> {
        let hook = self.providers.get(provider).and_then(|provider| provider.hook());
        let hook = hook.ok_or_else(|| "the provider has no webhooks".to_owned())?;
        hook.verify(presented, body).await.map_err(|untrusted| {
            let reason = untrusted.to_string();
            event!(WARN, PROVIDER_WEBHOOK_REFUSED, provider, reason);
            count(provider, "refused");
            reason
        })
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
