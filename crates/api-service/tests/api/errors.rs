//! Bad requests: the contract's errors, and nothing of ours in them.

use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    generations::{path, priced, text},
    test_app::{TestApp, send},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_addresses_and_wrong_methods_are_told_apart() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    for path in [
        "/api",
        "/api/nothing",
        "/api/conversations/",
        "/nothing",
        "/index.php",
        "/api/conversations/conv_1",
        "/js",
    ] {
        user.get(path).await.is_problem(404, "not_found");
    }
    let id = user.conversation().await;
    for (method, path, allow) in [
        (Method::PUT, "/api/conversations".to_owned(), "GET, HEAD, POST"),
        (Method::POST, format!("/api/conversations/{id}"), "GET, HEAD, PATCH, DELETE"),
        (Method::GET, "/api/auth/login".to_owned(), "POST"),
        (Method::HEAD, "/api/auth/login".to_owned(), "POST"),
        (Method::DELETE, "/healthz".to_owned(), "GET, HEAD"),
    ] {
        let is_head = method == Method::HEAD;
        let answer = send(user.request(method, &path)).await;
        assert_eq!(answer.status, 405, "{path}");
        if !is_head {
            answer.is_problem(405, "method_not_allowed");
        }
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    let answer = send(user.request(Method::POST, "/theme.js")).await;
    answer.is_problem(405, "method_not_allowed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_answered_wherever_get_is_but_for_what_has_no_end() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let generation = priced(&user).await;
    let conversation = format!("/api/conversations/{}", text(&generation["conversationId"]));
    for path in [
        "/".to_owned(),
        "/healthz".to_owned(),
        "/docs".to_owned(),
        "/api/openapi.json".to_owned(),
        "/api/auth/me".to_owned(),
        "/api/generations?limit=1".to_owned(),
        path(&generation),
        conversation.clone(),
        format!("{conversation}/messages"),
    ] {
        let whole = user.get(&path).await;
        let head = send(user.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, &head.body), (whole.status, &Value::Null), "{path}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{path}: {name}");
        }
    }
    let nobody = send(app.nobody().request(Method::HEAD, &conversation)).await;
    assert_eq!((nobody.status.as_u16(), nobody.body), (401, Value::Null));
    for path in
        [format!("{conversation}/events"), format!("{}/events", path(&generation)), "/api/ws".to_owned()]
    {
        let answer = send(user.request(Method::HEAD, &path)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET")), "{path}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_a_type_a_form_a_size_and_a_depth() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let post = |body: String, kind: &'static str| {
        let request = user.request(Method::POST, "/api/conversations");
        send(request.header("content-type", kind).body(body))
    };
    let json = "application/json";
    post("{}".to_owned(), "text/plain").await.is_problem(415, "unsupported_media_type");
    let untyped = user.request(Method::POST, "/api/conversations").body("{}");
    send(untyped).await.is_problem(415, "unsupported_media_type");
    let bare = send(user.request(Method::POST, "/api/conversations")).await;
    assert_eq!(bare.status, 201, "what has no body needs no type");
    for malformed in ["{", "{\"title\":", "{\"title\":\"\u{1}\"}", "nonsense", "{}{}"] {
        post(malformed.to_owned(), json).await.is_problem(400, "malformed_json");
    }
    post("[".repeat(40) + &"]".repeat(40), json).await.is_problem(400, "malformed_json");
    for wrong in ["[]", "1", "{\"title\":1}", "{\"title\":{}}"] {
        post(wrong.to_owned(), json).await.is_problem(422, "validation_failed");
    }
    let padded = |size: usize| format!("{{\"title\":\"a\"{}}}", " ".repeat(size - 13));
    assert_eq!(post(padded(64 * 1024), json).await.status, 201);
    post(padded(64 * 1024 + 1), json).await.is_problem(413, "payload_too_large");
    assert_eq!(
        post(String::new(), "application/json; charset=utf-8").await.status,
        201,
        "no body is an empty one"
    );
    app.stop().await;
}

/// serde would take `[]` for a yes, and `["hi"]` for a message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_array_is_not_taken_for_an_object() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let generation = priced(&user).await;
    let messages = format!("/api/conversations/{}/messages", text(&generation["conversationId"]));
    for (address, body, field) in [
        (format!("{}/confirm", path(&generation)), json!([]), "body"),
        (format!("{}/cancel", path(&generation)), json!([]), "body"),
        (messages, json!(["hi"]), "body"),
        ("/api/generations".to_owned(), json!({"prompt": "a boat", "parameters": []}), "parameters"),
    ] {
        let answer = user.post(&address, &body).await;
        answer.is_problem(422, "validation_failed");
        assert_eq!(answer.wrong_fields(), [field], "{address}");
        assert_eq!(answer.body["errors"][0]["message"], "must be an object", "{address}");
    }
    assert_eq!(user.get(&path(&generation)).await.body["status"], "pending_confirmation");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_in_a_query_is_told_by_its_name_and_an_empty_one_is_none() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let generation = priced(&user).await;
    for (query, field, message) in [
        ("status=done", "status", "\"processing\""),
        ("conversationId=conv_1", "conversationId", "conv_<32 hexadecimal digits>"),
        ("limit=x", "limit", "from 1 to 100"),
        ("cursor=!", "cursor", "nextCursor"),
    ] {
        let answer = user.get(&format!("/api/generations?{query}")).await;
        answer.is_problem(422, "validation_failed");
        assert_eq!(answer.wrong_fields(), [field]);
        let told = text(&answer.body["errors"][0]["message"]);
        assert!(told.contains(message), "{query}: {told}");
    }
    let all = user.get("/api/generations?status=&conversationId=&limit=&cursor=").await;
    assert_eq!(all.body["items"].as_array().map(Vec::len), Some(1), "{:?}", all.body);
    for (rest, field) in [("poster?width=wide", "width"), ("video?download=1", "download")] {
        let answer = user.get(&format!("{}/{rest}", path(&generation))).await;
        answer.is_problem(422, "validation_failed");
        assert_eq!(answer.wrong_fields(), [field]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let chunks = (0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 8 * 1024]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = user.request(Method::POST, "/api/conversations").header("content-type", "application/json");
    send(request.body(body)).await.is_problem(413, "payload_too_large");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_the_requests_id() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let ask = |path: &str, id: &str| send(app.nobody().request(Method::GET, path).header("x-request-id", id));
    for path in ["/healthz", "/api/conversations", "/nothing", "/"] {
        assert_eq!(ask(path, "my-id_1.2").await.header("x-request-id"), Some("my-id_1.2"), "{path}");
        let replaced = ask(path, "not an id").await;
        assert!(replaced.header("x-request-id").unwrap().starts_with("req_"), "{path}");
    }
    let (one, other) = (app.nobody().get("/healthz").await, app.nobody().get("/healthz").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_at_all_is_refused() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"\x16\x03\x01 nonsense\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(app.nobody().get("/healthz").await.body, json!({"status": "ok"}));
    app.stop().await;
}

/// I23: the caller learns nothing of ours, the log learns why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_the_service_says_that_it_cannot() {
    let log = telemetry::testing::Capture::install().unwrap();
    let mut app = TestApp::start(TestDatabase::postgres().await).await;
    let user = app.user().await;
    app.lose_database();
    let answer = user.get("/api/conversations").await;
    answer.is_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    app.nobody().get("/readyz").await.is_problem(503, "not_ready");
    assert_eq!(app.nobody().get("/healthz").await.status, 200, "alive all the same");
    // Whoever shows a token is told what anybody may know.
    assert_eq!(user.get("/api/models").await.status, 200);
    user.get("/api/nothing").await.is_problem(404, "not_found");
    let detail = answer.body.to_string();
    assert!(!detail.contains("reelay_test") && !detail.contains("connect"), "{detail}");

    let id = answer.header("x-request-id").unwrap();
    let lines = log.named(telemetry::catalogue::SERVICE_REQUEST_FAILED);
    let told: Vec<_> = lines.iter().filter(|line| line.text("requestId") == Some(id)).collect();
    assert_eq!(told.len(), 1, "once");
    assert_eq!(told[0].text("code"), Some("unavailable"));
    assert_eq!(told[0].fault(), None);
    app.stop().await;
}
