//! Which pages may call the service from a browser.

use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::test_app::{TestApp, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_allowed_pages_may_change_something() {
    let changes = [("ALLOWED_ORIGINS", "https://partner.example, http://localhost:3000")];
    let app = TestApp::start_with(TestDatabase::sqlite(), &changes).await;
    let user = app.user().await;
    let from = |method: Method, path: &str, origin: &str| {
        user.request(method, path).header("origin", origin).header("content-type", "application/json")
    };
    for origin in [app.url.as_str(), "https://partner.example", "http://localhost:3000"] {
        let answer = send(from(Method::POST, "/api/conversations", origin)).await;
        assert_eq!(answer.status, 201, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    }
    for origin in ["https://evil.example", "https://partner.example:444", "null", "http://localhost"] {
        for (method, path) in [
            (Method::POST, "/api/conversations"),
            (Method::POST, "/api/auth/login"),
            (Method::POST, "/api/auth/logout"),
            (Method::PATCH, "/api/conversations/conv_1"),
            (Method::DELETE, "/api/conversations/conv_1"),
        ] {
            let answer = send(from(method, path, origin)).await;
            answer.is_problem(403, "origin_not_allowed");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        // Reading is the browser's business: without the header the page does not get to see it.
        let answer = send(from(Method::GET, "/api/conversations", origin)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "origin"));
        let upgrade = from(Method::GET, "/api/ws", origin).header("upgrade", "websocket");
        send(upgrade).await.is_problem(403, "origin_not_allowed");
    }
    let answer = user.post("/api/conversations", &json!({})).await;
    assert_eq!(answer.status, 201, "what is no browser sends no origin");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_may_ask_first() {
    let app =
        TestApp::start_with(TestDatabase::sqlite(), &[("ALLOWED_ORIGINS", "https://partner.example")]).await;
    let ask = |origin: &str| {
        let request = app.nobody().request(Method::OPTIONS, "/api/conversations").header("origin", origin);
        send(request.header("access-control-request-method", "POST"))
    };
    let answer = ask("https://partner.example").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://partner.example"));
    let headers = answer.header("access-control-allow-headers").unwrap();
    for header in ["authorization", "content-type", "idempotency-key", "last-event-id"] {
        assert!(headers.contains(header), "{header}");
    }
    let answer = ask("https://evil.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert!(answer.status.is_client_error());
    app.stop().await;
}
