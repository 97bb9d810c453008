//! The hub: it knows who listens to what, rings rooms when signals say that there is news, looks by itself
//! every few seconds in case a signal was lost, and ends what must end: streams of closed sessions, and all
//! of them when the service stops.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contract::{ConversationId, UserId};
use foundation::tasks::Tasks;
use serde_json::Value;
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast::error::RecvError},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    PushSettings,
    listener::{Listener, Refused, Transport},
    room::Room,
};
use crate::store::{Error, Store};

/// How long to wait before the connection that listens is opened again: doubled from the first to the last.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Turns the unsigned links of a generation in its GET form into such that a browser can follow.
pub type Sign = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// The hub of one process. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    store: Store,
    settings: PushSettings,
    sign: Sign,
    home: Handle,
    rooms: Mutex<HashMap<ConversationId, Weak<Room>>>,
    seats: Mutex<Seats>,
    sessions_changed: Notify,
    followers: TaskTracker,
    stop: CancellationToken,
    failing: AtomicBool,
}

/// Who listens, counted.
#[derive(Default)]
struct Seats {
    all: usize,
    users: HashMap<UserId, usize>,
    sessions: HashMap<String, (CancellationToken, usize)>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("listeners", &self.seats().all).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub on a store. Reading runs on `home`, where the database's connections live.
    #[must_use]
    pub fn new(store: Store, settings: PushSettings, sign: Sign, home: Handle) -> Self {
        Self(Arc::new(Inner {
            store,
            settings,
            sign,
            home,
            rooms: Mutex::default(),
            seats: Mutex::default(),
            sessions_changed: Notify::new(),
            followers: TaskTracker::new(),
            stop: CancellationToken::new(),
            failing: AtomicBool::new(false),
        }))
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &PushSettings {
        &self.0.settings
    }

    /// Takes in a listener: `session` is the hash of the token by which the user is known. The listener ends
    /// when that session does.
    pub fn listen(&self, user: UserId, session: String, transport: Transport) -> Result<Listener, Refused> {
        if self.0.stop.is_cancelled() {
            return Err(Refused::Stopping);
        }
        let seat = self.take_seat(user, session)?;
        Ok(Listener::new(self.clone(), seat, transport))
    }

    /// To be called after a session was closed: its streams end now and not only with the next sweep.
    pub fn sessions_changed(&self) {
        self.0.sessions_changed.notify_one();
    }

    /// Ends all streams and takes in no new ones. The first step of a graceful stop, because an open stream
    /// would hold the server's.
    pub fn close(&self) {
        self.0.stop.cancel();
        self.0.followers.close();
    }

    /// Waits until nothing reads for listeners any more. To be called after [`Hub::close`].
    pub async fn closed(&self) {
        self.0.followers.wait().await;
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn home(&self) -> &Handle {
        &self.0.home
    }

    pub(super) fn followers(&self) -> &TaskTracker {
        &self.0.followers
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(super) fn sign(&self, payload: &mut Value) {
        (self.0.sign)(payload);
    }

    /// The room of a conversation; it lasts as long as somebody has it.
    pub(super) fn room(&self, conversation: &ConversationId) -> Arc<Room> {
        let mut rooms = locked(&self.0.rooms);
        if let Some(room) = rooms.get(conversation).and_then(Weak::upgrade) {
            return room;
        }
        let room = Arc::new(Room::new(conversation.clone()));
        rooms.insert(conversation.clone(), Arc::downgrade(&room));
        room
    }

    /// Notes how a read went: the first failure after a success is logged, and no more until one succeeds.
    pub(super) fn note<T>(&self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.0.failing.store(false, Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                if !self.0.failing.swap(true, Ordering::Relaxed) {
                    telemetry::event!(WARN, SERVICE_TASK_FAILED, task = "push", error = %error);
                }
                None
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        locked(&self.0.seats)
    }

    fn take_seat(&self, user: UserId, session: String) -> Result<Seat, Refused> {
        let mut seats = self.seats();
        let settings = &self.0.settings;
        if seats.all >= settings.listeners {
            return Err(Refused::Full);
        }
        let own = seats.users.entry(user.clone()).or_default();
        if *own >= settings.listeners_per_user {
            return Err(Refused::TooMany);
        }
        *own += 1;
        seats.all += 1;
        let (revoked, count) = seats.sessions.entry(session.clone()).or_default();
        *count += 1;
        let revoked = revoked.clone();
        drop(seats);
        Ok(Seat { hub: self.clone(), user, session, revoked })
    }

    fn ring(&self, conversation: &ConversationId) {
        let mut rooms = locked(&self.0.rooms);
        match rooms.get(conversation).map(Weak::upgrade) {
            Some(Some(room)) => room.ring(),
            Some(None) => drop(rooms.remove(conversation)),
            None => {}
        }
    }

    /// Looks which of the conversations that are listened to have more than was read, or are gone.
    async fn sweep(&self) {
        let rooms: HashMap<ConversationId, Arc<Room>> = {
            let mut rooms = locked(&self.0.rooms);
            rooms.retain(|_, room| room.strong_count() > 0);
            rooms.iter().filter_map(|(id, room)| Some((id.clone(), room.upgrade()?))).collect()
        };
        let ids: Vec<_> = rooms.keys().cloned().collect();
        let Some(cursors) = self.note(self.0.store.last_cursors(&ids).await) else { return };
        let cursors: HashMap<_, _> = cursors.into_iter().collect();
        for (id, room) in rooms {
            if cursors.get(&id).is_none_or(|last| *last > room.seen()) {
                room.ring();
            }
        }
    }

    /// Ends the listeners whose sessions no longer hold.
    async fn check_sessions(&self) {
        let sessions: Vec<String> = self.seats().sessions.keys().cloned().collect();
        let Some(hold) = self.note(self.0.store.sessions_that_hold(&sessions).await) else { return };
        let hold: HashSet<_> = hold.into_iter().collect();
        let seats = self.seats();
        for session in sessions.iter().filter(|session| !hold.contains(*session)) {
            if let Some((revoked, _)) = seats.sessions.get(session) {
                revoked.cancel();
            }
        }
    }

    /// Rings rooms and checks sessions until told to stop, then ends all streams.
    async fn run(self, stop: CancellationToken) {
        let mut signals = self.0.store.wakes().events.subscribe();
        let mut ticks = tokio::time::interval(self.0.settings.sweep);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                signal = signals.recv() => match signal {
                    Ok(conversation) => self.ring(&conversation),
                    Err(RecvError::Lagged(_)) => self.sweep().await,
                    Err(RecvError::Closed) => break,
                },
                () = self.0.sessions_changed.notified() => self.check_sessions().await,
                _ = ticks.tick() => {
                    self.sweep().await;
                    self.check_sessions().await;
                }
            }
        }
        self.close();
    }

    /// Hears of the commits of all replicas and signals them in this one, until told to stop. After each
    /// reconnect everything is looked at, because what was committed meanwhile was not heard of.
    async fn hear(self, stop: CancellationToken) {
        let mut delay = RECONNECT.0;
        loop {
            let hearing = async {
                let Some(mut hearing) = self.0.store.hear().await? else { return Ok(()) };
                self.sweep().await;
                delay = RECONNECT.0;
                loop {
                    let conversation = hearing.next().await?;
                    // Nobody listening at the moment is no error.
                    let _ = self.0.store.wakes().events.send(conversation);
                }
            };
            let ended: Result<(), Error> = tokio::select! {
                () = stop.cancelled() => return,
                ended = hearing => ended,
            };
            if ended.is_ok() {
                return;
            }
            self.note(ended);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(delay) => delay = (delay * 2).min(RECONNECT.1),
            }
        }
    }
}

/// Starts the hub's background tasks.
pub fn tasks(hub: &Hub, tasks: &mut Tasks) {
    let ringing = hub.clone();
    tasks.supervise("push", move |stop| ringing.clone().run(stop));
    if hub.0.store.is_shared() {
        let hearing = hub.clone();
        tasks.supervise("push-signals", move |stop| hearing.clone().hear(stop));
    }
}

/// A listener's place, given back when it is dropped.
pub(super) struct Seat {
    hub: Hub,
    user: UserId,
    session: String,
    revoked: CancellationToken,
}

impl Seat {
    pub(super) fn user(&self) -> &UserId {
        &self.user
    }

    /// Cancelled when the session no longer holds.
    pub(super) fn revoked(&self) -> &CancellationToken {
        &self.revoked
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.hub.seats();
        seats.all -= 1;
        if let Some(own) = seats.users.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                seats.users.remove(&self.user);
            }
        }
        if let Some((_, count)) = seats.sessions.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                seats.sessions.remove(&self.session);
            }
        }
    }
}

/// What is guarded is whole at any time, so a panic elsewhere spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
