//! How many pictures are taken at once. A picture is read into memory whole before anybody can know who sends it, so
//! only so many are, and none of them for ever.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for a place: so long that a burst of small pictures passes, and shorter than its sender's
/// patience.
const WAIT: Duration = Duration::from_secs(2);

/// A place for one picture. It is free again once the last clone is dropped.
pub type Place = Arc<OwnedSemaphorePermit>;

/// The places. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    /// How long a picture may take to arrive.
    pub(crate) patience: Duration,
}

impl Places {
    /// So many places, for pictures that arrive within `patience`.
    #[must_use]
    pub fn new(places: usize, patience: Duration) -> Self {
        // More than a semaphore can count are as many as it can.
        Self { free: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), patience }
    }

    /// A place, if one is free within a short while. It may be dropped midway.
    pub async fn take(&self) -> Option<Place> {
        let taken = tokio::time::timeout(WAIT, Arc::clone(&self.free).acquire_owned()).await;
        taken.ok()?.ok().map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_nobody_needs_it() {
        let places = Places::new(1, Duration::ZERO);
        let place = places.take().await.unwrap();
        let handler = Arc::clone(&place);
        assert!(places.take().await.is_none());
        drop(place);
        assert!(places.take().await.is_none(), "the picture is still in memory");
        let (waiting, ()) = tokio::join!(places.take(), async { drop(handler) });
        assert!(waiting.is_some());
    }
}
