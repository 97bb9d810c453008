//! Removes what nobody needs any more: objects and half-made uploads in the bucket (I19), and rows that have
//! had their time. Temporary files go with the process that made them.

use foundation::crash::{Place, sending};
use std::{sync::Arc, time::Duration};

use contract::Timestamp;
use foundation::s3::{ALL_GENERATIONS, ObjectKey};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket::{Bucket, BucketError},
    settings::Settings,
    store::{Error, Store},
};

/// How many objects one round removes at most.
const BATCH: i64 = 200;
/// How long the ids of signed requests are remembered: both ends of the signature's tolerance.
const REQUESTS_KEPT: Duration = Duration::from_mins(10);
/// How long workers that have ended stay on the list.
const WORKERS_KEPT: Duration = Duration::from_hours(24);

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects removed from the bucket.
    pub objects: usize,
    /// Open uploads ended.
    pub uploads: usize,
}

/// A round failed midway; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// The sweeper. Several replicas may sweep at once.
#[derive(Clone)]
pub struct Sweeper {
    store: Store,
    bucket: Arc<dyn Bucket>,
    every: Duration,
    grace: Duration,
    webhooks_kept: Duration,
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper")
            .field("every", &self.every)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

impl Sweeper {
    /// Sweeps nothing yet.
    #[must_use]
    pub fn new(store: Store, bucket: Arc<dyn Bucket>, settings: &Settings) -> Self {
        let (every, grace) = (settings.sweeper.every, settings.sweeper.grace);
        Self { store, bucket, every, grace, webhooks_kept: settings.webhooks.kept }
    }

    /// Sweeps again and again, until `stop` fires.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.every)).await.is_some() {
            // Cut off between two rounds or two objects: what is left is found again.
            match stop.run_until_cancelled(self.sweep()).await {
                Some(Ok(swept)) if swept != Swept::default() => {
                    tracing::info!(objects = swept.objects, uploads = swept.uploads, "Swept the bucket");
                }
                Some(Err(error)) => tracing::warn!(%error, "The sweep was not finished"),
                Some(Ok(_)) | None => {}
            }
            if let Err(error) = self.forget().await {
                tracing::warn!(%error, "Old rows were not removed");
            }
        }
    }

    /// One round over the bucket.
    pub async fn sweep(&self) -> Result<Swept, SweepError> {
        let mut swept = Swept::default();
        let store = self.store.clone();
        in_own_task(async move { store.give_up_uploads().await }).await?;
        for object in self.store.garbage(self.grace, BATCH).await? {
            // A row that is no key of ours can have no object.
            if let Ok(key) = object.key.parse::<ObjectKey>() {
                sending(Place::ObjectRemoved, self.bucket.delete(&key)).await?;
                swept.objects += 1;
            }
            let store = self.store.clone();
            in_own_task(async move { store.forget_object(&object.key).await }).await?;
        }
        for upload in self.bucket.open_uploads(ALL_GENERATIONS).await? {
            let is_old = upload.begun.is_none_or(|begun| begun + self.grace < Timestamp::now());
            if is_old && !self.store.is_wanted(upload.key.as_str()).await? {
                self.bucket.abort(&upload).await?;
                swept.uploads += 1;
            }
        }
        Ok(swept)
    }

    /// One round over the rows.
    async fn forget(&self) -> Result<(), Error> {
        self.store.forget_requests(REQUESTS_KEPT).await?;
        self.store.forget_webhooks(self.webhooks_kept).await?;
        self.store.forget_workers(WORKERS_KEPT).await?;
        Ok(())
    }
}

/// Runs a write in a task of its own, so that a sweep that is cut off leaves no transaction open.
async fn in_own_task<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|error| Err(foundation::database::Error::Unavailable(error.to_string()).into()))
}
