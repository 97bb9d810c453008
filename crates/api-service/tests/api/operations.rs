//! What an operator sees: health, readiness, metrics, and a stop in order.

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::{
    test_app::{TestApp, on_both_databases, send},
    worker::until,
};

on_both_databases! {
    async fn the_service_is_alive_and_ready_until_it_stops(database: TestDatabase) {
        let app = TestApp::start(database).await;
        assert_eq!(app.nobody().get("/healthz").await.body, json!({"status": "ok"}));
        assert_eq!(app.nobody().get("/readyz").await.body, json!({"status": "ok"}));
        let (url, http) = (app.url.clone(), app.http.clone());
        app.stop().await;
        assert!(http.get(format!("{url}/healthz")).send().await.unwrap_err().is_connect());
    }
}

/// I21: a database that only reads is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_database_takes_no_writes_is_not_ready() {
    let database = TestDatabase::sqlite();
    let file = database.url().strip_prefix("sqlite://").unwrap().to_owned();
    let app = TestApp::start_with(database, &[]).await;
    let nobody = app.nobody();
    assert_eq!(nobody.get("/readyz").await.status, 200);
    let mut other = SqliteConnection::establish(&file).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
    until(async || json!(nobody.get("/readyz").await.status.as_u16()), |status| *status == 503).await;
    // It still reads.
    nobody.get("/api/auth/me").await;
    other.batch_execute("ROLLBACK").unwrap();
    until(async || json!(nobody.get("/readyz").await.status.as_u16()), |status| *status == 200).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_name_routes_and_not_addresses() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let id = user.conversation().await;
    user.get(&format!("/api/conversations/{id}")).await;
    user.get("/some/wrong/address").await;
    let request = user.request(Method::from_bytes(b"INVENTED").unwrap(), "/healthz");
    send(request).await;
    let metrics = app.nobody().get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains("route=\"/api/conversations/{id}\""), "{text}");
    assert!(text.contains("route=\"unmatched\""));
    assert!(!text.contains(&id) && !text.contains("wrong") && !text.contains("INVENTED"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_can_have_a_place_of_their_own() {
    // Taken and given back, so that it is most likely free.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let app = TestApp::start_with(TestDatabase::sqlite(), &[("METRICS_BIND", &free)]).await;
    app.nobody().get("/metrics").await.is_problem(404, "not_found");
    let metrics = send(app.http.get(format!("http://{free}/metrics"))).await;
    assert!(metrics.body.as_str().unwrap().contains("reelay_http_requests_total"));
    app.stop().await;
}
