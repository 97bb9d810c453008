//! Generations: from the request for a video to its end.
//!
//! [`state`] says what a generation becomes, the store writes it down, [`service`] is what users' requests ask.
//! In the background the [`dispatcher`] hands commands to the worker, the [`reconciler`] asks it about what has
//! been silent, and the [`housekeeper`] ends what nobody wants any more.

pub mod cause;
pub mod clarification;
pub mod dispatcher;
mod enhancement;
pub mod generation;
pub mod housekeeper;
pub mod http;
pub(crate) mod log;
pub mod media;
pub mod plan;
pub mod reconciler;
pub mod refresh;
pub mod service;
pub mod state;
pub mod status;
pub mod wording;

use std::{sync::Arc, time::Duration};

use contract::signing::Secrets;
use foundation::{s3::S3Settings, settings::Live, tasks::Tasks};

use self::{media::Media, refresh::Refresher};
use crate::{
    catalogue::Catalogue,
    intent::model::Analyst,
    settings::SecretSettings,
    store::Store,
    usage::{BudgetSettings, budget::Allowance},
    worker_client::{Failure, WorkerClient, WorkerSettings},
};

foundation::settings! {
    /// The limits and timers of generations.
    pub struct FlowSettings {
        /// Generations of one user that have not ended, at most.
        pub open_per_user: i64 = or_default("OPEN_GENERATIONS_PER_USER", "200"),
        /// Generations of one user that are confirmed and not yet made, at most.
        pub queued_per_user: i64 = or_default("QUEUED_GENERATIONS_PER_USER", "50"),
        /// How long a generation waits for its user before it is cancelled as expired.
        pub confirmation_period: Duration = or_default("CONFIRMATION_PERIOD", "7d"),
        /// Commands to the worker that are under way at the same time.
        pub command_concurrency: usize = or_default("COMMAND_CONCURRENCY", "16"),
        /// The longest pause before a command is sent again.
        pub command_retry_max: Duration = or_default("COMMAND_RETRY_MAX", "15s"),
        /// How often the worker is asked about generations that have been silent.
        pub reconcile_every: Duration = or_default("RECONCILE_EVERY", "15s"),
        /// How long a generation in the making may be silent.
        pub silence: Duration = or_default("RECONCILE_SILENCE", "30s"),
        /// A read of a status that is older than this asks the worker first.
        pub status_fresh: Duration = or_default("STATUS_FRESH", "5s"),
        /// How long such a read waits for the worker.
        pub status_wait: Duration = or_default("STATUS_WAIT", "1s"),
        /// How long the worker's answer to such a read serves others.
        pub status_cached: Duration = or_default("STATUS_CACHED", "2s"),
        /// How long a presigned link to a video is good.
        pub link_lifetime: Duration = or_default("LINK_LIFETIME", "1h"),
        /// How long listeners can resume from an event.
        pub events_kept: Duration = or_default("EVENTS_KEPT", "24h"),
        /// How long a webhook is remembered.
        pub webhooks_kept: Duration = or_default("WEBHOOKS_KEPT", "7d"),
        /// How long a charge is held for a generation that has ended, before it is settled without the worker's word:
        /// longer than its webhooks are tried.
        pub charges_held: Duration = or_default("CHARGES_HELD", "4d"),
        /// How often old rows are looked for.
        pub housekeep_every: Duration = or_default("HOUSEKEEP_EVERY", "1m"),
    }
}

/// What the services around generations work with. One for a process.
#[derive(Debug)]
pub struct Flow {
    store: Store,
    worker: WorkerClient,
    catalogue: Catalogue,
    media: Media,
    refresher: Refresher,
    analyst: Analyst,
    settings: FlowSettings,
    allowance: Allowance,
    webhook_secrets: Live<Secrets>,
}

impl Flow {
    /// Brings together what is needed. To be called on the home runtime, to which the worker's client belongs.
    pub fn new(
        store: Store,
        worker: &WorkerSettings,
        secrets: SecretSettings,
        s3: &S3Settings,
        catalogue: Catalogue,
        budget: &BudgetSettings,
        settings: FlowSettings,
    ) -> Result<Self, Failure> {
        Ok(Self {
            store,
            worker: WorkerClient::new(worker, secrets.worker_api)?,
            catalogue,
            media: Media::new(s3, settings.link_lifetime),
            refresher: Refresher::default(),
            allowance: budget.allowance(settings.queued_per_user),
            analyst: Analyst::default(),
            settings,
            webhook_secrets: secrets.webhooks,
        })
    }

    /// The same, with somebody else than the rules who reads users' messages.
    #[must_use]
    pub fn read_by(self, analyst: Analyst) -> Self {
        Self { analyst, ..self }
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The client of the worker, for those who are at home.
    pub const fn worker(&self) -> &WorkerClient {
        &self.worker
    }

    /// Links to videos.
    pub const fn media(&self) -> &Media {
        &self.media
    }

    /// Who reads users' messages.
    pub const fn analyst(&self) -> &Analyst {
        &self.analyst
    }

    /// The models that there are.
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What the worker's webhooks are signed with.
    pub const fn webhook_secrets(&self) -> &Live<Secrets> {
        &self.webhook_secrets
    }

    /// Starts the background work.
    pub fn supervise(self: &Arc<Self>, tasks: &mut Tasks) {
        let flow = Arc::clone(self);
        tasks.supervise("dispatcher", move |stop| {
            let flow = Arc::clone(&flow);
            async move { dispatcher::run(&flow.store, &flow.worker, &flow.settings, stop).await }
        });
        let flow = Arc::clone(self);
        tasks.supervise("reconciler", move |stop| {
            let flow = Arc::clone(&flow);
            async move { reconciler::run(&flow.store, &flow.worker, &flow.settings, stop).await }
        });
        let flow = Arc::clone(self);
        tasks.supervise("housekeeper", move |stop| {
            let flow = Arc::clone(&flow);
            async move { housekeeper::run(&flow.store, &flow.settings, stop).await }
        });
    }
}
