//! Rolling restarts: two replicas of each service on PostgreSQL behind a balancer, restarted one after the other
//! under traffic. No user sees an error, no video is made twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Backend, Between, Build, Client, LOOK, client::id};

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
        crate::harness::eventually("there is traffic", async || {
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
