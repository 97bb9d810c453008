//! The outbox of webhooks against a receiver that answers as it is told.

use std::time::Duration;

use contract::{
    JobStatus, Timestamp,
    events::EventType,
    signing::Secrets,
    worker_api::{Command, DesiredState},
};
use foundation::{settings::Live, testing::TestDatabase};
use tokio_util::sync::CancellationToken;
use worker_service::{
    settings::WebhookSettings,
    store::{After, Store, Terms, Webhook, WebhookQuery, WebhookState, WebhookTry},
    webhooks::{
        dispatcher::Dispatcher,
        service::{Range, redeliver_range},
    },
};

use crate::{
    fixture::{command, eventually, in_time, nonce, on_both_databases, open, queued, terms},
    receiver::{Receiver, SECRET},
};

on_both_databases! {
    a_webhook_is_signed_and_delivered_once,
    what_is_not_taken_is_sent_again_under_the_same_id,
    a_redirect_is_a_failure_and_not_followed,
    gone_lets_the_endpoint_rest,
    the_receivers_retry_after_is_honoured,
    what_is_given_up_is_a_dead_letter_and_can_be_redelivered,
    a_newer_event_supersedes_an_undelivered_one,
    of_a_span_only_each_jobs_newest_event_is_sent_again,
    two_dispatchers_send_nothing_twice,
    what_is_redelivered_has_the_whole_schedule_before_it,
    a_try_under_way_takes_nothing_from_a_redelivery,
}

fn settings(receiver: &Receiver) -> WebhookSettings {
    WebhookSettings {
        url: receiver.url.clone(),
        secrets: Live::fixed(Secrets::parse(SECRET).unwrap()),
        timeout: Duration::from_secs(30),
        parallel: 4,
        first_retry: Duration::from_millis(10),
        longest_retry: Duration::from_secs(3_600),
        lifetime: Duration::from_secs(3_600),
        pause: Duration::from_secs(3_600),
        kept: Duration::from_secs(3_600),
        shutdown: Duration::from_secs(30),
    }
}

/// A dispatcher that runs until it is stopped.
struct Dispatching {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Dispatching {
    fn start(store: &Store, settings: &WebhookSettings) -> Self {
        let stop = CancellationToken::new();
        let dispatcher = Dispatcher::new(store.clone(), settings).unwrap();
        Self { task: tokio::spawn(dispatcher.run(stop.clone())), stop }
    }

    async fn end(self) {
        self.stop.cancel();
        in_time(self.task).await.unwrap();
    }
}

/// Makes a job tell something: it is cancelled as soon as it is there.
async fn tell(store: &Store) -> Command {
    let cancelled = command(DesiredState::Cancelled);
    store.take_command(&cancelled, &nonce()).await.unwrap();
    cancelled
}

async fn all(store: &Store) -> Vec<Webhook> {
    store.webhooks(&WebhookQuery { limit: 1_000, ..WebhookQuery::default() }).await.unwrap()
}

async fn settled(store: &Store, state: WebhookState) -> Webhook {
    eventually(|| async { all(store).await.pop().filter(|webhook| webhook.state == state) }).await
}

async fn a_webhook_is_signed_and_delivered_once(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    let told = tell(&store).await;
    let received = receiver.next().await;
    assert!(received.is_genuine());
    assert_eq!(received.event().kind, EventType::Cancelled);
    assert_eq!(received.event().data.generation_id, told.generation_id);
    let delivered = settled(&store, WebhookState::Delivered).await;
    assert_eq!(delivered.id.as_str(), received.signed.id);
    dispatching.end().await;
    assert!(receiver.came().is_none());
}

async fn what_is_not_taken_is_sent_again_under_the_same_id(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([(500, &[][..]), (404, &[])]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    tell(&store).await;
    let first = receiver.next().await;
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!((again.signed.id.as_str(), &again.body), (first.signed.id.as_str(), &first.body));
        assert!(again.is_genuine());
    }
    let delivered = settled(&store, WebhookState::Delivered).await;
    dispatching.end().await;
    let tries = store.tries(&[delivered.id]).await.unwrap();
    let shown: Vec<_> = tries.iter().map(|made| (made.number, made.status)).collect();
    assert_eq!(shown, [(1, Some(500)), (2, Some(404)), (3, Some(204))]);
    assert_eq!(tries[0].answer.as_deref(), Some("as told"));
}

async fn a_redirect_is_a_failure_and_not_followed(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([(307, &[("location", "/elsewhere")][..])]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    tell(&store).await;
    assert_eq!(receiver.next().await.path, "/hook");
    assert_eq!(receiver.next().await.path, "/hook");
    let delivered = settled(&store, WebhookState::Delivered).await;
    dispatching.end().await;
    assert_eq!(store.tries(&[delivered.id]).await.unwrap()[0].status, Some(307));
}

async fn gone_lets_the_endpoint_rest(database: TestDatabase) {
    let store = open(&database, Terms { webhook_lifetime: Duration::from_secs(7_200), ..terms() }).await;
    let mut receiver = Receiver::start([(410, &[][..])]).await;
    let settings = settings(&receiver);
    let dispatching = Dispatching::start(&store, &settings);
    tell(&store).await;
    receiver.next().await;
    let waiting = eventually(|| async {
        all(&store)
            .await
            .pop()
            .filter(|it| it.next_attempt_at > Timestamp::now() + Duration::from_secs(3_000))
    })
    .await;
    assert_eq!(waiting.state, WebhookState::Pending);
    dispatching.end().await;
    // Of another job, and due: the endpoint rests all the same. Another endpoint does not.
    tell(&store).await;
    let claim = |url: &'static str| store.claim_webhooks(url, &[], 10, Duration::from_secs(1));
    let here = store.claim_webhooks(settings.url.as_str(), &[], 10, Duration::from_secs(1)).await.unwrap();
    assert!(here.is_empty());
    assert_eq!(claim("http://elsewhere/").await.unwrap().len(), 1);
}

async fn the_receivers_retry_after_is_honoured(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([(503, &[("retry-after", "1800")][..])]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    tell(&store).await;
    receiver.next().await;
    let soonest = Timestamp::now() + Duration::from_secs(1_700);
    let waiting =
        eventually(|| async { all(&store).await.pop().filter(|it| it.next_attempt_at > soonest) }).await;
    assert_eq!(waiting.state, WebhookState::Pending);
    dispatching.end().await;
}

async fn what_is_given_up_is_a_dead_letter_and_can_be_redelivered(database: TestDatabase) {
    let store = open(&database, Terms { webhook_lifetime: Duration::from_millis(1), ..terms() }).await;
    let mut receiver = Receiver::start([(500, &[][..])]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    tell(&store).await;
    receiver.next().await;
    let dead = settled(&store, WebhookState::Dead).await;
    // A dead letter holds nothing back.
    tell(&store).await;
    assert_ne!(receiver.next().await.signed.id, dead.id.as_str());
    store.redeliver(&dead.id).await.unwrap().unwrap();
    assert_eq!(receiver.next().await.signed.id, dead.id.as_str());
    eventually(|| async {
        let now = store.webhook(&dead.id).await.unwrap().unwrap();
        (now.state == WebhookState::Delivered).then_some(())
    })
    .await;
    let span = (dead.created_at, Timestamp::now() + Duration::from_secs(60));
    let later = (span.1, span.1 + Duration::from_secs(1));
    assert_eq!(store.redeliver_range(later, None, 10).await.unwrap(), []);
    let first = store.redeliver_range(span, None, 1).await.unwrap();
    let second = store.redeliver_range(span, Some(&first[0].id), 1).await.unwrap();
    assert!(first[0].id == dead.id && second[0].id > dead.id, "a batch goes on where the last has ended");
    assert_eq!(store.redeliver_range(span, Some(&second[0].id), 1).await.unwrap(), []);
    receiver.answer((204, &[]));
    receiver.next().await;
    receiver.next().await;
    dispatching.end().await;
}

async fn a_newer_event_supersedes_an_undelivered_one(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([]).await;
    let wanted = command(DesiredState::Confirmed);
    store.take_command(&wanted, &nonce()).await.unwrap();
    let worker = store.register_worker("one").await.unwrap();
    assert_eq!(store.claim(&worker, 1, 1).await.unwrap().len(), 1);
    let cancel = Command { revision: 2, state: DesiredState::Cancelled, ..wanted };
    let job = store.take_command(&cancel, &nonce()).await.unwrap().job;
    assert_eq!(job.life.status, JobStatus::Cancelled);
    let states: Vec<_> = all(&store).await.into_iter().map(|it| (it.kind, it.state)).collect();
    assert_eq!(
        states,
        [
            ("generation.cancelled".to_owned(), WebhookState::Pending),
            ("generation.started".to_owned(), WebhookState::Superseded),
        ]
    );
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    assert_eq!(receiver.next().await.event().data.sequence, job.life.sequence);
    dispatching.end().await;
    assert!(receiver.came().is_none());
}

async fn of_a_span_only_each_jobs_newest_event_is_sent_again(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([]).await;
    let dispatching = Dispatching::start(&store, &settings(&receiver));
    let wanted = command(DesiredState::Confirmed);
    store.take_command(&wanted, &nonce()).await.unwrap();
    let worker = store.register_worker("one").await.unwrap();
    assert_eq!(store.claim(&worker, 1, 1).await.unwrap().len(), 1);
    settled(&store, WebhookState::Delivered).await;
    let cancel = Command { revision: 2, state: DesiredState::Cancelled, ..wanted };
    let job = store.take_command(&cancel, &nonce()).await.unwrap().job;
    let delivered = async || all(&store).await.iter().all(|it| it.state == WebhookState::Delivered);
    eventually(|| async { delivered().await.then_some(()) }).await;
    assert_eq!(all(&store).await.len(), 2);

    let whole = Range { since: job.created_at, until: Timestamp::now() + Duration::from_secs(60) };
    assert_eq!(redeliver_range(&store, whole).await.unwrap().redelivered, 1);
    assert_eq!(receiver.next().await.event().kind, EventType::Started);
    for _ in 0..2 {
        assert_eq!(receiver.next().await.event().kind, EventType::Cancelled);
    }
    eventually(|| async { delivered().await.then_some(()) }).await;
    dispatching.end().await;
    assert!(receiver.came().is_none());
}

async fn two_dispatchers_send_nothing_twice(database: TestDatabase) {
    const JOBS: usize = 30;
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([]).await;
    for _ in 0..JOBS {
        tell(&store).await;
    }
    queued(&store).await;
    let settings = settings(&receiver);
    let dispatching = [Dispatching::start(&store, &settings), Dispatching::start(&store, &settings)];
    let mut ids = std::collections::HashSet::new();
    for _ in 0..JOBS {
        ids.insert(receiver.next().await.signed.id);
    }
    eventually(|| async {
        let left = WebhookQuery { state: Some(WebhookState::Pending), limit: 1, before: None };
        store.webhooks(&left).await.unwrap().is_empty().then_some(())
    })
    .await;
    for dispatcher in dispatching {
        dispatcher.end().await;
    }
    assert_eq!(ids.len(), JOBS);
    assert!(receiver.came().is_none());
}

/// Claims the one webhook that is due, for a try that begins now.
async fn claimed(store: &Store, url: &str) -> Webhook {
    eventually(|| async { store.claim_webhooks(url, &[], 1, Duration::ZERO).await.unwrap().pop() }).await
}

/// A try of it that was refused.
fn refused(webhook: &Webhook) -> WebhookTry {
    WebhookTry {
        webhook_id: webhook.id.clone(),
        number: webhook.attempts,
        status: Some(500),
        duration_ms: 1,
        answer: None,
        error: None,
        created_at: Timestamp::now(),
    }
}

/// So many tries that the next one would be an hour away.
async fn give_up(store: &Store, url: &str) -> Webhook {
    for _ in 0..25 {
        let webhook = claimed(store, url).await;
        store.record_try(&refused(&webhook), After::Again(Duration::ZERO)).await.unwrap();
    }
    let last = claimed(store, url).await;
    store.record_try(&refused(&last), After::Dead).await.unwrap();
    store.webhook(&last.id).await.unwrap().unwrap()
}

async fn what_is_redelivered_has_the_whole_schedule_before_it(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut receiver = Receiver::start([]).await;
    let settings = settings(&receiver);
    tell(&store).await;
    let dead = give_up(&store, settings.url.as_str()).await;
    assert_eq!((dead.state, dead.attempts, dead.attempts_before), (WebhookState::Dead, 26, 0));

    let span = (dead.created_at, Timestamp::now() + Duration::from_secs(60));
    let mut tries = dead.attempts;
    for by_range in [false, true] {
        if by_range {
            assert_eq!(store.redeliver_range(span, None, 10).await.unwrap().len(), 1);
        } else {
            store.redeliver(&dead.id).await.unwrap().unwrap();
        }
        let due = store.webhook(&dead.id).await.unwrap().unwrap();
        assert_eq!((due.state, due.attempts, due.attempts_before), (WebhookState::Pending, tries, tries));
        assert!(due.expires_at > dead.expires_at, "its age begins anew");
        // Refused twice: what it waits then are some hundredths of a second.
        receiver.answer((500, &[]));
        receiver.answer((500, &[]));
        let dispatching = Dispatching::start(&store, &settings);
        for _ in 0..3 {
            assert_eq!(receiver.next().await.signed.id, dead.id.as_str());
        }
        tries += 3;
        let delivered = settled(&store, WebhookState::Delivered).await;
        assert_eq!(delivered.attempts, tries, "its tries are counted on");
        dispatching.end().await;
    }
}

async fn a_try_under_way_takes_nothing_from_a_redelivery(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let url = "http://receiver.example/";
    tell(&store).await;
    for after in [After::Again(Duration::from_hours(1)), After::Dead] {
        let webhook = claimed(&store, url).await;
        let due = store.redeliver(&webhook.id).await.unwrap().unwrap();
        store.record_try(&refused(&webhook), after).await.unwrap();
        assert_eq!(store.webhook(&webhook.id).await.unwrap(), Some(due), "{after:?}");
    }
    let webhook = claimed(&store, url).await;
    store.redeliver(&webhook.id).await.unwrap().unwrap();
    store.record_try(&refused(&webhook), After::Delivered).await.unwrap();
    let delivered = store.webhook(&webhook.id).await.unwrap().unwrap();
    assert_eq!(delivered.state, WebhookState::Delivered, "it has come");
}
