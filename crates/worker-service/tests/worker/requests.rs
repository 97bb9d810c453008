//! What holds for requests of every kind: what they leave in the log, their methods, and their queries.

use contract::{
    Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
    worker_api::DesiredState,
};
use foundation::testing::TestDatabase;
use reqwest::{Response, StatusCode};
use serde_json::json;
use telemetry::{
    catalogue::{WORKER_AUTHENTICATION, WORKER_GENERATION_CREATE_JOB_CREATED, WORKER_REQUEST_RECEIVED},
    testing::{Capture, Record},
};

use crate::{
    fixture::{command, nonce},
    routes::{API_SECRET, Service, refused},
};

/// What a request has logged under this name.
fn told(logged: &Capture, name: &str, answer: &Response) -> Vec<Record> {
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    logged.named(name).into_iter().filter(|line| line.text("requestId") == Some(id)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_tells_whose_it_is_and_which_place_its_job_has() {
    let logged = Capture::install().unwrap();
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    for (state, place) in [(DesiredState::Pending, 0), (DesiredState::Confirmed, 1)] {
        let command = command(state);
        let answer = service.post("/api/generations", &serde_json::to_string(&command).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let lines = told(&logged, WORKER_AUTHENTICATION, &answer);
        let users: Vec<_> = lines.iter().map(|line| line.text("userId")).collect();
        assert_eq!(users, [Some(command.user_id.as_str())]);
        let lines = told(&logged, WORKER_GENERATION_CREATE_JOB_CREATED, &answer);
        let places: Vec<_> = lines.iter().map(|line| line.fields["queuePosition"].clone()).collect();
        assert_eq!(places, [json!(place)], "{state:?}");
    }
    let answer = service.get("/api/queue").await;
    let lines = told(&logged, WORKER_AUTHENTICATION, &answer);
    assert_eq!(lines.iter().map(|line| line.text("userId")).collect::<Vec<_>>(), [None], "nobody's");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_answered_as_get_is_and_signed_as_it_is_sent() {
    let logged = Capture::install().unwrap();
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    let head = async |target: &str| service.send(&nonce(), target, "HEAD", target, "").await;
    for target in ["/api/queue", "/api/openapi.json", "/healthz", "/metrics"] {
        let answer = head(target).await;
        assert_eq!(answer.status(), StatusCode::OK, "{target}");
        assert_ne!(answer.headers()["content-length"], "0", "{target}");
        assert_eq!(answer.text().await.unwrap(), "", "{target}");
    }
    let answer = head("/api/queue").await;
    let lines = told(&logged, WORKER_REQUEST_RECEIVED, &answer);
    assert_eq!(lines.iter().map(|line| line.text("method")).collect::<Vec<_>>(), [Some("HEAD")]);
    // A signature for GET opens GET alone.
    let secrets = Secrets::parse(API_SECRET).unwrap();
    let signed = secrets.sign_request(&nonce(), Timestamp::now(), "GET", "/api/queue", b"");
    let request = service.client.head(format!("{}/api/queue", service.base));
    let request = request.header(ID_HEADER, signed.id).header(TIMESTAMP_HEADER, signed.timestamp);
    let answer = request.header(SIGNATURE_HEADER, signed.signature).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    for (method, target, allow) in [
        ("HEAD", "/api/generations", "POST"),
        ("PUT", "/api/queue", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ] {
        let answer = service.send(&nonce(), target, method, target, "").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {target}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {target}");
    }
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_in_a_query_is_told_by_its_name_and_an_empty_one_is_none() {
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    for (query, field, message) in [
        ("state=done", "state", "\"dead\""),
        ("limit=x", "limit", "must be a whole number"),
        ("limit=0", "limit", "must be from 1 to 100"),
        ("cursor=x", "cursor", "evt_<32 hexadecimal digits>"),
    ] {
        let answer = service.get(&format!("/api/webhooks/deliveries?{query}")).await;
        let problem = refused(answer, 422, "validation_failed").await;
        assert_eq!(problem["errors"][0]["field"], field);
        let told = problem["errors"][0]["message"].as_str().unwrap();
        assert!(told.contains(message), "{query}: {told}");
    }
    let all = service.get("/api/webhooks/deliveries?state=&limit=&cursor=").await;
    assert_eq!(all.status(), StatusCode::OK);
    service.end().await;
}
