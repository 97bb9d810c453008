//! The worker's routes, over real HTTP, by a caller who signs as api-service does.

use std::{collections::HashMap, fmt::Write as _, time::Duration};

use contract::{
    GenerationId, Timestamp, UploadId,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
    worker_api::{Command, DesiredState},
};
use foundation::{settings::Environment, testing::TestDatabase};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};
use worker_service::{app::Application, bucket::Bucket, settings::Settings};

use crate::{
    fixture::{command, eventually, in_time, nonce, on_both_databases},
    receiver::{Receiver, SECRET as WEBHOOK_SECRET},
    storage::Storage,
};

on_both_databases! {
    commands_are_taken_by_their_revision_in_any_order,
    nothing_passes_unsigned_or_twice,
    what_is_wrong_with_a_request_is_told,
    a_full_queue_asks_to_come_again,
    an_operator_sees_the_queue_and_the_deliveries,
    an_operator_tries_the_endpoint,
    secrets_are_rotated_without_a_loss,
    a_picture_is_kept_and_sent_again_is_the_same,
}

pub(crate) const API_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A running worker, and a caller who may ask it.
pub(crate) struct Service {
    pub(crate) base: String,
    pub(crate) client: Client,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Result<(), platform::RunError>>,
    environment: Environment,
    receiver: Receiver,
    storage: Storage,
    _database: TestDatabase,
}

impl Service {
    pub(crate) async fn start(database: TestDatabase, changes: &[(&str, &str)]) -> Self {
        let storage = Storage::start().await;
        let receiver = Receiver::start([]).await;
        let s3 = &storage.settings;
        let mut map: HashMap<String, String> = [
            ("WORKER_BIND", "127.0.0.1:0".to_owned()),
            ("DATABASE_URL", database.url()),
            ("WORKER_API_SECRETS", API_SECRET.to_owned()),
            ("WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
            ("WEBHOOK_URL", receiver.url.to_string()),
            ("S3_ENDPOINT", s3.endpoint.as_ref().unwrap().to_string()),
            ("S3_BUCKET", s3.bucket.clone()),
            ("S3_ACCESS_KEY_ID", s3.access_key_id.current().as_str().to_owned()),
            ("S3_SECRET_ACCESS_KEY", s3.secret_access_key.current().reveal().to_owned()),
            // Nobody listens there.
            ("VEO3_BASE_URL", "http://127.0.0.1:1".to_owned()),
            ("VEO3_API_KEY", "none".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        map.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        // As if it were not there.
        map.retain(|_, value| !value.is_empty());
        let environment = Environment::from_map(map);
        let settings = Settings::read(&environment).unwrap();
        let application = Application::build(settings).await.unwrap();
        let base = format!("http://{}", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(application.run_until_stopped(async move {
            let _ = stopped.await;
            "the test is over"
        }));
        Self {
            base,
            client: Client::new(),
            stop,
            running,
            environment,
            receiver,
            storage,
            _database: database,
        }
    }

    /// A command, signed with this secret.
    async fn send_by(&self, secret: &str, target: &str, body: &str) -> Response {
        self.signed(secret, &nonce(), target, "POST", target, body).await
    }

    pub(crate) async fn send(
        &self,
        id: &str,
        signed_for: &str,
        method: &str,
        target: &str,
        body: impl AsRef<[u8]>,
    ) -> Response {
        self.signed(API_SECRET, id, signed_for, method, target, body).await
    }

    async fn signed(
        &self,
        secret: &str,
        id: &str,
        signed_for: &str,
        method: &str,
        target: &str,
        body: impl AsRef<[u8]>,
    ) -> Response {
        let body = body.as_ref();
        let signed =
            Secrets::parse(secret).unwrap().sign_request(id, Timestamp::now(), method, signed_for, body);
        self.client
            .request(method.parse().unwrap(), format!("{}{target}", self.base))
            .header(ID_HEADER, signed.id)
            .header(TIMESTAMP_HEADER, signed.timestamp)
            .header(SIGNATURE_HEADER, signed.signature)
            .header("content-type", "application/json")
            .body(body.to_vec())
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, target: &str, body: &str) -> Response {
        self.send(&nonce(), target, "POST", target, body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Response {
        self.send(&nonce(), target, "GET", target, "").await
    }

    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        in_time(self.running).await.unwrap().unwrap();
    }
}

pub(crate) async fn refused(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.status().as_u16(), status);
    let problem: Value = response.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["requestId"]), (&json!(code), &json!(id)));
    problem
}

fn text(command: &Command) -> String {
    serde_json::to_string(command).unwrap()
}

async fn a_picture_is_kept_and_sent_again_is_the_same(database: TestDatabase) {
    let service = Service::start(database, &[]).await;
    let target = format!("/api/uploads/{}", UploadId::new());
    let png = |length| [&b"\x89PNG\r\n\x1a\n"[..], &vec![b'x'; length]].concat();
    let picture = png(1024 * 1024);
    let put = async |id: &str, target: &str, body: &[u8]| service.send(id, target, "PUT", target, body).await;
    let id = nonce();
    let kept = put(&id, &target, &picture).await;
    assert_eq!(kept.status(), StatusCode::CREATED);
    let kept: Value = kept.json().await.unwrap();
    assert!(kept["key"].as_str().unwrap().contains(".png"), "{kept}");
    let stored =
        service.storage.bucket().head(&kept["key"].as_str().unwrap().parse().unwrap()).await.unwrap();
    let stored = stored.unwrap();
    assert_eq!((stored.size, stored.content_type.as_deref()), (picture.len() as u64, Some("image/png")));
    let again = put(&nonce(), &target, &picture).await;
    assert_eq!(again.json::<Value>().await.unwrap(), kept);
    refused(put(&id, &target, &picture).await, 401, "invalid_signature").await;
    refused(put(&nonce(), &target, &png(1)).await, 409, "upload_exists").await;
    refused(put(&nonce(), "/api/uploads/upl_1", &picture).await, 404, "not_found").await;
    let elsewhere = format!("/api/uploads/{}", UploadId::new());
    refused(put(&nonce(), &elsewhere, b"<html>").await, 422, "validation_failed").await;
    refused(put(&nonce(), &elsewhere, &png(20 * 1024 * 1024)).await, 413, "payload_too_large").await;
    // Elsewhere bodies are as small as ever.
    let large = "x".repeat(1024 * 1024);
    refused(service.post("/api/generations", &large).await, 413, "payload_too_large").await;
    service.end().await;
}

/// A request with these headers and no body, as far as its sender gets.
pub(crate) async fn begun(
    service: &Service,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> TcpStream {
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: worker\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let mut stream = TcpStream::connect(service.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream
}

/// The status and the problem that come before the body has been sent.
pub(crate) async fn told(mut stream: TcpStream) -> (u16, Value) {
    let mut text = String::new();
    in_time(async {
        let mut buffer = [0; 4096];
        while !text.trim_end().ends_with('}') {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "no answer but {text:?}");
            text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    })
    .await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{head}");
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// None of these waits for a byte of the picture.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_headers_tell_is_told_before_the_picture_is_read() {
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    let target = format!("/api/uploads/{}", UploadId::new());
    let signed_at = |time| {
        Secrets::parse(API_SECRET).unwrap().sign_request(&nonce(), time, "PUT", &target, b"another picture")
    };
    let now = Timestamp::now();
    let (good, old) = (signed_at(now), signed_at(Timestamp::from_micros(now.as_micros() - 301_000_000)));
    let (early, largest) = (signed_at(now + Duration::from_secs(330)), (20 * 1024 * 1024).to_string());
    let larger = (20 * 1024 * 1024 + 1).to_string();
    let short = format!("v1,{}", &good.signature[7..]);
    for (signed, signature, length, status, code) in [
        (&old, old.signature.as_str(), Some(&largest), 401, "invalid_signature"),
        (&early, &early.signature, Some(&largest), 401, "invalid_signature"),
        (&good, "", Some(&largest), 401, "invalid_signature"),
        (&good, "v1,", Some(&largest), 401, "invalid_signature"),
        (&good, &short, Some(&largest), 401, "invalid_signature"),
        (&good, &good.signature, Some(&larger), 413, "payload_too_large"),
        (&good, &good.signature, None, 411, "length_required"),
    ] {
        let mut headers = vec![
            (ID_HEADER, signed.id.as_str()),
            (TIMESTAMP_HEADER, &signed.timestamp),
            (SIGNATURE_HEADER, signature),
        ];
        match length {
            Some(length) => headers.push(("content-length", length)),
            None => headers.push(("transfer-encoding", "chunked")),
        }
        let (given, problem) = told(begun(&service, "PUT", &target, &headers).await).await;
        assert_eq!((given, &problem["code"]), (status, &json!(code)), "{signature} {length:?}");
    }
    service.end().await;
}

/// A picture that is announced under a signature that could be one, and does not come.
async fn announced(service: &Service) -> TcpStream {
    let target = format!("/api/uploads/{}", UploadId::new());
    let secrets = Secrets::parse(API_SECRET).unwrap();
    let signed = secrets.sign_request(&nonce(), Timestamp::now(), "PUT", &target, b"another picture");
    let headers = [
        (ID_HEADER, signed.id.as_str()),
        (TIMESTAMP_HEADER, &signed.timestamp),
        (SIGNATURE_HEADER, &signed.signature),
        ("content-length", "1000"),
    ];
    begun(service, "PUT", &target, &headers).await
}

async fn sent(service: &Service) -> Response {
    let target = format!("/api/uploads/{}", UploadId::new());
    service.send(&nonce(), &target, "PUT", &target, b"\x89PNG\r\n\x1a\n and so on").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_pictures_are_taken_at_once() {
    let service =
        Service::start(TestDatabase::sqlite(), &[("WORKER_UPLOADS", "1"), ("WORKER_UPLOAD_WAIT", "100ms")])
            .await;
    let slow = announced(&service).await;
    // Once the first has its place, there is none for others.
    let full = eventually(|| async {
        let answer = sent(&service).await;
        (answer.status() != StatusCode::CREATED).then_some(answer)
    })
    .await;
    assert!(full.headers().contains_key("retry-after"));
    refused(full, 503, "uploads_full").await;
    // Other requests need none.
    assert_eq!(service.get("/api/queue").await.status(), StatusCode::OK);
    drop(slow);
    eventually(|| async { (sent(&service).await.status() == StatusCode::CREATED).then_some(()) }).await;
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_does_not_arrive_is_waited_for_no_longer() {
    let changes = [("WORKER_UPLOADS", "1"), ("WORKER_UPLOAD_TIMEOUT", "1s")];
    let service = Service::start(TestDatabase::sqlite(), &changes).await;
    let mut slow = announced(&service).await;
    slow.write_all(b"\x89PNG").await.unwrap();
    let (status, problem) = told(slow).await;
    assert_eq!((status, &problem["code"]), (408, &json!("request_timeout")));
    assert_eq!(sent(&service).await.status(), StatusCode::CREATED, "its place is free");
    service.end().await;
}

/// Its time is looked at when its headers come: a slow line makes nobody's clock worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_may_be_slow_under_a_clock_that_is_nearly_too_late() {
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    let (target, picture) = (format!("/api/uploads/{}", UploadId::new()), b"\x89PNG\r\n\x1a\n and so on");
    let length = picture.len().to_string();
    let mut stream = eventually(|| async {
        let time = Timestamp::from_micros(Timestamp::now().as_micros() - 299_000_000);
        let secrets = Secrets::parse(API_SECRET).unwrap();
        let signed = secrets.sign_request(&nonce(), time, "PUT", &target, picture);
        let headers = [
            (ID_HEADER, signed.id.as_str()),
            (TIMESTAMP_HEADER, &signed.timestamp),
            (SIGNATURE_HEADER, &signed.signature),
            ("content-length", &length),
        ];
        let stream = begun(&service, "PUT", &target, &headers).await;
        // By then the signature is too old, if that is looked at anew. Whoever is answered before was too late with
        // the headers already, because the machine is busy.
        let answered = tokio::time::timeout(Duration::from_secs(2), stream.readable()).await;
        answered.is_err().then_some(stream)
    })
    .await;
    stream.write_all(picture).await.unwrap();
    let mut status = [0; 12];
    in_time(stream.read_exact(&mut status)).await.unwrap();
    assert_eq!(std::str::from_utf8(&status), Ok("HTTP/1.1 201"));
    drop(stream);
    service.end().await;
}

async fn commands_are_taken_by_their_revision_in_any_order(database: TestDatabase) {
    let service = Service::start(database, &[]).await;
    let first = command(DesiredState::Pending);
    let path = format!("/api/generations/{}", first.generation_id);
    let created = service.post("/api/generations", &text(&first)).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let created: Value = created.json().await.unwrap();
    assert_eq!((&created["status"], &created["revision"]), (&json!("pending"), &json!(1)));
    let again = service.post("/api/generations", &text(&first)).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Value>().await.unwrap(), created);
    // A cancel overtakes the answers to the questions.
    let cancelled = Command { revision: 3, state: DesiredState::Cancelled, ..first.clone() };
    let answer: Value =
        service.post(&format!("{path}/cancel"), &text(&cancelled)).await.json().await.unwrap();
    assert_eq!((&answer["status"], &answer["jobId"]), (&json!("cancelled"), &created["jobId"]));
    let late = Command { revision: 2, state: DesiredState::PendingConfirmation, ..first.clone() };
    let answer = service.post(&format!("{path}/clarify"), &text(&late)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.json::<Value>().await.unwrap()["revision"], 3);
    // One that the worker never heard of is remembered as cancelled.
    let unknown = command(DesiredState::Cancelled);
    let target = format!("/api/generations/{}/cancel", unknown.generation_id);
    let answer: Value = service.post(&target, &text(&unknown)).await.json().await.unwrap();
    assert_eq!(answer["status"], "cancelled");

    let status: Value = service.get(&format!("{path}/status")).await.json().await.unwrap();
    assert_eq!((&status["status"], &status["sequence"]), (&json!("cancelled"), &json!(1)));
    let ids = json!({"ids": [first.generation_id, unknown.generation_id, GenerationId::new()]});
    let statuses: Value =
        service.post("/api/generations/status", &ids.to_string()).await.json().await.unwrap();
    assert_eq!(statuses["items"].as_array().unwrap().len(), 2);
    assert!(statuses["items"].as_array().unwrap().contains(&status));
    service.end().await;
}

async fn nothing_passes_unsigned_or_twice(database: TestDatabase) {
    let service = Service::start(database, &[]).await;
    let wanted = command(DesiredState::Pending);
    let (path, body) = (format!("/api/generations/{}", wanted.generation_id), text(&wanted));
    let range =
        json!({"since": Timestamp::from_micros(0), "until": Timestamp::from_micros(1_000_000)}).to_string();
    let ids = json!({"ids": []}).to_string();
    let routes = [
        ("POST", "/api/generations".to_owned(), body.as_str()),
        ("POST", format!("{path}/clarify"), body.as_str()),
        ("POST", format!("{path}/confirm"), body.as_str()),
        ("POST", format!("{path}/cancel"), body.as_str()),
        ("GET", format!("{path}/status"), ""),
        ("POST", "/api/generations/status".to_owned(), ids.as_str()),
        ("GET", "/api/queue".to_owned(), ""),
        ("GET", "/api/webhooks/deliveries?state=dead".to_owned(), ""),
        ("POST", "/api/webhooks/redeliver".to_owned(), range.as_str()),
        ("POST", "/api/webhooks/ping".to_owned(), ""),
        ("GET", "/api/openapi.json".to_owned(), ""),
    ];
    for (method, target, body) in &routes {
        let url = format!("{}{target}", service.base);
        let unsigned = service.client.request(method.parse().unwrap(), url).body((*body).to_owned());
        refused(unsigned.send().await.unwrap(), 401, "invalid_signature").await;
        refused(service.send(&nonce(), "/elsewhere", method, target, body).await, 401, "invalid_signature")
            .await;
        let id = nonce();
        let taken = service.send(&id, target, method, target, body).await;
        assert!(taken.status().is_success(), "{method} {target}: {}", taken.status());
        refused(service.send(&id, target, method, target, body).await, 401, "invalid_signature").await;
    }
    refused(service.get("/api/nowhere").await, 404, "not_found").await;
    let wrong = service.get("/api/generations/status").await;
    assert_eq!(wrong.headers()["allow"], "POST");
    refused(wrong, 405, "method_not_allowed").await;
    for open in ["/healthz", "/readyz", "/metrics"] {
        let answer = service.client.get(format!("{}{open}", service.base)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{open}");
    }
    let document: Value = service.get("/api/openapi.json").await.json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/api/generations/{id}/status",
        "/api/webhooks/deliveries/{id}/redeliver",
        "/readyz",
        "/api/providers/{name}/webhook",
    ] {
        assert!(paths.contains_key(path), "{path}: {paths:?}");
    }
    service.end().await;
}

async fn what_is_wrong_with_a_request_is_told(database: TestDatabase) {
    let service = Service::start(database, &[]).await;
    refused(service.post("/api/generations", "{\"generationId\":").await, 400, "malformed_json").await;
    refused(service.post("/api/generations", "{}").await, 422, "validation_failed").await;
    let bad = Command { revision: 0, prompt: "\0".to_owned(), ..command(DesiredState::Pending) };
    let problem =
        refused(service.post("/api/generations", &text(&bad)).await, 422, "validation_failed").await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["revision", "prompt"]);
    let other = format!("/api/generations/{}/confirm", GenerationId::new());
    let good = text(&command(DesiredState::Confirmed));
    refused(service.post(&other, &good).await, 422, "validation_failed").await;
    let large = " ".repeat(64 * 1024 + 1);
    refused(service.post("/api/generations", &large).await, 413, "payload_too_large").await;
    let unknown = format!("/api/generations/{}/status", GenerationId::new());
    refused(service.get(&unknown).await, 404, "not_found").await;
    refused(service.get("/api/generations/nobody/status").await, 404, "not_found").await;
    let many: Vec<_> = (0..501).map(|_| GenerationId::new()).collect();
    let many = json!({ "ids": many }).to_string();
    refused(service.post("/api/generations/status", &many).await, 422, "validation_failed").await;
    refused(service.get("/api/webhooks/deliveries?state=lost").await, 422, "validation_failed").await;
    refused(service.get("/api/webhooks/deliveries?limit=0").await, 422, "validation_failed").await;
    let gone = "/api/webhooks/deliveries/evt_0192f0c1d2e37a4b8c5d6e7f80912a3b/redeliver";
    refused(service.post(gone, "").await, 404, "not_found").await;
    for (method, target, allowed) in [
        ("POST", "/api/queue", "GET, HEAD"),
        ("GET", "/api/generations", "POST"),
        ("DELETE", unknown.as_str(), "GET, HEAD"),
        ("GET", "/api/webhooks/ping", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
    ] {
        let answer = service.send(&nonce(), target, method, target, "").await;
        assert_eq!(answer.headers()["allow"], allowed, "{method} {target}");
        refused(answer, 405, "method_not_allowed").await;
    }
    let answer = service.client.get(format!("{}/healthz", service.base)).header("x-request-id", "mine");
    assert_eq!(answer.send().await.unwrap().headers()["x-request-id"], "mine");
    service.end().await;
}

async fn a_full_queue_asks_to_come_again(database: TestDatabase) {
    let service = Service::start(database, &[("WORKER_QUEUE_DEPTH", "0")]).await;
    let waiting = command(DesiredState::PendingConfirmation);
    let (id, path) = (nonce(), format!("/api/generations/{}/confirm", waiting.generation_id));
    assert_eq!(service.post("/api/generations", &text(&waiting)).await.status(), StatusCode::CREATED);
    let confirmed = Command { revision: 2, state: DesiredState::Confirmed, ..waiting };
    let full = service.send(&id, &path, "POST", &path, &text(&confirmed)).await;
    assert!(full.headers().contains_key("retry-after"));
    refused(full, 503, "queue_full").await;
    // Nothing of it was taken, not even its id.
    refused(service.send(&id, &path, "POST", &path, &text(&confirmed)).await, 503, "queue_full").await;
    service.end().await;
}

async fn an_operator_sees_the_queue_and_the_deliveries(database: TestDatabase) {
    let mut service = Service::start(database, &[]).await;
    let cancelled = command(DesiredState::Cancelled);
    service.post("/api/generations", &text(&cancelled)).await;
    let received = service.receiver.next().await;
    assert!(received.is_genuine());
    let overview: Value = service.get("/api/queue").await.json().await.unwrap();
    assert_eq!((&overview["queue"], &overview["activeJobs"]), (&json!([]), &json!([])));
    let worker = &overview["workers"][0];
    assert_eq!((&worker["status"], worker.get("currentJobId")), (&json!("running"), Some(&Value::Null)));
    assert!(worker["workerId"].as_str().unwrap().starts_with("worker_"));

    let page: Value = eventually(|| async {
        let page: Value = service.get("/api/webhooks/deliveries?state=delivered").await.json().await.unwrap();
        (!page["items"].as_array().unwrap().is_empty()).then_some(page)
    })
    .await;
    let item = &page["items"][0];
    assert_eq!((&item["id"], &item["attempts"]), (&json!(received.signed.id), &json!(1)));
    assert_eq!(item["tries"][0]["status"], 204);
    assert_eq!(page["nextCursor"], Value::Null);
    let again = format!("/api/webhooks/deliveries/{}/redeliver", received.signed.id);
    assert_eq!(service.post(&again, "").await.status(), StatusCode::OK);
    assert_eq!(service.receiver.next().await.signed.id, received.signed.id);
    let range = json!({"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}).to_string();
    eventually(|| async {
        let due: Value = service.post("/api/webhooks/redeliver", &range).await.json().await.unwrap();
        (due["redelivered"] == 1).then_some(())
    })
    .await;
    assert_eq!(service.receiver.next().await.signed.id, received.signed.id);
    service.end().await;
}

async fn an_operator_tries_the_endpoint(database: TestDatabase) {
    let mut service = Service::start(database, &[]).await;
    for answer in [200, 410] {
        service.receiver.answer((answer, &[]));
        let ping: Value = service.post("/api/webhooks/ping", "").await.json().await.unwrap();
        let received = service.receiver.next().await;
        assert!(received.is_genuine());
        assert_eq!(
            (&ping["status"], &ping["id"], &ping["error"]),
            (&json!(answer), &json!(received.signed.id), &Value::Null)
        );
        assert!(ping["durationMs"].is_u64() && ping["answer"] == "as told", "{ping:#}");
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(body["type"], "reelay.ping");
        // As the contract has a receiver read it.
        let read = contract::events::parse(&received.body).unwrap();
        assert_eq!(read, contract::events::Received::UnknownType("reelay.ping".to_owned()));
    }
    let page: Value = service.get("/api/webhooks/deliveries").await.json().await.unwrap();
    assert_eq!(page["items"], json!([]));
    service.end().await;
}

/// Add, wait, remove: on either direction there is never a moment in which the two sides share no secret.
async fn secrets_are_rotated_without_a_loss(database: TestDatabase) {
    const NEW_API: &str = "whsec_cmVlbGF5LXRlc3RzLW9ubHktbmV3LWFwaS1zZWNyZXQhISE=";
    const NEW_WEBHOOK: &str = "whsec_cmVlbGF5LXRlc3RzLW9ubHktbmV3LXdlYmhvb2stc2VjcmV0";
    let folder = tempfile::tempdir().unwrap();
    let (api, webhook) = (folder.path().join("api"), folder.path().join("webhook"));
    let write = |api_secrets: &str, webhook_secrets: &str| {
        std::fs::write(&api, api_secrets).unwrap();
        std::fs::write(&webhook, webhook_secrets).unwrap();
    };
    write(API_SECRET, WEBHOOK_SECRET);
    let mut service = Service::start(
        database,
        &[
            ("WORKER_API_SECRETS", ""),
            ("WEBHOOK_SECRETS", ""),
            ("WORKER_API_SECRETS_FILE", api.to_str().unwrap()),
            ("WEBHOOK_SECRETS_FILE", webhook.to_str().unwrap()),
        ],
    )
    .await;
    for (api_secrets, webhook_secrets, taken, signs) in [
        (API_SECRET.to_owned(), WEBHOOK_SECRET.to_owned(), [true, false], [true, false]),
        (format!("{API_SECRET},{NEW_API}"), format!("{WEBHOOK_SECRET},{NEW_WEBHOOK}"), [true; 2], [true; 2]),
        (NEW_API.to_owned(), NEW_WEBHOOK.to_owned(), [false, true], [false, true]),
    ] {
        write(&api_secrets, &webhook_secrets);
        // What the service does every ten seconds.
        let (_, errors) = service.environment.refresh();
        assert!(errors.is_empty(), "{errors:?}");
        for (secret, taken) in [API_SECRET, NEW_API].into_iter().zip(taken) {
            let cancelled = command(DesiredState::Cancelled);
            let answer = service.send_by(secret, "/api/generations", &text(&cancelled)).await;
            assert_eq!(answer.status() == StatusCode::CREATED, taken, "{}", answer.status());
            if taken {
                let received = service.receiver.next().await;
                for (secret, signs) in [WEBHOOK_SECRET, NEW_WEBHOOK].into_iter().zip(signs) {
                    assert_eq!(received.is_signed_by(secret), signs);
                }
            }
        }
    }
    service.end().await;
}
