//! Rolling restarts: two replicas of each service on PostgreSQL behind a balancer, restarted one after the other
//! under traffic. No user sees an error, no video is made twice. And a stop in the middle of everything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{
    Backend, Between, Build, Client, LOOK,
    client::id,
    eventually,
    system::{WEBHOOK_SECRET, WORKER_API_SECRET},
};

/// How long a supervisor waits before it kills.
const SUPERVISOR: Duration = Duration::from_secs(25);
/// How many people ask for videos all the while.
const USERS: usize = 3;

/// Asks for videos until it is told to stop, and follows each to its end. Every request must be answered well.
async fn traffic(
    user: Client,
    number: usize,
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
) -> Vec<Value> {
    let mut ended = Vec::new();
    let send = async |method: Method, path: String, body: Option<Value>| {
        let request = user.request(method, &path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = user.send(request).await;
        requests.fetch_add(1, Ordering::Relaxed);
        assert!(answer.status.is_success(), "{path}: {} {:#}", answer.status, answer.body);
        answer.body
    };
    while !stop.load(Ordering::Relaxed) {
        let prompt = format!("boat {} of person {number}", ended.len());
        let parameters = json!({"duration": 4, "aspectRatio": "16:9", "resolution": "720p"});
        let body = json!({"prompt": prompt, "parameters": parameters});
        let generation = send(Method::POST, "/api/generations".to_owned(), Some(body)).await;
        let path = format!("/api/generations/{}", id(&generation));
        send(Method::POST, format!("{path}/confirm"), Some(json!({}))).await;
        loop {
            let status = send(Method::GET, format!("{path}/status"), None).await;
            if status["terminal"] == true {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        ended.push(send(Method::GET, path, None).await);
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_both_services_are_restarted_replica_by_replica() {
    let settings = [("SHUTDOWN_NOTICE", "500ms"), ("SIMULATOR_RENDER", "cached")];
    let build = Build { replicas: 2, between: Between::Balancers, ..Build::on(Backend::Postgres) };
    let mut system = build.quick(&settings).start().await;
    let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut users = Vec::new();
    for number in 0..USERS {
        let user = Client::registered(&system.api).await.without_keeping_connections();
        users.push(tokio::spawn(traffic(user, number, Arc::clone(&stop), Arc::clone(&requests))));
    }
    for name in ["api", "worker", "api-2", "worker-2"] {
        let before = requests.load(Ordering::Relaxed);
        let status = system.process(name).stop().await;
        assert!(status.success(), "{name}: {status}");
        system.process(name).start_again().await;
        // Traffic went on meanwhile, and goes on with the new one.
        eventually("there is traffic", async || {
            (requests.load(Ordering::Relaxed) > before + 10).then_some(())
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut videos = 0;
    for user in users {
        for generation in user.await.unwrap() {
            assert_eq!(generation["status"], "completed", "{generation:#}");
            assert_eq!(system.submissions(generation["prompt"].as_str().unwrap()).await, 1, "{generation:#}");
            videos += 1;
        }
    }
    assert!(videos >= USERS, "{videos}");
}

/// Both secrets of both services are rotated in their files, under traffic: add, wait, remove. Nothing is refused on
/// the way, so nothing can be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_the_secrets_are_rotated() {
    const NEXT: [&str; 2] = [
        "whsec_bmV4dC1jb21tYW5kcy1hcmUtc2lnbmVkLXdpdGgtdGhpcw==",
        "whsec_bmV4dC13ZWJob29rcy1hcmUtc2lnbmVkLXdpdGgtdGhpcw==",
    ];
    const NAMES: [&str; 2] = ["WORKER_API_SECRETS_FILE", "WEBHOOK_SECRETS_FILE"];
    let old = [WORKER_API_SECRET, WEBHOOK_SECRET];
    let folder = tempfile::tempdir().unwrap();
    let file = |service: &str, name: &str| folder.path().join(format!("{service}-{name}"));
    let write = |service: &str, secrets: [String; 2]| {
        for (name, secrets) in NAMES.iter().zip(secrets) {
            std::fs::write(file(service, name), secrets).unwrap();
        }
    };
    let mut build = Build::on(Backend::Sqlite);
    for service in ["api", "worker"] {
        write(service, old.map(str::to_owned));
        for name in NAMES {
            build.own.push((service, name, file(service, name).display().to_string()));
        }
    }
    let system = build.quick(&[("SIMULATOR_RENDER", "cached")]).start().await;
    let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let user = Client::registered(&system.api).await;
    let user = tokio::spawn(traffic(user, 0, Arc::clone(&stop), Arc::clone(&requests)));
    let both = || [0, 1].map(|index| format!("{},{}", old[index], NEXT[index]));
    let new = || NEXT.map(str::to_owned);
    for (service, secrets, rounds) in
        [("api", both(), 1), ("worker", both(), 1), ("worker", new(), 2), ("api", new(), 2)]
    {
        write(service, secrets);
        eventually("the files were read again", async || {
            let read = |event: &Value| event["message"] == "Settings were read again from their files";
            let log = system.processes[service].log();
            (log.events().iter().filter(|event| read(event)).count() >= rounds).then_some(())
        })
        .await;
        let before = requests.load(Ordering::Relaxed);
        eventually("there is traffic", async || {
            (requests.load(Ordering::Relaxed) > before + 10).then_some(())
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    let videos = user.await.unwrap();
    assert!(
        videos.len() > 1 && videos.iter().all(|generation| generation["status"] == "completed"),
        "{videos:#?}"
    );
    for event in system.events() {
        let refused = event["message"] == "[WEBHOOK] Signature refused" || event["authenticated"] == false;
        assert!(!refused, "{event:#}");
    }
}

/// Fifty videos in the making, a stream that somebody listens to, a transaction that waits for a lock: all of it ends
/// in order, the listener is told to come back, and when the services are there again, each video is made, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_of_everything_loses_nothing() {
    const VIDEOS: usize = 50;
    let settings = [
        ("WORKER_RUNNING_JOBS", "50"),
        ("WORKER_RUNNING_JOBS_PER_USER", "50"),
        ("QUEUED_GENERATIONS_PER_USER", "50"),
        ("SIMULATOR_RENDER", "cached"),
        ("SIMULATOR_LATENCY", "20s"),
    ];
    let mut system = Build::on(Backend::Postgres).quick(&settings).start().await;
    let user = system.user().await;
    let prompts: Vec<_> = (0..VIDEOS).map(|number| format!("boat {number} of a fleet")).collect();
    let ordered = join_all(prompts.iter().map(|prompt| user.order(prompt))).await;
    eventually("all are being made", async || {
        let accepted = |event: &Value| event["message"] == "[VEO3_SERVICE] Operation accepted";
        (system.events().iter().filter(|event| accepted(event)).count() == VIDEOS).then_some(())
    })
    .await;
    let mut events = user.listen(&format!("/api/generations/{}/events", id(&ordered[0])), None).await;

    let conversation = ordered[1]["conversationId"].as_str().unwrap();
    let url = system.database.as_ref().unwrap().url();
    let mut holder = AsyncPgConnection::establish(&url).await.unwrap();
    let lock = format!("BEGIN; SELECT 1 FROM api.conversation WHERE id = '{conversation}' FOR UPDATE");
    holder.batch_execute(&lock).await.unwrap();
    let renamed = user.request(Method::PATCH, &format!("/api/conversations/{conversation}"));
    let waiting = tokio::spawn(renamed.json(&json!({"title": "A name that waits"})).send());
    let mut onlooker = AsyncPgConnection::establish(&url).await.unwrap();
    eventually("a transaction waits", async || is_waiting(&mut onlooker).await.then_some(())).await;

    let mut api = system.processes.remove("api").unwrap();
    let worker = system.process("worker");
    let stopped = timeout(SUPERVISOR, join(api.stop(), worker.stop())).await;
    let (of_api, of_worker) = stopped.expect("both stop before they would be killed");
    assert!(of_api.success() && of_worker.success(), "{of_api}, {of_worker}");
    while events.next().await.is_some() {}
    assert!(events.said_goodbye);
    drop(waiting);
    holder.batch_execute("ROLLBACK").await.unwrap();

    join(api.start_again(), worker.start_again()).await;
    system.processes.insert("api", api);
    for (generation, prompt) in ordered.iter().zip(&prompts) {
        user.until(generation, "completed").await;
        assert_eq!(system.submissions(prompt).await, 1, "{prompt}");
    }
}

/// Whether some statement waits for another's lock.
async fn is_waiting(connection: &mut AsyncPgConnection) -> bool {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let query = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("({query})"));
    let count: i64 = diesel_async::RunQueryDsl::get_result(diesel::select(query), connection).await.unwrap();
    count > 0
}
