//! Room for the bodies of webhooks that are on their way. Often only the whole of a body can show who has sent it, so
//! strangers' bodies are read, too, but only so many at once. Who comes when there is no place left takes that of the one
//! that has had it the longest: a provider's body is there in a moment, and one that is held back to keep others out is
//! the first to go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// How many bodies there is room for, of one provider.
pub const PLACES: usize = 64;

/// Room for so many bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Room {
    places: usize,
    taken: Arc<Mutex<Taken>>,
}

/// Those that are taken, each under a number of its own, the oldest first.
#[derive(Debug, Default)]
struct Taken {
    next: u64,
    places: BTreeMap<u64, CancellationToken>,
}

/// A place for one body. It is free again once this is dropped.
#[derive(Debug)]
pub struct Place {
    number: u64,
    lost: CancellationToken,
    room: Room,
}

impl Room {
    /// Room for so many.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places, taken: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, at once; if there is none left, that of the oldest.
    pub fn enter(&self) -> Place {
        let lost = CancellationToken::new();
        let mut taken = self.lock();
        if taken.places.len() >= self.places
            && let Some((_, oldest)) = taken.places.pop_first()
        {
            oldest.cancel();
        }
        let number = taken.next;
        taken.next += 1;
        taken.places.insert(number, lost.clone());
        drop(taken);
        Place { number, lost, room: self.clone() }
    }
}

impl Place {
    /// What the reading comes to; `None`, and the reading dropped, if the place is lost before its end.
    pub async fn hold<T>(&self, reading: impl Future<Output = T>) -> Option<T> {
        self.lost.run_until_cancelled(reading).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    async fn is_kept(place: &Place) -> bool {
        place.hold(ready(())).await.is_some()
    }

    #[tokio::test]
    async fn the_oldest_gives_way() {
        let room = Room::new(2);
        let (first, second) = (room.enter(), room.enter());
        assert!(is_kept(&first).await && is_kept(&second).await);
        let third = room.enter();
        assert!(!is_kept(&first).await && is_kept(&second).await && is_kept(&third).await);
        // One that is lost already frees nothing, one that is dropped does.
        drop(first);
        drop(third);
        let fourth = room.enter();
        assert!(is_kept(&second).await && is_kept(&fourth).await);
    }

    #[tokio::test]
    async fn who_reads_when_the_place_is_lost_ends() {
        let room = Room::new(1);
        let slow = room.enter();
        let (read, next) = tokio::join!(slow.hold(pending::<()>()), async { room.enter() });
        assert_eq!(read, None);
        assert!(is_kept(&next).await);
    }
}
