//! The hub on both databases: nothing skipped, nothing told twice, and every end in its time.

use std::time::Duration;

use contract::GenerationId;
use foundation::{settings::Environment, testing::TestDatabase};
use futures_util::FutureExt as _;
use serde_json::json;

use super::*;
use crate::{
    push::{End, Heard, cursor::Start, frame::Told},
    storage::events::fixture::{self, Somebody, happen},
};

/// No test waits so long for what has to come.
const SOON: Duration = Duration::from_secs(20);

struct World {
    store: Store,
    hub: Hub,
    tasks: Tasks,
}

impl World {
    /// A replica. `settings` are pairs of variables and values; by default nothing is swept in a test's time.
    async fn start(database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let mut variables = HashMap::from([("PUSH_SWEEP".to_owned(), "1h".to_owned())]);
        variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = PushSettings::read(&Environment::from_map(variables)).unwrap();
        let store = Store::open(database.settings()).await.unwrap();
        let sign: Sign = Arc::new(|payload| payload["resultUrl"] = json!("signed"));
        let hub = Hub::new(store.clone(), settings, sign, Handle::current());
        let mut tasks = Tasks::new(Handle::current());
        super::tasks(&hub, &mut tasks);
        let world = Self { store, hub, tasks };
        world.hears().await;
        world
    }

    /// Waits until commits on all replicas are heard of.
    async fn hears(&self) {
        let limit = tokio::time::Instant::now() + SOON;
        while self.store.is_shared() && fixture::hearing(&self.store).await == 0 {
            assert!(tokio::time::Instant::now() < limit, "nobody listens");
            tokio::task::yield_now().await;
        }
    }

    fn listen(&self, who: &Somebody) -> Listener {
        self.hub.listen(who.user.clone(), who.session.clone(), Transport::Sse).unwrap()
    }

    async fn follow(&self, who: &Somebody, start: Start) -> Listener {
        let mut listener = self.listen(who);
        listener.follow(who.conversation.clone(), start).await.unwrap();
        listener
    }

    async fn message(&self, who: &Somebody, signal: bool) -> i64 {
        happen(&self.store, &who.conversation, None, json!({}), signal).await
    }

    async fn stop(self) {
        assert_eq!(self.tasks.stop(SOON).await, Vec::<&str>::new());
        tokio::time::timeout(SOON, self.hub.closed()).await.unwrap();
        self.store.close();
    }
}

async fn heard(listener: &mut Listener) -> Heard {
    tokio::time::timeout(SOON, listener.next()).await.expect("nothing is heard")
}

/// The cursors of what is heard next; negative for a resync.
async fn cursors(listener: &mut Listener, count: usize) -> Vec<i64> {
    let mut cursors = Vec::new();
    while cursors.len() < count {
        cursors.push(match heard(listener).await {
            Heard::Told(Told::Event { cursor, .. }) => cursor,
            Heard::Told(Told::Resync { cursor, .. }) => -cursor.unwrap_or(0),
            other => panic!("heard {other:?}"),
        });
    }
    cursors
}

/// Runs a test on either database.
macro_rules! on_both_databases {
    ($($(#[$about:meta])* async fn $name:ident($database:ident: &TestDatabase) $body:block)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let $database = &TestDatabase::sqlite();
                $body
            })*
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let $database = &TestDatabase::postgres().await;
                $body
            })*
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_how_far_a_listener_came() {
    let log = telemetry::testing::Capture::install().unwrap();
    let database = TestDatabase::sqlite();
    let world = World::start(&database, &[]).await;
    let who = Somebody::new(&world.store).await;
    for _ in 0..2 {
        world.message(&who, true).await;
    }
    let mut listener = world.follow(&who, Start::After(1)).await;
    assert_eq!(cursors(&mut listener, 1).await, [2]);
    listener.follow(who.conversation.clone(), Start::Now).await.unwrap();
    listener.leave(&who.conversation);
    drop(listener);
    for (name, expected) in [
        (telemetry::catalogue::PUSH_LISTENER_CONNECTED, vec![1, 2]),
        (telemetry::catalogue::PUSH_LISTENER_RESUMED, vec![1]),
        (telemetry::catalogue::PUSH_EVENT_SENT, vec![2]),
        (telemetry::catalogue::PUSH_LISTENER_DROPPED, vec![2, 2]),
    ] {
        let mut lines = log.named(name);
        lines.retain(|line| line.text("conversationId") == Some(who.conversation.as_str()));
        assert!(lines.iter().all(|line| line.fault().is_none()), "{lines:?}");
        let cursors: Vec<_> = lines.iter().filter_map(|line| line.fields["cursor"].as_i64()).collect();
        assert_eq!(cursors, expected, "{name}");
    }
    world.stop().await;
}

on_both_databases! {
    async fn a_listener_begins_now_or_after_its_cursor(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        world.message(&who, true).await;
        world.message(&who, true).await;
        let mut now = world.follow(&who, Start::Now).await;
        let mut resumed = world.follow(&who, Start::After(1)).await;
        let mut whole = world.follow(&who, Start::After(0)).await;
        world.message(&who, true).await;
        assert_eq!(cursors(&mut now, 1).await, [3]);
        assert_eq!(cursors(&mut resumed, 2).await, [2, 3]);
        assert_eq!(cursors(&mut whole, 3).await, [1, 2, 3]);
        drop((now, resumed, whole));
        world.stop().await;
    }

    async fn commits_while_listeners_read_are_neither_skipped_nor_doubled(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Arc::new(Somebody::new(&world.store).await);
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(world.follow(&who, Start::Now).await);
        }
        let writing = {
            let (store, who) = (world.store.clone(), Arc::clone(&who));
            tokio::spawn(async move {
                for _ in 0..60 {
                    happen(&store, &who.conversation, None, json!({}), true).await;
                }
            })
        };
        for listener in &mut listeners {
            assert_eq!(cursors(listener, 60).await, (1..=60).collect::<Vec<_>>());
        }
        writing.await.unwrap();
        // A reconnect in between goes on where the last one ended, over several pages.
        for _ in 0..150 {
            world.message(&who, false).await;
        }
        let mut again = world.follow(&who, Start::After(60)).await;
        assert_eq!(cursors(&mut again, 150).await, (61..=210).collect::<Vec<_>>());
        drop((listeners, again));
        world.stop().await;
    }

    async fn a_lost_signal_costs_no_more_than_a_sweep(database: &TestDatabase) {
        let world = World::start(database, &[("PUSH_SWEEP", "50ms")]).await;
        let who = Somebody::new(&world.store).await;
        let mut listener = world.follow(&who, Start::Now).await;
        for cursor in 1..=3 {
            world.message(&who, false).await;
            assert_eq!(cursors(&mut listener, 1).await, [cursor]);
        }
        drop(listener);
        world.stop().await;
    }

    async fn a_cursor_that_is_pruned_or_impossible_gets_a_resync(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        for _ in 0..4 {
            world.message(&who, true).await;
        }
        fixture::prune(&world.store, &who.conversation, 2).await;
        for (start, expected) in [
            (Start::After(0), -4),
            (Start::After(1), -4),
            (Start::After(2), 3),
            (Start::After(5), -4),
            (Start::Impossible, -4),
        ] {
            let mut listener = world.follow(&who, start).await;
            assert_eq!(cursors(&mut listener, 1).await, [expected], "{start:?}");
        }
        // All are pruned, and one comes afterwards: the stream goes on.
        fixture::prune(&world.store, &who.conversation, 4).await;
        let mut listener = world.follow(&who, Start::After(3)).await;
        assert_eq!(cursors(&mut listener, 1).await, [-4]);
        world.message(&who, true).await;
        assert_eq!(cursors(&mut listener, 1).await, [5]);
        drop(listener);
        world.stop().await;
    }

    async fn a_generations_stream_tells_of_it_alone(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        let (mine, other) = (GenerationId::new(), GenerationId::new());
        let mut listener = world.listen(&who);
        let unknown = listener.follow_generation(mine.clone(), Start::Now).await;
        assert!(matches!(unknown, Err(Refused::NotFound)));
        listener.begin_for_test(who.conversation.clone(), mine.clone());
        for generation in [Some(&other), Some(&mine), None] {
            happen(&world.store, &who.conversation, generation, json!({"id": generation}), true).await;
        }
        let mut told = Vec::new();
        while !matches!(told.last(), Some(Told::Passed(3))) {
            let Heard::Told(next) = heard(&mut listener).await else { panic!("it ended") };
            told.push(next);
        }
        let events: Vec<_> = told.iter().filter(|told| matches!(told, Told::Event { .. })).collect();
        let [Told::Event { cursor: 2, name, data, .. }] = events.as_slice() else { panic!("{told:?}") };
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(name, "generation.updated");
        // Signed as it was told, not as it was stored.
        let generation = json!({"id": mine, "resultUrl": "signed"});
        assert_eq!(data, json!({"conversationId": who.conversation, "generation": generation}));
        drop(listener);
        world.stop().await;
    }

    async fn nobody_hears_what_is_anothers(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let (who, other) = (Somebody::new(&world.store).await, Somebody::new(&world.store).await);
        let mut listener = world.listen(&who);
        for conversation in [other.conversation.clone(), ConversationId::new()] {
            let refused = listener.follow(conversation, Start::After(0)).await;
            assert!(matches!(refused, Err(Refused::NotFound)));
        }
        listener.follow(who.conversation.clone(), Start::Now).await.unwrap();
        world.message(&other, true).await;
        world.message(&who, true).await;
        let Heard::Told(Told::Event { conversation, .. }) = heard(&mut listener).await else { panic!("no event") };
        assert_eq!(conversation, who.conversation);
        drop(listener);
        world.stop().await;
    }

    async fn a_closed_session_ends_its_streams_and_no_others(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        let other = Somebody { session: fixture::open_session(&world.store, &who.user).await, ..who_again(&who) };
        let (mut closed, mut open) = (world.follow(&who, Start::Now).await, world.follow(&other, Start::Now).await);
        fixture::close_session(&world.store, &who.session).await;
        world.hub.sessions_changed();
        assert_eq!(heard(&mut closed).await, Heard::Ended(End::SessionClosed));
        world.message(&who, true).await;
        assert_eq!(cursors(&mut open, 1).await, [1]);
        drop((closed, open));
        world.stop().await;
    }

    async fn a_deleted_conversation_is_gone(database: &TestDatabase) {
        let world = World::start(database, &[("PUSH_SWEEP", "50ms")]).await;
        let who = Somebody::new(&world.store).await;
        let mut listener = world.follow(&who, Start::Now).await;
        fixture::delete(&world.store, &who.conversation).await;
        assert_eq!(heard(&mut listener).await, Heard::Told(Told::Gone(who.conversation.clone())));
        drop(listener);
        world.stop().await;
    }

    async fn whoever_does_not_hear_that_its_conversation_is_gone_is_cut_off(database: &TestDatabase) {
        let world = World::start(database, &[("PUSH_SWEEP", "50ms"), ("PUSH_PATIENCE", "50ms")]).await;
        let who = Somebody::new(&world.store).await;
        let deaf = world.follow(&who, Start::Now).await;
        fixture::delete(&world.store, &who.conversation).await;
        tokio::time::timeout(SOON, deaf.over()).await.unwrap();
        drop(deaf);
        world.stop().await;
    }

    async fn a_listener_is_over_though_nobody_asks_what_it_hears(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        let other = Somebody { session: fixture::open_session(&world.store, &who.user).await, ..who_again(&who) };
        let (gone, closed, stopped) = (
            world.follow(&other, Start::Now).await,
            world.follow(&who, Start::Now).await,
            world.follow(&other, Start::Now).await,
        );
        let over = gone.over();
        drop(gone);
        tokio::time::timeout(SOON, over).await.unwrap();
        fixture::close_session(&world.store, &who.session).await;
        world.hub.sessions_changed();
        tokio::time::timeout(SOON, closed.over()).await.unwrap();
        assert_eq!(stopped.over().now_or_never(), None);
        world.hub.close();
        tokio::time::timeout(SOON, stopped.over()).await.unwrap();
        drop((closed, stopped));
        world.stop().await;
    }

    async fn a_slow_reader_is_cut_off_and_told_so(database: &TestDatabase) {
        let world = World::start(database, &[("PUSH_PATIENCE", "50ms")]).await;
        let who = Somebody::new(&world.store).await;
        let mut slow = world.follow(&who, Start::Now).await;
        for _ in 0..30 {
            world.message(&who, true).await;
        }
        slow.cut_off().await;
        // What was queued is still heard, then what to do about the rest.
        assert_eq!(cursors(&mut slow, 17).await, (1..=16).chain([0]).collect::<Vec<_>>());
        assert_eq!(heard(&mut slow).await, Heard::Ended(End::TooSlow));
        let mut again = world.follow(&who, Start::After(16)).await;
        assert_eq!(cursors(&mut again, 14).await, (17..=30).collect::<Vec<_>>());
        drop((slow, again));
        world.stop().await;
    }

    async fn listeners_are_bounded_and_give_their_places_back(database: &TestDatabase) {
        let limits = [("PUSH_LISTENERS", "3"), ("PUSH_LISTENERS_PER_USER", "2"), ("PUSH_SUBSCRIPTIONS", "1")];
        let world = World::start(database, &limits).await;
        let (who, other) = (Somebody::new(&world.store).await, Somebody::new(&world.store).await);
        let listen = |who: &Somebody| world.hub.listen(who.user.clone(), who.session.clone(), Transport::Sse);
        let mut first = listen(&who).unwrap();
        let second = listen(&who).unwrap();
        assert!(matches!(listen(&who), Err(Refused::TooMany)));
        let third = listen(&other).unwrap();
        assert!(matches!(listen(&other), Err(Refused::Full)));
        drop(second);
        let fourth = listen(&who).unwrap();
        // The same conversation again is no further one.
        for _ in 0..2 {
            first.follow(who.conversation.clone(), Start::Now).await.unwrap();
        }
        assert!(matches!(first.follow(ConversationId::new(), Start::Now).await, Err(Refused::TooMany)));
        drop((first, third, fourth));
        assert_eq!(world.hub.seats().all, 0);
        assert!(world.hub.seats().users.is_empty() && world.hub.seats().sessions.is_empty());
        world.stop().await;
    }

    async fn a_stop_ends_all_streams_and_takes_no_more(database: &TestDatabase) {
        let world = World::start(database, &[]).await;
        let who = Somebody::new(&world.store).await;
        let mut listener = world.follow(&who, Start::Now).await;
        world.hub.close();
        assert_eq!(heard(&mut listener).await, Heard::Ended(End::Stopping));
        assert!(matches!(
            world.hub.listen(who.user.clone(), who.session.clone(), Transport::Sse),
            Err(Refused::Stopping)
        ));
        // Followers end even if a listener is still held.
        tokio::time::timeout(SOON, world.hub.closed()).await.unwrap();
        world.stop().await;
        drop(listener);
    }
}

fn who_again(who: &Somebody) -> Somebody {
    Somebody { user: who.user.clone(), session: who.session.clone(), conversation: who.conversation.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_tell_each_others_commits() {
    let database = TestDatabase::postgres().await;
    let one = World::start(&database, &[]).await;
    let two = World::start(&database, &[]).await;
    let limit = tokio::time::Instant::now() + SOON;
    while fixture::hearing(&one.store).await < 2 {
        assert!(tokio::time::Instant::now() < limit, "both listen");
    }
    let who = Somebody::new(&one.store).await;
    let (mut here, mut there) = (one.follow(&who, Start::Now).await, two.follow(&who, Start::Now).await);
    for cursor in 1..=10 {
        let writer = if cursor % 2 == 0 { &one } else { &two };
        writer.message(&who, true).await;
        assert_eq!(cursors(&mut here, 1).await, [cursor]);
        assert_eq!(cursors(&mut there, 1).await, [cursor]);
    }
    drop((here, there));
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_while_nobody_hears_is_told_after_the_reconnect() {
    let database = TestDatabase::postgres().await;
    let world = World::start(&database, &[]).await;
    let who = Somebody::new(&world.store).await;
    let mut listener = world.follow(&who, Start::Now).await;
    for round in 0..3 {
        fixture::cut_hearing(&world.store).await;
        // Without a signal: only the sweep after the reconnect can find it.
        world.message(&who, false).await;
        assert_eq!(cursors(&mut listener, 1).await, [round * 2 + 1]);
        world.hears().await;
        world.message(&who, true).await;
        assert_eq!(cursors(&mut listener, 1).await, [round * 2 + 2]);
    }
    drop(listener);
    world.stop().await;
}
