//! Bad input of every kind: the contract's errors, and nothing changed.

use contract::{
    Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, SignedHeaders, TIMESTAMP_HEADER},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Backend, Client, LIMIT, Reply, System, client::id, eventually};

/// All that a user can see of what is theirs.
async fn everything(user: &Client, conversation: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/api/auth/me".to_owned(),
        "/api/conversations".to_owned(),
        "/api/generations".to_owned(),
        format!("/api/conversations/{conversation}/messages"),
    ] {
        seen.push(user.get(&path).await.expect(200));
    }
    seen
}

async fn bad_input(backend: Backend) {
    let system = System::separate(backend, &[]).await;
    let (user, stranger) = (system.user().await, system.user().await);
    // One that waits for a yes: nothing happens to it by itself.
    let parameters = json!({"duration": 4, "aspectRatio": "16:9"});
    let generation = user
        .post("/api/generations", &json!({"prompt": "a boat", "parameters": parameters}))
        .await
        .expect(201);
    let conversation = generation["conversationId"].as_str().unwrap().to_owned();
    // The worker's answer comes in later, and changes what is seen.
    eventually("the worker has taken it", async || {
        user.generation(&generation).await["workerJobId"].is_string().then_some(())
    })
    .await;
    let before = everything(&user, &conversation).await;

    for (method, path) in addresses(id(&generation), &conversation) {
        // Somebody else's and nobody's look the same (I22).
        let unknown =
            path.replace(id(&generation), UNKNOWN_GENERATION).replace(&conversation, UNKNOWN_CONVERSATION);
        let malformed = path.replace(id(&generation), "gen_1").replace(&conversation, "conv_1");
        for path in [&path, &unknown, &malformed] {
            let answer = call(&stranger, &method, path).await;
            let problem = answer.expect_problem(404, "not_found");
            assert!(!problem.to_string().contains("boat"), "{problem}");
        }
        call(&Client::anonymous(&user.base), &method, &path).await.expect_problem(401, "unauthenticated");
        call(&user.with_token("not-a-token"), &method, &path).await.expect_problem(401, "unauthenticated");
    }

    let clarify = json!({"responses": {"duration": 4}});
    user.act(&generation, "clarify", &clarify).await.expect_problem(409, "invalid_state");
    user.act(&generation, "retry", &json!({})).await.expect_problem(409, "invalid_state");

    bodies(&user, &conversation).await;
    webhooks(&system, &user, &generation).await;
    commands(&system).await;

    assert_eq!(everything(&user, &conversation).await, before);
}

const UNKNOWN_GENERATION: &str = "gen_0193580c7d3b7c6a9d1f3f1a5b0c2d4e";
const UNKNOWN_CONVERSATION: &str = "conv_0193580c7d3b7c6a9d1f3f1a5b0c2d4e";

/// Every address that names something of a user's.
fn addresses(generation: &str, conversation: &str) -> Vec<(Method, String)> {
    let mut all = Vec::new();
    for rest in ["", "/status", "/events", "/video", "/thumbnail", "/poster"] {
        all.push((Method::GET, format!("/api/generations/{generation}{rest}")));
    }
    for action in ["clarify", "confirm", "cancel", "retry"] {
        all.push((Method::POST, format!("/api/generations/{generation}/{action}")));
    }
    for rest in ["", "/messages", "/events"] {
        all.push((Method::GET, format!("/api/conversations/{conversation}{rest}")));
    }
    all.push((Method::POST, format!("/api/conversations/{conversation}/messages")));
    all.push((Method::PATCH, format!("/api/conversations/{conversation}")));
    all.push((Method::DELETE, format!("/api/conversations/{conversation}")));
    all
}

/// Calls an address with a body that is as it should be.
async fn call(client: &Client, method: &Method, path: &str) -> Reply {
    let request = client.request(method.clone(), path);
    let body = match path.rsplit('/').next() {
        Some("messages") => json!({"content": "hello"}),
        Some("clarify") => json!({"responses": {}}),
        _ if method == Method::PATCH => json!({"title": "mine now"}),
        _ => json!({}),
    };
    client.send(if method == Method::GET { request } else { request.json(&body) }).await
}

async fn bodies(user: &Client, conversation: &str) {
    let messages = format!("/api/conversations/{conversation}/messages");
    let json_body = |body: String| {
        user.request(Method::POST, &messages).header("content-type", "application/json").body(body)
    };
    let deep = format!("{{\"content\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let table: Vec<(RequestBuilder, u16, Option<&str>)> = vec![
        (json_body("{\"content\": ".to_owned()), 400, None),
        (json_body(deep), 400, None),
        (json_body("{}".to_owned()), 422, Some("validation_failed")),
        (json_body(json!({"content": ""}).to_string()), 422, Some("validation_failed")),
        (json_body(json!({"content": "x".repeat(8 * 1024 + 1)}).to_string()), 422, Some("validation_failed")),
        (
            json_body(json!({"content": "hi", "attachments": ["a"]}).to_string()),
            422,
            Some("validation_failed"),
        ),
        (json_body(json!({"content": "x".repeat(70_000)}).to_string()), 413, None),
        (user.request(Method::POST, &messages).body("content=hi"), 415, None),
        (
            user.request(Method::POST, &messages)
                .header("origin", "https://evil.example")
                .json(&json!({"content": "hi"})),
            403,
            None,
        ),
        (user.request(Method::PUT, &messages).json(&json!({})), 405, None),
        (user.request(Method::GET, "/api/nothing/here"), 404, Some("not_found")),
        (user.request(Method::GET, "/api/generations?limit=0"), 422, Some("validation_failed")),
        (user.request(Method::GET, "/api/generations?limit=many"), 422, Some("validation_failed")),
        (user.request(Method::GET, "/api/generations?status=done"), 422, Some("validation_failed")),
        (user.request(Method::GET, "/api/conversations?cursor=nonsense"), 422, Some("validation_failed")),
    ];
    for (request, status, code) in table {
        let shown = format!("{request:?}");
        let answer = user.send(request).await;
        assert_eq!(answer.status, status, "{shown}: {:#}", answer.body);
        let expected = code.map_or_else(|| answer.body["code"].as_str().unwrap().to_owned(), str::to_owned);
        answer.expect_problem(status, &expected);
    }
}

/// Webhooks of somebody who does not know the secret, or who has heard one pass by.
async fn webhooks(system: &System, user: &Client, generation: &Value) {
    let path = "/api/webhooks/worker";
    let now = Timestamp::now();
    let real = Secrets::parse(&system.webhook_secret).unwrap();
    let body = json!({
        "type": "generation.failed", "timestamp": now,
        "data": {
            "generationId": generation["id"], "jobId": "job_0193580c7d3b7c6a9d1f3f1a5b0c2d4e", "status": "failed",
            "sequence": 99, "attempt": 1, "stage": null, "progress": 0, "etaSeconds": null, "provider": "veo3",
            "model": "m", "retryCount": 0, "maxRetries": 3, "createdAt": now, "updatedAt": now, "startedAt": null,
            "completedAt": null,
            "error": {"code": "internal", "message": "a lie", "retryable": false},
        },
    })
    .to_string();
    let bytes = body.as_bytes();
    let post = |headers: &SignedHeaders, body: &str| {
        Client::anonymous(&user.base)
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .header(ID_HEADER, &headers.id)
            .header(TIMESTAMP_HEADER, &headers.timestamp)
            .header(SIGNATURE_HEADER, &headers.signature)
            .body(body.to_owned())
    };
    let seconds_ago = |seconds: i64| Timestamp::from_micros((now.as_seconds() - seconds) * 1_000_000);
    let api_secret = Secrets::parse(&system.worker_api_secret).unwrap();
    let foreign = Secrets::parse(&Secrets::encode(&[7; 32])).unwrap();
    let good = real.sign("evt_x", now, bytes);
    for headers in [
        foreign.sign("evt_forged", now, bytes),
        api_secret.sign("evt_other_secret", now, bytes),
        real.sign("evt_old", seconds_ago(301), bytes),
        real.sign("evt_early", seconds_ago(-400), bytes),
        real.sign("evt.with.dots", now, bytes),
        SignedHeaders { id: "evt_y".to_owned(), ..good.clone() },
        SignedHeaders { signature: "v1,".to_owned(), ..good.clone() },
        SignedHeaders { signature: good.signature.replace("v1,", "v9,"), ..good.clone() },
    ] {
        user.send(post(&headers, &body)).await.expect_problem(401, "invalid_signature");
    }
    user.send(post(&good, &body.replace("a lie", "another"))).await.expect_problem(401, "invalid_signature");
    user.send(user.request(Method::POST, path).body(body.clone()))
        .await
        .expect_problem(401, "invalid_signature");

    // What is signed but makes no sense.
    let signed = |id: &str, body: &str| post(&real.sign(id, now, body.as_bytes()), body);
    assert_eq!(user.send(signed("evt_malformed", "{\"type\":")).await.status, 422);
    let contradiction = body.replace("generation.failed", "generation.completed");
    assert_eq!(user.send(signed("evt_contradiction", &contradiction)).await.status, 422);
    let large = format!("{{\"type\":\"{}\"}}", "x".repeat(300 * 1024));
    assert_eq!(user.send(signed("evt_large", &large)).await.status, 413);
    let unknown = body.replace("generation.failed", "generation.celebrated");
    assert_eq!(user.send(signed("evt_unknown", &unknown)).await.status, 204);
    // Signed, well-formed, and of a generation that is not there.
    let nobodys = body.replace(id(generation), UNKNOWN_GENERATION);
    assert_eq!(user.send(signed("evt_nobodys", &nobodys)).await.status, 204);
}

/// The worker listens to api-service alone.
async fn commands(system: &System) {
    let worker = Client::anonymous(&system.worker);
    let secrets = Secrets::parse(&system.worker_api_secret).unwrap();
    let webhook = Secrets::parse(&system.webhook_secret).unwrap();
    let now = Timestamp::now();
    let with = |headers: &SignedHeaders, method: Method, path: &str| {
        worker
            .request(method, path)
            .header(ID_HEADER, &headers.id)
            .header(TIMESTAMP_HEADER, &headers.timestamp)
            .header(SIGNATURE_HEADER, &headers.signature)
    };
    for path in ["/api/queue", "/api/webhooks/deliveries", "/api/generations/gen_1/status"] {
        assert_eq!(worker.get(path).await.status, 401, "{path}");
    }
    assert_eq!(worker.post("/api/generations", &json!({})).await.status, 401);
    let queue = |secrets: &Secrets, name: &str| secrets.sign_request(name, now, "GET", "/api/queue", b"");
    assert_eq!(worker.send(with(&queue(&webhook, "req_a"), Method::GET, "/api/queue")).await.status, 401);
    // A signature opens what it was made for, once.
    let headers = queue(&secrets, "req_b");
    assert_eq!(worker.send(with(&headers, Method::GET, "/api/webhooks/deliveries")).await.status, 401);
    let headers = queue(&secrets, "req_c");
    let answer = worker.send(with(&headers, Method::GET, "/api/queue")).await.expect(200);
    for part in ["queue", "activeJobs", "workers"] {
        assert!(answer[part].is_array(), "{answer:#}");
    }
    assert_eq!(worker.send(with(&headers, Method::GET, "/api/queue")).await.status, 401);
}

#[tokio::test]
async fn is_refused_and_changes_nothing_on_sqlite() {
    bad_input(Backend::Sqlite).await;
}

#[tokio::test]
async fn is_refused_and_changes_nothing_on_postgres() {
    bad_input(Backend::Postgres).await;
}

/// A webhook that was heard and is sent again has no effect the second time (I8).
#[tokio::test]
async fn a_replayed_webhook_changes_nothing() {
    let system = System::separate(Backend::Sqlite, &[]).await;
    let user = system.user().await;
    let ordered = user.order("a boat").await;
    let done = user.until(&ordered, "completed").await;
    let messages = user.messages(&done).await;
    // The last that the worker sent, made again: same id, later time, another outcome.
    let log = system.processes["worker"].log();
    let completed =
        |event: &Value| event["generationId"] == done["id"] && event["event"] == "generation.completed";
    let delivered = log.event("[WORKER_WEBHOOK] Webhook delivered", completed).await;
    let secrets = Secrets::parse(&system.webhook_secret).unwrap();
    let now = Timestamp::now();
    let body = json!({
        "type": "generation.failed", "timestamp": now,
        "data": {
            "generationId": done["id"], "jobId": done["workerJobId"], "status": "failed", "sequence": 999,
            "attempt": 1, "stage": null, "progress": 0, "etaSeconds": null, "provider": "veo3", "model": "m",
            "retryCount": 0, "maxRetries": 3, "createdAt": now, "updatedAt": now, "startedAt": null,
            "completedAt": null,
            "error": {"code": "internal", "message": "too late", "retryable": false},
        },
    })
    .to_string();
    for webhook_id in [delivered["webhookId"].as_str().unwrap(), "evt_0193580c7d3b7c6a9d1f3f1a5b0c2d4e"] {
        let headers = secrets.sign(webhook_id, now, body.as_bytes());
        let request = user
            .request(Method::POST, "/api/webhooks/worker")
            .header("content-type", "application/json")
            .header(ID_HEADER, headers.id)
            .header(TIMESTAMP_HEADER, headers.timestamp)
            .header(SIGNATURE_HEADER, headers.signature)
            .body(body.clone());
        assert_eq!(user.send(request).await.status, 204, "{webhook_id}");
    }
    let after = user.generation(&done).await;
    assert_eq!((&after["status"], &after["updatedAt"]), (&done["status"], &done["updatedAt"]));
    assert_eq!(user.messages(&done).await, messages);
}

/// Who sends a request's head byte by byte, or never to its end, does not keep a connection for himself.
#[tokio::test]
async fn a_head_without_an_end_is_given_up_on_by_both_services() {
    let system = System::separate(Backend::Sqlite, &[]).await;
    let ended = [&system.api, &system.worker].map(async |service| {
        let mut connection = TcpStream::connect(service.trim_start_matches("http://")).await.unwrap();
        connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: reelay\r\nx-endless: ").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(LIMIT, connection.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    });
    for answer in futures_util::future::join_all(ended).await {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}
