//! What the tests of queue, webhooks and routes share: a store on either database, commands, and waiting.

use std::{future::Future, time::Duration};

use contract::{
    ConversationId, GenerationId, JobStatus, Parameters, UserId,
    worker_api::{Command, DesiredState},
};
use foundation::testing::TestDatabase;
use uuid::Uuid;
use worker_service::{
    jobs::state::Rules,
    store::{Job, Store, Terms},
};

/// Declares tests that run on SQLite and on PostgreSQL: each is an `async fn name(database: TestDatabase)`.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(foundation::testing::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(foundation::testing::TestDatabase::postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_databases;

/// Long enough for a slow machine; who waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn terms() -> Terms {
    Terms {
        rules: Rules {
            deadline: Duration::from_mins(30),
            max_retries: 3,
            retry_delays: vec![Duration::from_millis(10)],
        },
        lease: Duration::from_secs(600),
        webhook_lifetime: Duration::from_secs(3_600),
        queue_depth: 100,
    }
}

pub(crate) async fn open(database: &TestDatabase, terms: Terms) -> Store {
    Store::open(database.settings(), terms).await.unwrap()
}

pub(crate) fn command(state: DesiredState) -> Command {
    Command {
        generation_id: GenerationId::new(),
        user_id: UserId::new(),
        conversation_id: ConversationId::new(),
        revision: 1,
        state,
        provider: "veo3".to_owned(),
        model: "veo-3.1-generate-preview".to_owned(),
        prompt: "A paper boat".to_owned(),
        parameters: Parameters::default(),
        priority: 0,
        traceparent: None,
    }
}

pub(crate) fn nonce() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Puts a new job in the queue.
pub(crate) async fn queued(store: &Store) -> Job {
    store.take_command(&command(DesiredState::Confirmed), &nonce()).await.unwrap().job
}

/// The job as it is now.
pub(crate) async fn job(store: &Store, of: &GenerationId) -> Job {
    store.job(of).await.unwrap().unwrap()
}

/// Waits until the job has this status.
pub(crate) async fn reaches(store: &Store, of: &GenerationId, status: JobStatus) -> Job {
    eventually(|| async {
        let job = job(store, of).await;
        (job.life.status == status).then_some(job)
    })
    .await
}

/// Looks until there is an answer.
pub(crate) async fn eventually<T, Look: Future<Output = Option<T>>>(mut look: impl FnMut() -> Look) -> T {
    in_time(async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// Waits for something that must come.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap()
}
