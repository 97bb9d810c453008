//! Removes what nobody needs any more: objects, pictures and half-made uploads in the bucket (I19), and rows that
//! have had their time. Temporary files go with the process that made them.

use std::{sync::Arc, time::Duration};

use contract::Timestamp;
use foundation::{
    crash::{Place, sending},
    s3::{ALL_GENERATIONS, ObjectKey},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket::{Bucket, BucketError},
    settings::SweeperSettings,
    store::{BATCH, Error, Store},
};

/// How many objects are read from the list at once.
const ROUND: i64 = 200;
/// How long the ids of signed requests are remembered: both ends of the signature's tolerance, and time for a body to
/// arrive, which counts with the time of its headers.
const REQUESTS_KEPT: Duration = Duration::from_mins(15);
/// How long workers that have ended stay on the list.
const WORKERS_KEPT: Duration = Duration::from_hours(24);

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects removed from the bucket.
    pub objects: usize,
    /// Open uploads ended.
    pub uploads: usize,
    /// Objects and uploads that could not be removed; the next round tries again.
    pub left: usize,
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
    /// Sweeps nothing yet. Webhooks that have been delivered or superseded for `webhooks_kept` are forgotten.
    pub fn new(
        store: Store,
        bucket: Arc<dyn Bucket>,
        settings: &SweeperSettings,
        webhooks_kept: Duration,
    ) -> Self {
        Self { store, bucket, every: settings.every, grace: settings.grace, webhooks_kept }
    }

    /// Sweeps again and again, until `stop` fires.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.every)).await.is_some() {
            // Cut off between two rounds or two objects: what is left is found again.
            match stop.run_until_cancelled(self.sweep()).await {
                Some(Ok(Swept { objects, uploads, .. })) if objects + uploads > 0 => {
                    tracing::info!(objects, uploads, "Swept the bucket");
                }
                Some(Err(error)) => tracing::warn!(%error, "The sweep was not finished"),
                Some(Ok(_)) | None => {}
            }
            // Each statement is a transaction of its own, run to its end.
            let forgetting = self.clone();
            let forgotten = tokio::spawn(async move { forgetting.forget().await });
            if let Some(Ok(Err(error))) = stop.run_until_cancelled(forgotten).await {
                tracing::warn!(%error, "Old rows were not removed");
            }
        }
    }

    /// One round over the bucket. What cannot be removed holds nothing else up, as long as the bucket as a whole
    /// can be used.
    pub async fn sweep(&self) -> Result<Swept, SweepError> {
        let (mut swept, mut first) = (Swept::default(), None);
        while self.give_up_uploads().await? >= BATCH {}
        let mut after = String::new();
        loop {
            let garbage = self.store.garbage(self.grace, &after, ROUND).await?;
            let Some(last) = garbage.last() else { break };
            after.clone_from(&last.key);
            for object in garbage {
                // A row that is no key of ours can have no object.
                if let Ok(key) = object.key.parse::<ObjectKey>() {
                    let removed = sending(Place::ObjectRemoved, self.bucket.delete(&key)).await;
                    if let Err(error) = removed {
                        self.note(error, &mut swept, &mut first).await?;
                        continue;
                    }
                    swept.objects += 1;
                }
                let store = self.store.clone();
                in_own_task(async move { store.forget_object(&object.key).await }).await?;
            }
        }
        self.sweep_pictures(&mut swept, &mut first).await?;
        for upload in self.bucket.open_uploads(ALL_GENERATIONS).await? {
            let is_old = upload.begun.is_none_or(|begun| begun + self.grace < Timestamp::now());
            if is_old && !self.store.is_wanted(upload.key.as_str()).await? {
                match self.bucket.abort(&upload).await {
                    Ok(()) => swept.uploads += 1,
                    Err(error) => self.note(error, &mut swept, &mut first).await?,
                }
            }
        }
        if let Some(error) = first {
            tracing::warn!(left = swept.left, %error, "Not everything could be removed from the bucket");
        }
        Ok(swept)
    }

    /// The pictures that have had their time, and those that were never stored whole.
    async fn sweep_pictures(
        &self,
        swept: &mut Swept,
        first: &mut Option<BucketError>,
    ) -> Result<(), SweepError> {
        let (store, grace) = (self.store.clone(), self.grace);
        in_own_task(async move { store.give_up_pictures(grace).await }).await?;
        let mut after = String::new();
        loop {
            let garbage = self.store.garbage_pictures(self.grace, &after, ROUND).await?;
            let Some(last) = garbage.last() else { return Ok(()) };
            last.id.as_str().clone_into(&mut after);
            for picture in garbage {
                if let Ok(key) = picture.key.parse::<ObjectKey>() {
                    if let Err(error) = self.bucket.delete(&key).await {
                        self.note(error, swept, first).await?;
                        continue;
                    }
                    swept.objects += 1;
                }
                let store = self.store.clone();
                in_own_task(async move { store.forget_picture(&picture.id).await }).await?;
            }
        }
    }

    /// Something could not be removed, which is told once a round. If nothing can be just now, the round ends.
    async fn note(
        &self,
        error: BucketError,
        swept: &mut Swept,
        first: &mut Option<BucketError>,
    ) -> Result<(), SweepError> {
        swept.left += 1;
        if error.is_transient() {
            self.bucket.ready().await?;
        }
        first.get_or_insert(error);
        Ok(())
    }

    async fn give_up_uploads(&self) -> Result<usize, Error> {
        let store = self.store.clone();
        in_own_task(async move { store.give_up_uploads().await }).await
    }

    /// One round over the rows: all that have had their time.
    pub async fn forget(&self) -> Result<(), Error> {
        while self.store.forget_requests(REQUESTS_KEPT).await? >= BATCH {}
        while self.store.forget_webhooks(self.webhooks_kept).await? >= BATCH {}
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
