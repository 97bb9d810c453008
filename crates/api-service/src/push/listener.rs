//! One listener: a bounded queue of what it is told, filled by a follower for each conversation that it
//! listens to, and the reasons for its end. It knows nothing of how its transport words things.

use foundation::crash::{Place, sending};
use std::{collections::HashMap, sync::Arc, time::Duration};

use contract::{ConversationId, GenerationId, UserId};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    cursor::{Event, Start},
    frame::Told,
    hub::{Hub, Seat},
    room::{Next, Room},
};
use crate::store::Error;

/// How many events wait for a listener at most; further ones wait in the table.
const QUEUE: usize = 16;
/// How long a follower waits after the database failed it.
const RECOVERY: Duration = Duration::from_secs(1);

/// How a listener is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Server-sent events.
    Sse,
    /// A WebSocket.
    Websocket,
}

impl Transport {
    /// The word in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Websocket => "websocket",
        }
    }
}

/// Why nobody listens.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such conversation or generation, or it is another's.
    #[error("there is nothing of this user's to listen to")]
    NotFound,
    /// This user, or this socket, listens to as much as it may.
    #[error("too many listeners of one user")]
    TooMany,
    /// As many listen as the service can bear.
    #[error("too many listeners")]
    Full,
    /// The service stops.
    #[error("the service stops")]
    Stopping,
    /// The database cannot tell.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Why a listener hears no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The session was closed or ran out.
    SessionClosed,
    /// It did not take what it was told.
    TooSlow,
    /// The service stops.
    Stopping,
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// News.
    Told(Told),
    /// The end.
    Ended(End),
}

/// Somebody who listens. Dropped, it leaves nothing behind.
pub struct Listener {
    hub: Hub,
    seat: Seat,
    transport: Transport,
    tell: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
    cut: CancellationToken,
    following: HashMap<ConversationId, Following>,
}

/// A conversation that is being listened to, until this is dropped.
struct Following {
    conversation: ConversationId,
    transport: Transport,
    /// How far it was heard; at first, where that began.
    cursor: i64,
    _follower: DropGuard,
}

impl Drop for Following {
    fn drop(&mut self) {
        telemetry::event!(
            INFO, PUSH_LISTENER_DROPPED,
            conversationId = %self.conversation, cursor = self.cursor, transport = self.transport.as_str()
        );
    }
}

/// Which of a conversation's events a follower passes on, and where it begins.
struct Course {
    conversation: ConversationId,
    only: Option<GenerationId>,
    start: Start,
    last: i64,
}

impl Listener {
    pub(super) fn new(hub: Hub, seat: Seat, transport: Transport) -> Self {
        let (tell, told) = mpsc::channel(QUEUE);
        metrics::gauge!(telemetry::metric::PUSH_LISTENERS, "transport" => transport.as_str()).increment(1.0);
        Self { hub, seat, transport, tell, told, cut: CancellationToken::new(), following: HashMap::new() }
    }

    /// Who listens.
    #[must_use]
    pub fn user(&self) -> &UserId {
        self.seat.user()
    }

    /// Follows a conversation, in place of an earlier wish to follow it. Returns the cursor after which
    /// events will be told.
    pub async fn follow(&mut self, conversation: ConversationId, start: Start) -> Result<i64, Refused> {
        let others = self.following.keys().filter(|other| **other != conversation).count();
        if others >= self.hub.settings().subscriptions {
            return Err(Refused::TooMany);
        }
        let last = self.hub.store().last_cursor(self.seat.user(), &conversation).await?;
        let last = last.ok_or(Refused::NotFound)?;
        Ok(self.begin(Course { conversation, only: None, start, last }))
    }

    /// Follows one generation: of its conversation's events those that are about it.
    pub async fn follow_generation(&mut self, id: GenerationId, start: Start) -> Result<i64, Refused> {
        let found = self.hub.store().generation_cursor(self.seat.user(), &id).await?;
        let (conversation, last) = found.ok_or(Refused::NotFound)?;
        Ok(self.begin(Course { conversation, only: Some(id), start, last }))
    }

    /// Follows a conversation no more. What is queued already is still told.
    pub fn leave(&mut self, conversation: &ConversationId) {
        self.following.remove(conversation);
    }

    /// What comes next. Cancellation-safe.
    pub async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            () = self.hub.stop().cancelled() => Heard::Ended(End::Stopping),
            () = self.seat.revoked().cancelled() => Heard::Ended(End::SessionClosed),
            // Never closed, because this listener holds one end itself.
            Some(told) = self.told.recv() => {
                self.note(&told);
                Heard::Told(told)
            }
            // Only after the queue is empty: what was told is still heard.
            () = self.cut.cancelled() => {
                let conversation = self.following.keys().next().cloned();
                conversation.map_or(Heard::Ended(End::TooSlow), |conversation| {
                    self.following.remove(&conversation);
                    Heard::Told(Told::Resync { conversation, cursor: None })
                })
            }
        }
    }

    /// Notes how far a conversation is heard by now.
    fn note(&mut self, told: &Told) {
        let (following, cursor) = match told {
            Told::Event { conversation, cursor, .. } => {
                let transport = self.transport.as_str();
                telemetry::event!(INFO, PUSH_EVENT_SENT, conversationId = %conversation, cursor, transport);
                (self.following.get_mut(conversation), *cursor)
            }
            Told::Resync { conversation, cursor: Some(cursor) } => {
                (self.following.get_mut(conversation), *cursor)
            }
            // Only said to whoever follows one generation, and nothing else.
            Told::Passed(cursor) => (self.following.values_mut().next(), *cursor),
            Told::Resync { cursor: None, .. } | Told::Gone(_) => return,
        };
        if let Some(following) = following {
            following.cursor = cursor;
        }
    }

    /// Waits until this listener has nothing more to hear, or is gone. Whoever has it may not look for its end
    /// for long, and is then to be ended from outside.
    pub fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let (stop, revoked) = (self.hub.stop().clone(), self.seat.revoked().clone());
        let (cut, tell) = (self.cut.clone(), self.tell.clone());
        async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = revoked.cancelled() => {}
                () = cut.cancelled() => {}
                () = tell.closed() => {}
            }
        }
    }

    /// Waits until a follower has given this listener up.
    #[cfg(test)]
    pub(super) async fn cut_off(&self) {
        self.cut.cancelled().await;
    }

    /// Follows a generation that stands in no table.
    #[cfg(test)]
    pub(super) fn begin_for_test(&mut self, conversation: ConversationId, only: GenerationId) {
        self.begin(Course { conversation, only: Some(only), start: Start::Now, last: 0 });
    }

    fn begin(&mut self, course: Course) -> i64 {
        let (conversation, transport) = (course.conversation.clone(), self.transport);
        // An earlier wish to follow it ends here.
        self.following.remove(&conversation);
        let resumed = match course.start {
            Start::After(cursor) if cursor <= course.last => Some(cursor),
            _ => None,
        };
        let from = resumed.unwrap_or(course.last);
        telemetry::event!(
            INFO, PUSH_LISTENER_CONNECTED,
            conversationId = %conversation, cursor = from, transport = transport.as_str()
        );
        if let Some(cursor) = resumed {
            telemetry::event!(
                INFO, PUSH_LISTENER_RESUMED,
                conversationId = %conversation, cursor, transport = transport.as_str()
            );
        }
        let cancel = CancellationToken::new();
        let room = self.hub.room(&conversation);
        if course.last > room.seen() {
            // More was committed than the room knows of: as good as a signal.
            room.ring();
        }
        let follower =
            Follower { room, hub: self.hub.clone(), tell: self.tell.clone(), cut: self.cut.clone(), course };
        let stop = cancel.clone();
        let hub_stop = self.hub.stop().clone();
        let work = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = hub_stop.cancelled() => {}
                () = follower.run(from) => {}
            }
        };
        self.hub.followers().spawn_on(work, self.hub.home());
        let following = Following {
            conversation: conversation.clone(),
            transport,
            cursor: from,
            _follower: cancel.drop_guard(),
        };
        self.following.insert(conversation, following);
        from
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let transport = self.transport.as_str();
        metrics::gauge!(telemetry::metric::PUSH_LISTENERS, "transport" => transport).decrement(1.0);
    }
}

/// Passes a conversation's events on to one listener.
struct Follower {
    hub: Hub,
    room: Arc<Room>,
    tell: mpsc::Sender<Told>,
    cut: CancellationToken,
    course: Course,
}

/// The listener is gone or cut off.
struct Deaf;

impl Follower {
    async fn run(self, from: i64) {
        // Deaf is an end like any other: whoever listened is gone.
        let _ = self.follow(from).await;
    }

    async fn follow(&self, from: i64) -> Result<(), Deaf> {
        let conversation = &self.course.conversation;
        let impossible = match self.course.start {
            Start::Now => false,
            Start::After(cursor) => cursor > self.course.last,
            Start::Impossible => true,
        };
        let mut cursor = from;
        if impossible {
            self.tell(Told::Resync { conversation: conversation.clone(), cursor: Some(cursor) }).await?;
        }
        let mut bell = self.room.bell();
        loop {
            // Before the read: a commit that comes after it rings again, and the wait below ends at once.
            let rung = *bell.borrow_and_update();
            match self.hub.note(self.room.after(self.hub.store(), cursor, rung).await) {
                None => tokio::select! {
                    () = tokio::time::sleep(RECOVERY) => {}
                    () = self.tell.closed() => return Err(Deaf),
                },
                Some(Next::Gone) => {
                    self.tell(Told::Gone(conversation.clone())).await?;
                    // Whoever hears it leaves, and so ends this; who does not is cut off.
                    tokio::time::sleep(self.hub.settings().patience).await;
                    self.cut.cancel();
                    return Err(Deaf);
                }
                Some(Next::Missed(last)) => {
                    cursor = last;
                    self.tell(Told::Resync { conversation: conversation.clone(), cursor: Some(cursor) })
                        .await?;
                }
                Some(Next::Events(events)) if events.is_empty() => tokio::select! {
                    rung = bell.changed() => rung.map_err(|_| Deaf)?,
                    () = self.tell.closed() => return Err(Deaf),
                },
                Some(Next::Events(events)) => {
                    let mut passed = false;
                    for event in events {
                        cursor = event.cursor;
                        passed = !self.concerns(&event);
                        if !passed {
                            sending(Place::EventsPushed, self.tell(self.render(&event))).await?;
                        }
                    }
                    if passed {
                        self.tell(Told::Passed(cursor)).await?;
                    }
                }
            }
        }
    }

    fn concerns(&self, event: &Event) -> bool {
        self.course.only.is_none() || event.generation == self.course.only
    }

    /// Links are signed anew for each listener, as late as possible, so that they last as long as possible.
    fn render(&self, event: &Event) -> Told {
        let conversation = self.course.conversation.clone();
        let mut payload = event.payload.clone();
        if event.name != "message.created" {
            self.hub.sign(&mut payload);
        }
        let data = event.data(&conversation, &payload);
        Told::Event { conversation, cursor: event.cursor, name: event.name.clone(), data }
    }

    /// A listener that takes nothing for too long is cut off; it reads the rest anew.
    async fn tell(&self, told: Told) -> Result<(), Deaf> {
        let sending = tokio::time::timeout(self.hub.settings().patience, self.tell.send(told));
        let Ok(sent) = sending.await else {
            self.cut.cancel();
            return Err(Deaf);
        };
        sent.map_err(|_| Deaf)
    }
}
