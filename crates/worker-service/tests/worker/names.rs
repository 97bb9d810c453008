//! Workers' names on PostgreSQL: each is one living process's.

use std::time::Duration;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use foundation::{database::Postgres, testing::TestDatabase};
use worker_service::store::{Error, Terms};

use crate::fixture::{eventually, in_time, open, queued, terms};

/// Two processes of one name would each take the other's jobs for what its own former life has left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workers_name_is_one_living_processs() {
    let database = TestDatabase::postgres().await;
    let (first, second) = (open(&database, terms()).await, open(&database, terms()).await);
    let generation = queued(&first).await.generation_id;
    let id = first.register_worker("one").await.unwrap();
    assert_eq!(first.claim(&id, 1, 2).await.unwrap().len(), 1);
    let refused = second.register_worker("one").await;
    assert!(matches!(&refused, Err(Error::NameTaken(name)) if name == "one"), "{refused:?}");
    let other = second.register_worker("another").await.unwrap();
    assert!(second.claim(&other, 1, 2).await.unwrap().is_empty());
    assert!(first.heartbeat(&id, &[]).await.is_ok());

    // Its process ends, be it by kill -9: the next of its name has its jobs at once, though the lease holds.
    drop(first);
    let again = in_time(worker_service::queue::register(&second, "one")).await.unwrap();
    let claimed = second.claim(&again, 1, 2).await.unwrap();
    assert_eq!(claimed[0].job.generation_id, generation);
}

/// Of a host that vanished the server may not know for hours; that it has been silent for a lease is enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_workers_name_is_free() {
    let database = TestDatabase::postgres().await;
    let vanished = open(&database, terms()).await;
    vanished.register_worker("one").await.unwrap();
    let next = open(&database, Terms { lease: Duration::ZERO, ..terms() }).await;
    next.register_worker("one").await.unwrap();
    assert!(!next.keep_names().await, "the server still holds it for the one that vanished");

    // The server notices at last, and the name is the next one's, whose restart or namesake must not have it.
    drop(vanished);
    eventually(|| async { next.keep_names().await.then_some(()) }).await;
    let namesake = open(&database, terms()).await;
    let refused = namesake.register_worker("one").await;
    assert!(matches!(&refused, Err(Error::NameTaken(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_taken_again_after_its_session_broke() {
    let database = TestDatabase::postgres().await;
    let store = open(&database, terms()).await;
    store.register_worker("one").await.unwrap();
    let mut server = Postgres::establish(&database.url()).await.unwrap();
    server
        .batch_execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
             WHERE locktype = 'advisory' AND datname = current_database()",
        )
        .await
        .unwrap();
    assert!(!store.keep_names().await, "its session is gone");
    eventually(|| async { store.keep_names().await.then_some(()) }).await;
    let namesake = open(&database, terms()).await;
    assert!(matches!(namesake.register_worker("one").await, Err(Error::NameTaken(_))));
}
