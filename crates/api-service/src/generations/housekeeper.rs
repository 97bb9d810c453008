//! Ends generations that nobody confirms, and throws away rows that have been kept long enough.

use contract::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{FlowSettings, service::observe, state::Input};
use crate::{
    error::AppResult,
    idempotency,
    store::{Horizons, Origin, Outcome, Store},
};

/// How many forgotten generations are ended before the next are looked for.
const AT_ONCE: i64 = 100;

/// Looks until it is told to stop.
pub async fn run(store: &Store, settings: &FlowSettings, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(settings.housekeep_every)).await.is_some() {
        if let Err(error) = round(store, settings, Timestamp::now()).await {
            tracing::warn!(cause = error.cause(), "Old rows were not looked for");
        }
    }
}

/// Looks once, as if it were `now`.
pub async fn round(store: &Store, settings: &FlowSettings, now: Timestamp) -> AppResult<()> {
    let since = now - settings.confirmation_period;
    loop {
        let forgotten = store.forgotten(since, AT_ONCE).await?;
        let mut ended = 0;
        for id in &forgotten {
            match store.happen(id, Input::Expired(since), Origin::Ourselves).await {
                Ok(Outcome::Changed(changed)) => {
                    observe(&changed);
                    ended += 1;
                }
                Ok(_) => {}
                // One that cannot be ended holds nothing else up.
                Err(error) => {
                    tracing::error!(generationId = %id, %error, "A forgotten generation was not ended");
                }
            }
        }
        if ended == 0 {
            break;
        }
    }
    let settled = store.settle_forgotten(now - settings.charges_held, now).await?;
    if settled > 0 {
        tracing::warn!(settled, "Charges of which the worker never spoke were settled");
    }
    store
        .prune(Horizons {
            events: now - settings.events_kept,
            inbox: now - settings.webhooks_kept,
            idempotency: now - idempotency::KEPT,
            sessions: now,
            uploads: now,
        })
        .await?;
    Ok(())
}
