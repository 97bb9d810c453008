//! One conversation that somebody listens to: the bell that is rung when it has news, and its latest events,
//! so that many listeners cost one read.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use contract::ConversationId;
use tokio::sync::{Mutex, watch};

use super::cursor::{Event, Window};
use crate::store::{Error, Store};

/// How many events one read brings at most.
const PAGE: i64 = 100;
/// How many of the latest events are kept: enough for listeners that are woken by the same bell.
const KEPT: usize = 8;

/// What comes after a cursor.
pub(super) enum Next {
    /// These events, perhaps none, perhaps not yet all.
    Events(Vec<Arc<Event>>),
    /// Not what should: events are missing up to this cursor.
    Missed(i64),
    /// The conversation is gone.
    Gone,
}

/// The latest events: those with cursors from `after + 1` on, without a gap.
struct Tail {
    /// How often the bell had rung when the table was last read to its end.
    rung: u64,
    after: i64,
    events: VecDeque<Arc<Event>>,
}

pub(super) struct Room {
    conversation: ConversationId,
    bell: watch::Sender<u64>,
    seen: AtomicI64,
    tail: Mutex<Option<Tail>>,
}

impl Room {
    pub(super) fn new(conversation: ConversationId) -> Self {
        Self { conversation, bell: watch::Sender::new(0), seen: AtomicI64::new(-1), tail: Mutex::new(None) }
    }

    /// Says that there may be news.
    pub(super) fn ring(&self) {
        self.bell.send_modify(|rung| *rung += 1);
    }

    /// Hears the bell. Look at how often it has rung before reading, and no ring is missed.
    pub(super) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// The last cursor that was read to; -1 before the first read.
    pub(super) fn seen(&self) -> i64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// What comes after `cursor`, as of the bell's ring number `rung`.
    pub(super) async fn after(&self, store: &Store, cursor: i64, rung: u64) -> Result<Next, Error> {
        // Held while reading: whoever else was woken waits for this read instead of doing it again.
        let mut tail = self.tail.lock().await;
        match tail.as_ref().and_then(|tail| tail.after_cursor(cursor, rung)) {
            Some(events) => return Ok(Next::Events(events)),
            // Far behind the others: its reads are its own.
            None if tail.as_ref().is_some_and(|tail| cursor < tail.end()) => drop(tail),
            None => {
                let window = store.events_after(&self.conversation, cursor, PAGE).await?;
                let next = next(window, cursor);
                if let Next::Events(events) = &next {
                    let tail = tail.get_or_insert_with(|| Tail::new(cursor));
                    if tail.end() != cursor {
                        // Nobody has read for a while, and the reader is ahead of what is kept.
                        *tail = Tail::new(cursor);
                    }
                    tail.append(events, rung);
                    self.seen.store(tail.end(), Ordering::Relaxed);
                }
                return Ok(next);
            }
        }
        Ok(next(store.events_after(&self.conversation, cursor, PAGE).await?, cursor))
    }
}

fn next(window: Option<Window>, cursor: i64) -> Next {
    match window {
        None => Next::Gone,
        Some(window) if window.follows(cursor) => {
            Next::Events(window.events.into_iter().map(Arc::new).collect())
        }
        Some(window) => Next::Missed(window.last),
    }
}

impl Tail {
    fn new(after: i64) -> Self {
        Self { rung: 0, after, events: VecDeque::new() }
    }

    fn end(&self) -> i64 {
        self.after + self.events.len() as i64
    }

    /// What is kept after `cursor`; nothing if the table has to be asked.
    fn after_cursor(&self, cursor: i64, rung: u64) -> Option<Vec<Arc<Event>>> {
        let behind = usize::try_from(self.end() - cursor).ok()?;
        if cursor < self.after || (behind == 0 && self.rung < rung) {
            return None;
        }
        Some(self.events.iter().skip(self.events.len() - behind).cloned().collect())
    }

    /// Adds what follows the end.
    fn append(&mut self, events: &[Arc<Event>], rung: u64) {
        if events.len() < PAGE as usize {
            self.rung = self.rung.max(rung);
        }
        self.events.extend(events.iter().cloned());
        while self.events.len() > KEPT {
            self.events.pop_front();
            self.after += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(cursors: std::ops::RangeInclusive<i64>) -> Vec<Arc<Event>> {
        let event = |cursor| Event {
            cursor,
            name: "message.created".to_owned(),
            generation: None,
            payload: serde_json::Value::Null,
        };
        cursors.map(|cursor| Arc::new(event(cursor))).collect()
    }

    #[test]
    fn the_tail_answers_only_what_it_knows() {
        let mut tail = Tail::new(10);
        tail.append(&events(11..=13), 4);
        let known = |cursor, rung| {
            tail.after_cursor(cursor, rung).map(|events| events.iter().map(|event| event.cursor).collect())
        };
        for (cursor, rung, expected) in [
            (9, 4, None),
            (10, 4, Some(vec![11, 12, 13])),
            // What is kept is told at once; whether there is more is asked afterwards.
            (10, 5, Some(vec![11, 12, 13])),
            (12, 5, Some(vec![13])),
            (13, 4, Some(vec![])),
            (13, 5, None),
            (14, 4, None),
        ] {
            assert_eq!(known(cursor, rung), expected, "after {cursor} at {rung}");
        }
    }

    #[test]
    fn the_tail_stays_short_and_a_full_page_is_not_the_end() {
        let mut tail = Tail { rung: 1, after: 0, events: VecDeque::new() };
        tail.append(&events(1..=PAGE), 2);
        assert_eq!((tail.rung, tail.end(), tail.events.len()), (1, PAGE, KEPT));
        assert!(tail.after_cursor(PAGE, 2).is_none());
        tail.append(&[], 2);
        assert_eq!(tail.after_cursor(PAGE, 2).map(|events| events.len()), Some(0));
    }

    #[test]
    fn a_ring_before_the_wait_is_not_missed() {
        let room = Room::new(ConversationId::new());
        let mut bell = room.bell();
        let rung = *bell.borrow_and_update();
        room.ring();
        assert!(bell.has_changed().unwrap());
        assert_eq!(*bell.borrow_and_update(), rung + 1);
    }
}
