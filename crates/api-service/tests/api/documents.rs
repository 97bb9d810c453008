//! The OpenAPI document says what there is, and there is what it says.

use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::Value;

use crate::test_app::{TestApp, send};

fn document() -> Value {
    serde_json::to_value(api_service::routes::document()).unwrap()
}

/// Every operation: method, address, and what is said of it.
fn operations(document: &Value) -> Vec<(String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, about)| (method.to_uppercase(), path, about))
        })
        .collect()
}

/// One line an operation: a change of the interface is a change of this list. After a wanted one, accept it
/// with `INSTA_UPDATE=always cargo nextest run -p api-service documents`.
#[test]
fn the_interface_is_this() {
    let document = document();
    let lines = operations(&document).into_iter().map(|(method, path, about)| {
        let statuses: Vec<_> = about["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        let body =
            about.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
        let body =
            body.and_then(|path| path.rsplit('/').next()).map_or(String::new(), |name| format!(" {name}"));
        format!("{method} {path}{body} -> {}", statuses.join(" "))
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_operation_is_described_alike() {
    let document = document();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = Vec::new();
    for (method, path, about) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(about["summary"].as_str().is_some_and(|text| !text.is_empty()), "{place} has no summary");
        assert!(about["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag)), "{place}");
        assert!(about["responses"]["default"].is_object(), "{place} does not tell its errors");
        let parameters = about["parameters"].as_array().into_iter().flatten();
        let named: Vec<_> =
            parameters.filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
        let expected: Vec<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, expected, "{place}");
        ids.push(about["operationId"].as_str().unwrap());
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids of operations are unique");
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_described_is_there() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let document = document();
    for (method, path, about) in operations(&document) {
        let place = format!("{method} {path}");
        let path = path.replace("{id}", "conv_0192f0c1d2e37a4b8c5d6e7f80912a3b");
        let request = app.nobody().request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
        let request = request.header("content-type", "application/json");
        let answer = if method == "GET" { send(request).await } else { send(request.body("{}")).await };
        assert_ne!(answer.status, 405, "{place}");
        let is_open = about["security"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| *one == serde_json::json!({})))
            || path.starts_with("/api/auth/");
        if path.starts_with("/api/webhooks/") {
            answer.is_problem(401, "invalid_signature");
        } else if is_open {
            assert_ne!(answer.status, 401, "{place}");
            assert_ne!(answer.status, 404, "{place}");
        } else if !path.starts_with("/api/ws") {
            answer.is_problem(401, "unauthenticated");
        }
    }
    app.stop().await;
}
