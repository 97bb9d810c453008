//! How many pictures are taken at once. A picture is read into memory whole before anybody can know who sends it, so
//! only so many are, and none of them for ever.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place for one picture. It is free again once the last clone is dropped.
pub type Place = Arc<OwnedSemaphorePermit>;

/// The places. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    /// How long a request waits for a place, before anything of its picture is read.
    wait: Duration,
    /// How long a picture may take to arrive.
    pub(crate) patience: Duration,
}

impl Places {
    /// So many places, for which others wait so long, for pictures that arrive within `patience`.
    #[must_use]
    pub fn new(places: usize, wait: Duration, patience: Duration) -> Self {
        // More than a semaphore can count are as many as it can.
        Self { free: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), wait, patience }
    }

    /// A place, in the order of asking, if one is free in time. It may be dropped midway.
    pub async fn take(&self) -> Option<Place> {
        let taken = tokio::time::timeout(self.wait, Arc::clone(&self.free).acquire_owned()).await;
        taken.ok()?.ok().map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(45);

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_nobody_needs_it() {
        let places = Places::new(1, WAIT, Duration::ZERO);
        let place = places.take().await.unwrap();
        let handler = Arc::clone(&place);
        assert!(places.take().await.is_none());
        drop(place);
        assert!(places.take().await.is_none(), "the picture is still in memory");
        let (waiting, ()) = tokio::join!(places.take(), async { drop(handler) });
        assert!(waiting.is_some());
    }

    /// A bucket that takes half a minute over each picture makes nobody go away.
    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_waits_as_long_as_set() {
        let places = Places::new(1, WAIT, Duration::ZERO);
        let slow = places.take().await.unwrap();
        let storing = async {
            tokio::time::sleep(Duration::from_secs(44)).await;
            drop(slow);
        };
        let (waiting, ()) = tokio::join!(places.take(), storing);
        assert!(waiting.is_some());
        let begun = tokio::time::Instant::now();
        assert!(places.take().await.is_none());
        assert_eq!(begun.elapsed().as_secs(), WAIT.as_secs());
    }
}
