//! Asks the worker how a generation is when somebody reads its status: one question at a time for each
//! generation, for a short while, and with its answer good for others for a moment.

use foundation::crash::{Place, sending};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::{GenerationId, events, worker_api::JobSnapshot};
use tokio::time::{Instant, timeout};

use super::{Flow, generation::Generation, service::observe, state::Input};
use crate::store::{Origin, Outcome};

/// How many generations are remembered before those that are of no use any more are forgotten.
const REMEMBERED: usize = 1024;

type Answered = Option<(Instant, Option<JobSnapshot>)>;

/// Who is being asked about, and what was answered last.
#[derive(Debug, Default)]
pub struct Refresher(Mutex<HashMap<GenerationId, Arc<tokio::sync::Mutex<Answered>>>>);

impl Refresher {
    fn flight(&self, id: &GenerationId, cached: Duration) -> Arc<tokio::sync::Mutex<Answered>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.len() >= REMEMBERED && !flights.contains_key(id) {
            flights.retain(|_, flight| {
                let of_use =
                    |answered: &Answered| answered.as_ref().is_none_or(|(at, _)| at.elapsed() < cached);
                Arc::strong_count(flight) > 1 || flight.try_lock().is_ok_and(|answered| of_use(&answered))
            });
        }
        Arc::clone(flights.entry(id.clone()).or_default())
    }
}

impl Flow {
    /// The generation as the worker knows it now, if it answers in time; else as it was. Also what the worker
    /// said, for what is not in the row. To be called on the home runtime.
    pub(super) async fn refreshed(&self, generation: Generation) -> (Generation, Option<JobSnapshot>) {
        let settings = &self.settings;
        let age = contract::Timestamp::now().since(generation.updated_at);
        // The worker knows of a generation from its beginning on, whether or not its user has said yes.
        if generation.status.is_terminal() || age < settings.status_fresh {
            return (generation, None);
        }
        let flight = self.refresher.flight(&generation.id, settings.status_cached);
        let Ok(mut answered) = timeout(settings.status_wait, flight.lock()).await else {
            return (generation, None);
        };
        let known = answered.as_ref().filter(|(at, _)| at.elapsed() < settings.status_cached);
        if let Some((_, snapshot)) = known {
            let snapshot = snapshot.clone();
            drop(answered);
            return (self.as_it_is(generation).await, snapshot);
        }
        let snapshot = self.ask(&generation).await;
        *answered = Some((Instant::now(), snapshot.clone()));
        drop(answered);
        let Some(snapshot) = snapshot else { return (generation, None) };
        match self.store.happen(&generation.id, Input::Snapshot(&snapshot), Origin::Ourselves).await {
            Ok(Outcome::Changed(changed)) => {
                observe(&changed);
                (changed.change.after, Some(snapshot))
            }
            Ok(Outcome::Unchanged(_, now)) => (*now, Some(snapshot)),
            Ok(_) => (generation, Some(snapshot)),
            Err(error) => {
                tracing::warn!(%error, "A status from the worker was not applied");
                (generation, None)
            }
        }
    }

    /// What others' questions have made of it meanwhile.
    async fn as_it_is(&self, generation: Generation) -> Generation {
        let read = self.store.generation(&generation.user_id, &generation.id).await;
        read.ok().flatten().unwrap_or(generation)
    }

    async fn ask(&self, generation: &Generation) -> Option<JobSnapshot> {
        let (id, job) = (&generation.id, generation.worker_job_id.as_ref());
        telemetry::event!(
            DEBUG, GENERATION_STATUS_CHECKING_WORKER,
            generationId = %id, workerGenerationId = job.map(tracing::field::display)
        );
        let asked = sending(Place::JobsAsked, self.worker.status(id));
        let answer = timeout(self.settings.status_wait, asked).await;
        let snapshot = match answer {
            Ok(Ok(snapshot)) => snapshot.filter(|snapshot| events::check(snapshot).is_ok()),
            Ok(Err(_)) | Err(_) => None,
        };
        telemetry::event!(
            DEBUG, GENERATION_STATUS_WORKER_RESPONSE,
            generationId = %id,
            success = snapshot.is_some(),
            status = snapshot.as_ref().map(|snapshot| snapshot.status.as_str()),
            progress = snapshot.as_ref().map(|snapshot| snapshot.progress)
        );
        snapshot
    }
}
