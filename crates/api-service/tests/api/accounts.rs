//! Signing up, in and out.

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_app::{PASSWORD, TestApp, on_both_databases, send};

fn cookie(answer: &crate::test_app::Answer) -> (String, Vec<String>) {
    let header = answer.header("set-cookie").unwrap();
    let mut parts = header.split("; ").map(str::to_owned);
    let value = parts.next().unwrap();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (value, attributes)
}

on_both_databases! {
    async fn an_account_is_made_once_and_known_again(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let registration = json!({"email": " Ada@Example.com ", "password": PASSWORD, "name": "Ada"});
        let first = app.nobody().post("/api/auth/register", &registration).await;
        assert_eq!(first.status, 201);
        assert_eq!(first.body["user"]["email"], "ada@example.com");
        assert_eq!(first.body["user"]["name"], "Ada");
        assert!(first.body["user"]["id"].as_str().unwrap().starts_with("user_"));
        assert_eq!(first.header("cache-control"), Some("no-store"));

        app.nobody().post("/api/auth/register", &registration).await.is_problem(409, "email_taken");

        let credentials = json!({"email": "ADA@example.com", "password": PASSWORD});
        let second = app.nobody().post("/api/auth/login", &credentials).await;
        assert_eq!(second.status, 200);
        assert_eq!(second.body["user"], first.body["user"]);
        assert_ne!(second.body["token"], first.body["token"], "each session has its own token");
        app.stop().await;
    }

    async fn a_session_opens_by_token_and_by_cookie_until_it_is_ended(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let me = user.get("/api/auth/me").await;
        assert_eq!(me.body["user"]["email"], user.email.as_str());

        let login = json!({"email": user.email, "password": PASSWORD});
        let login = app.nobody().post("/api/auth/login", &login).await;
        let (value, attributes) = cookie(&login);
        assert_eq!(attributes, ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"]);
        assert_eq!(value, format!("reelay_session={}", login.body["token"].as_str().unwrap()));
        let by_cookie = |path| app.nobody().request(Method::GET, path).header("cookie", value.clone());
        assert_eq!(send(by_cookie("/api/auth/me")).await.body, me.body);
        assert_eq!(send(by_cookie("/api/conversations")).await.status, 200);

        // Whoever sends a token means it: a wrong one is not made good by a cookie.
        let both = by_cookie("/api/conversations").bearer_auth("wrong");
        send(both).await.is_problem(401, "unauthenticated");
        for malformed in ["Bearer", "bearer ", "BEARER a.b.c"] {
            let both = by_cookie("/api/conversations").header("authorization", malformed);
            send(both).await.is_problem(401, "unauthenticated");
        }
        // What a proxy wants to know is nothing against the cookie.
        for of_a_proxy in ["Basic eDp5", "Digest a=\"b\"", "Basic"] {
            let both = by_cookie("/api/conversations").header("authorization", of_a_proxy);
            assert_eq!(send(both).await.status, 200, "{of_a_proxy}");
        }

        let logout = app.nobody().request(Method::POST, "/api/auth/logout").header("cookie", &value);
        let logout = send(logout.json(&json!({}))).await;
        assert_eq!(logout.status, 204);
        assert_eq!(cookie(&logout).0, "reelay_session=");
        assert_eq!(send(by_cookie("/api/auth/me")).await.body, json!({"user": null}));
        send(by_cookie("/api/conversations")).await.is_problem(401, "unauthenticated");
        assert_eq!(user.get("/api/conversations").await.status, 200, "other sessions go on");
        app.stop().await;
    }

    async fn sessions_outlive_the_process_and_the_database_does_not_know_their_tokens(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let token = app.user().await.token;
        let app = TestApp::start(app.stop().await.unwrap()).await;
        let user = app.holder_of(token);
        assert_eq!(user.get("/api/conversations").await.status, 200);
        app.stop().await;
    }

    async fn a_session_ends_by_itself(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("SESSION_LIFETIME", "0s")]).await;
        app.user().await.get("/api/conversations").await.is_problem(401, "unauthenticated");
        app.stop().await;
    }

    async fn who_has_an_account_is_not_told(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let try_in = async |email: &str, password: &str| {
            app.nobody().post("/api/auth/login", &json!({"email": email, "password": password})).await
        };
        let mut wrong = try_in(&user.email, "not the password").await;
        let mut unknown = try_in("nobody@example.com", PASSWORD).await;
        let mut absurd = try_in("nobody@example.com", &"x".repeat(5000)).await;
        for answer in [&mut wrong, &mut unknown, &mut absurd] {
            answer.is_problem(401, "invalid_credentials");
            answer.body["requestId"] = Value::Null;
        }
        assert_eq!(wrong.body, unknown.body);
        assert_eq!(wrong.body, absurd.body);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_in_particular_is_told_so() {
    let app = TestApp::start(foundation::testing::TestDatabase::sqlite()).await;
    let nobody = app.nobody();
    assert_eq!(nobody.get("/api/auth/me").await.body, json!({"user": null}));
    assert_eq!(nobody.post("/api/auth/logout", &json!({})).await.status, 204);
    let answer = nobody.get("/api/conversations").await;
    answer.is_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    for authorization in ["Basic eDp5", "Bearer", "Bearer ", "Bearer a.b.c", "bearer \u{7f}"] {
        let request = nobody
            .request(Method::GET, "/api/conversations")
            .header("authorization", authorization.as_bytes());
        if let Ok(request) = request.build() {
            let status = app.http.execute(request).await.unwrap().status();
            assert_eq!(status, 401, "{authorization}");
        }
    }
    app.stop().await;
}

/// A token of the right form that opens nothing: what else is wrong with a request is not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_counts_before_what_is_asked() {
    let app = TestApp::start(foundation::testing::TestDatabase::sqlite()).await;
    let user = app.user().await;
    let own = format!("/api/conversations/{}", user.conversation().await);
    assert_eq!(user.post("/api/auth/logout", &json!({})).await.status, 204);
    for (method, path, body) in [
        (Method::GET, "/api/conversations/conv_1", None),
        (Method::GET, "/api/conversations/conv_1/messages?limit=x", None),
        (Method::GET, "/api/conversations?limit=x", None),
        (Method::GET, "/api/generations?status=done", None),
        (Method::GET, "/api/generations/nonsense/status", None),
        (Method::GET, "/api/generations/nonsense/events", None),
        (Method::GET, "/api/uploads/nonsense", None),
        (Method::DELETE, "/api/conversations/conv_1", Some(json!({}))),
        (Method::POST, "/api/conversations/conv_1/messages", Some(json!({"content": 1}))),
        (Method::POST, "/api/conversations", Some(json!({"title": 1}))),
        (Method::POST, "/api/generations/nonsense/confirm", Some(json!({}))),
        (Method::PATCH, own.as_str(), Some(json!({"title": 1}))),
        (Method::PATCH, "/api/generations/nonsense", Some(json!({"enhancedPrompt": 1}))),
    ] {
        // Who is faster is not always the same.
        for _ in 0..4 {
            let request = user.request(method.clone(), path);
            let request = if let Some(body) = &body { request.json(body) } else { request };
            send(request).await.is_problem(401, "unauthenticated");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_registration_is_told_by_field() {
    let app = TestApp::start(foundation::testing::TestDatabase::sqlite()).await;
    for (body, fields) in [
        (json!({}), vec!["email"]),
        (json!({"email": "a@b.c"}), vec!["password"]),
        (json!({"email": 1, "password": PASSWORD}), vec!["email"]),
        (json!({"email": "nobody", "password": "short"}), vec!["email", "password"]),
        (json!({"email": "a@b.c", "password": PASSWORD, "name": "n".repeat(101)}), vec!["name"]),
    ] {
        let answer = app.nobody().post("/api/auth/register", &body).await;
        answer.is_problem(422, "validation_failed");
        assert_eq!(answer.wrong_fields(), fields, "{body}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_that_crosses_the_net_in_the_open_is_not_sent_there_again() {
    let changes = [("PUBLIC_URL", "https://reelay.example")];
    let app = TestApp::start_with(foundation::testing::TestDatabase::sqlite(), &changes).await;
    let body = json!({"email": "a@b.c", "password": PASSWORD});
    let answer = app.nobody().post("/api/auth/register", &body).await;
    assert!(cookie(&answer).1.contains(&"Secure".to_owned()));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_cannot_be_tried_at_will() {
    let changes = [
        ("RATE_GUESSES_PER_MINUTE", "2"),
        ("RATE_SIGN_INS_PER_MINUTE", "4"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let app = TestApp::start_with(foundation::testing::TestDatabase::sqlite(), &changes).await;
    let guess = async |email: &str, from: &str| {
        let body = json!({"email": email, "password": "guess"});
        let request = app.nobody().request(Method::POST, "/api/auth/login").header("x-forwarded-for", from);
        send(request.json(&body)).await
    };
    for _ in 0..2 {
        guess("a@b.c", "192.0.2.1").await.is_problem(401, "invalid_credentials");
    }
    let refused = guess("A@b.c", "192.0.2.2").await;
    refused.is_problem(429, "rate_limited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    for account in ["1@b.c", "2@b.c"] {
        guess(account, "192.0.2.1").await.is_problem(401, "invalid_credentials");
    }
    guess("3@b.c", "192.0.2.1").await.is_problem(429, "rate_limited");
    guess("3@b.c", "1.1.1.1, 192.0.2.3").await.is_problem(401, "invalid_credentials");
    app.stop().await;
}
