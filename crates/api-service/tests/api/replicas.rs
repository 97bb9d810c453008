//! Two replicas of the service on one PostgreSQL database.

use std::collections::BTreeSet;

use contract::{EventId, JobStatus, worker_api::DesiredState};
use foundation::testing::TestDatabase;
use serde_json::json;

use crate::{
    generations::{becomes, id, kinds, path, priced, said, start},
    test_app::TestApp,
    worker::{FakeWorker, deliver, event},
};

/// I6, I8: each command is handed over once, whichever replica's dispatcher takes it, and a webhook that comes
/// to both has one effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_do_nothing_twice() {
    const EACH: usize = 8;
    let mut worker = FakeWorker::start();
    let database = TestDatabase::postgres().await;
    let url = database.url();
    let one = start(database, &worker).await;
    let settings = [("DATABASE_URL", url.as_str()), ("WORKER_URL", worker.url.as_str())];
    let other = TestApp::start_with(TestDatabase::sqlite(), &settings).await;
    let user = one.user().await;
    let there = other.holder_of(user.token.clone());

    let mut generations = Vec::new();
    for _ in 0..EACH {
        generations.extend([priced(&user).await, priced(&there).await]);
    }
    // Held up, commands gather, and both dispatchers look for them at the same time.
    worker.holds();
    let confirmed = generations.iter().zip([&user, &there].into_iter().cycle()).map(|(generation, user)| {
        let at = format!("{}/confirm", path(generation));
        async move { user.post(&at, &json!({})).await }
    });
    assert!(futures_util::future::join_all(confirmed).await.iter().all(|answer| answer.status == 200));
    worker.lets_go();
    for generation in &generations {
        becomes(&user, generation, "queued").await;
    }

    let done = id(&generations[0]);
    let body = serde_json::to_vec(&event(worker.snapshot(&done, JobStatus::Completed, 2))).unwrap();
    let webhook = EventId::new();
    let delivered = [&one, &other, &one, &other].map(|app| deliver(app, webhook.as_str(), &body));
    assert!(futures_util::future::join_all(delivered).await.iter().all(|answer| answer.status == 204));
    assert_eq!(kinds(&said(&there, &generations[0]).await), ["text", "confirmation", "generation_result"]);

    other.stop().await;
    one.stop().await;
    let told = worker.others();
    let revisions: BTreeSet<_> =
        told.iter().map(|told| (told.generation_id.clone(), told.revision)).collect();
    assert_eq!(revisions.len(), told.len(), "no revision twice");
    let yes = told.iter().filter(|told| told.state == DesiredState::Confirmed).count();
    assert_eq!(yes, generations.len());
}
