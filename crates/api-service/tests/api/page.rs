//! The page and the description, as a browser gets them.

use foundation::testing::TestDatabase;
use reqwest::Method;

use crate::test_app::{TestApp, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_comes_with_its_policy() {
    let changes = [("MEDIA_PUBLIC_URL", "https://media.example/v")];
    let app = TestApp::start_with(TestDatabase::sqlite(), &changes).await;
    let page = app.nobody().get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "media-src 'self' https://media.example;", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));

    // Everything that the page names is there.
    let text = page.body.as_str().unwrap();
    let named = text.split(['"']).filter(|part| part.starts_with('/') && part.contains('.'));
    let mut files = 0;
    for path in named {
        let file = app.nobody().get(path).await;
        assert_eq!(file.status, 200, "{path}");
        let kind = match path.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "webmanifest" => "application/manifest+json",
            _ => "image/svg+xml",
        };
        assert_eq!(file.header("content-type"), Some(kind), "{path}");
        let kept = file.header("cache-control").unwrap().contains("immutable");
        assert_eq!(kept, path.starts_with("/assets/"), "{path}");
        files += 1;
    }
    assert!(files > 4);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_small_and_sent_once() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let page = app.nobody().get("/").await;
    let style = page.body.as_str().unwrap().split('"').find(|part| part.contains(".css")).unwrap().to_owned();
    let ask =
        |name: &'static str, value: String| app.nobody().request(Method::GET, &style).header(name, value);
    let plain = app.nobody().get(&style).await;
    let tag = plain.header("etag").unwrap().to_owned();
    let known = send(ask("if-none-match", tag.clone())).await;
    assert_eq!(known.status, 304);
    assert_eq!(known.header("etag"), Some(tag.as_str()));
    assert_eq!(send(ask("if-none-match", "\"other\"".to_owned())).await.status, 200);
    let small = ask("accept-encoding", "gzip".to_owned()).send().await.unwrap();
    assert_eq!(small.headers()["content-encoding"], "gzip");
    assert_ne!(small.headers()["etag"].to_str().unwrap(), tag, "another form has another tag");
    assert!(small.bytes().await.unwrap().len() < plain.body.as_str().unwrap().len());
    for path in ["/", style.as_str()] {
        let head = send(app.nobody().request(Method::HEAD, path)).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.header("etag").is_some() && head.body.is_null(), "{path}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_is_there_for_programs_and_people() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let document = app.nobody().get("/api/openapi.json").await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"));
    let page = app.nobody().get("/docs").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").is_some());
    assert!(page.body.as_str().unwrap().contains("/api/conversations/{id}/messages"));
    assert_eq!(app.nobody().get("/docs.css").await.status, 200);
    app.stop().await;
}
