//! Calls off at the provider what nobody waits for any more: the operations of jobs that were cancelled, or whose
//! time was over. Once each, and as well as it goes: no cancel of a user waits for this, and a provider that does not
//! hear it makes a video that nobody fetches.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    providers::{Operation, Providers},
    store::{Error, Store},
};

/// How often to look without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a provider may take to hear it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many operations are looked at in one round.
const ROUND: i64 = 50;

/// Who calls off. Several replicas may do so at once.
#[derive(Clone, Debug)]
pub struct Cancels {
    store: Store,
    providers: Providers,
}

impl Cancels {
    /// Calls off nothing yet.
    #[must_use]
    pub fn new(store: Store, providers: Providers) -> Self {
        Self { store, providers }
    }

    /// Calls off again and again, until `stop` fires.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A task of its own, since what it writes must come to its end.
            let this = self.clone();
            let round = tokio::spawn(async move { this.round().await });
            match stop.run_until_cancelled(round).await {
                Some(Ok(Ok(looked))) if looked >= ROUND as usize => continue,
                Some(Ok(Err(error))) => tracing::warn!(%error, "Operations were not called off"),
                Some(_) | None => {}
            }
            let woken = self.store.wakes().cancels.notified();
            stop.run_until_cancelled(timeout(LOOK_EVERY, woken)).await;
        }
    }

    /// One round; says how many operations it looked at.
    pub async fn round(&self) -> Result<usize, Error> {
        let abandoned = self.store.abandoned_operations(ROUND).await?;
        let mut asked = Vec::new();
        for one in &abandoned {
            // Written down before it is asked: a crash in between leaves it to the provider, and asks nobody twice.
            if self.store.take_abandoned(one).await?
                && one.under_way
                && let Some(provider) = self.providers.get(&one.provider)
            {
                let operation = Operation { job_id: one.job_id.clone(), name: one.operation.clone() };
                asked.push(async move { timeout(PATIENCE, provider.cancel(&operation)).await });
            }
        }
        // At once, and not for ever: one provider that hangs holds up no other's.
        join_all(asked).await;
        Ok(abandoned.len())
    }
}
