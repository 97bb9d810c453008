//! Asks the worker about generations that have been silent too long, so that even the loss of every webhook
//! only costs time (I9). What it hears goes the way of a webhook, with the same guards.

use foundation::crash::{Place, sending};
use std::collections::HashMap;

use contract::{
    GenerationId, Timestamp, events,
    worker_api::{JobSnapshot, StatusRequest},
};
use telemetry::metric;
use tokio_util::sync::CancellationToken;

use super::{FlowSettings, generation::Generation, service::observe, state::Input};
use crate::{
    error::AppResult,
    store::{Origin, Outcome, Store},
    worker_client::WorkerClient,
};

/// Asks until it is told to stop.
pub async fn run(store: &Store, worker: &WorkerClient, settings: &FlowSettings, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(settings.reconcile_every)).await.is_some() {
        if let Err(error) = round(store, worker, settings).await {
            tracing::warn!(cause = error.cause(), "The worker was not asked about silent generations");
        }
        if let Ok(pending) = store.count_commands().await {
            metrics::gauge!(metric::WORKER_COMMANDS_PENDING).set(pending as f64);
        }
    }
}

/// Asks once about everything that is silent.
pub async fn round(store: &Store, worker: &WorkerClient, settings: &FlowSettings) -> AppResult<()> {
    let since = Timestamp::now() - settings.silence;
    loop {
        let silent = store.silent(since, StatusRequest::MAX_IDS as i64).await?;
        if silent.is_empty() {
            return Ok(());
        }
        let ids: Vec<GenerationId> = silent.iter().map(|generation| generation.id.clone()).collect();
        for generation in &silent {
            telemetry::event!(
                INFO, RECONCILER_ASKING_WORKER,
                generationId = %generation.id, oldStatus = %generation.status
            );
        }
        let told = sending(Place::JobsAsked, worker.statuses(&ids))
            .await
            .map_err(crate::error::AppError::unavailable)?;
        let mut told: HashMap<GenerationId, JobSnapshot> =
            told.into_iter().map(|snapshot| (snapshot.generation_id.clone(), snapshot)).collect();
        for generation in &silent {
            // One that cannot be repaired holds nobody back; where the database is gone, none can be.
            match repair(store, generation, told.remove(&generation.id)).await {
                Err(error) if error.status() == 503 => return Err(error),
                Err(error) => tracing::error!(
                    generationId = %generation.id, cause = error.cause(),
                    "A silent generation was not repaired"
                ),
                Ok(()) => {}
            }
        }
        // Those that have nothing new are asked about again only after another silence.
        store.heard(&ids).await?;
    }
}

async fn repair(store: &Store, generation: &Generation, told: Option<JobSnapshot>) -> AppResult<()> {
    let Some(snapshot) = told else {
        // The worker has lost it, or never had it: it is told again.
        if store.command_again(&generation.id).await? {
            tracing::warn!(generationId = %generation.id, "The worker does not know a generation; it is told again");
        }
        return Ok(());
    };
    if let Err(error) = events::check(&snapshot) {
        tracing::warn!(generationId = %generation.id, %error, "The worker's word makes no sense");
        return Ok(());
    }
    let outcome = store.happen(&generation.id, Input::Snapshot(&snapshot), Origin::Ourselves).await?;
    if let Outcome::Changed(changed) = outcome {
        observe(&changed);
        let status = changed.change.after.status;
        telemetry::event!(
            INFO, RECONCILER_GENERATION_REPAIRED,
            generationId = %generation.id, oldStatus = %generation.status, newStatus = %status
        );
        metrics::counter!(metric::RECONCILER_REPAIRS, "status" => status.as_str()).increment(1);
    }
    Ok(())
}
