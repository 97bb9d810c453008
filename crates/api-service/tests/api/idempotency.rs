//! The same request twice (I10).

use std::collections::BTreeSet;

use serde_json::json;

use crate::test_app::{TestApp, on_both_databases};

on_both_databases! {
    async fn a_repetition_gets_the_first_answer(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let first = user.post_keyed("/api/conversations", &json!({"title": "Boats"}), "key-1").await;
        let again = user.post_keyed("/api/conversations", &json!({"title": "Boats"}), "key-1").await;
        assert_eq!(first.status, 201);
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let conversations = user.get("/api/conversations").await;
        assert_eq!(conversations.body["items"].as_array().unwrap().len(), 1);

        let other_body = user.post_keyed("/api/conversations", &json!({"title": "Cars"}), "key-1").await;
        other_body.is_problem(422, "idempotency_key_reused");
        let other_key = user.post_keyed("/api/conversations", &json!({"title": "Boats"}), "key-2").await;
        assert_ne!(other_key.body["id"], first.body["id"]);
        let other_user = app.user().await;
        let theirs = other_user.post_keyed("/api/conversations", &json!({"title": "Boats"}), "key-1").await;
        assert_ne!(theirs.body["id"], first.body["id"], "a key is its user's own");

        // After a restart, too.
        let token = user.token.clone();
        let app = TestApp::start(app.stop().await.unwrap()).await;
        let user = app.holder_of(token);
        let later = user.post_keyed("/api/conversations", &json!({"title": "Boats"}), "key-1").await;
        assert_eq!(later.body, first.body);
        app.stop().await;
    }

    async fn a_refusal_is_repeated_as_well(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let body = json!({"title": "x".repeat(201)});
        let first = user.post_keyed("/api/conversations", &body, "key").await;
        let again = user.post_keyed("/api/conversations", &body, "key").await;
        for answer in [&first, &again] {
            answer.is_problem(422, "validation_failed");
            assert_eq!(answer.wrong_fields(), ["title"]);
        }
        assert_eq!(first.body["detail"], again.body["detail"]);
        app.stop().await;
    }

    async fn many_at_once_have_one_effect(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let body = json!({"title": "Boats"});
        let all = (0..12).map(|_| user.post_keyed("/api/conversations", &body, "key"));
        let mut ids = BTreeSet::new();
        for answer in futures_util::future::join_all(all).await {
            if answer.status == 409 {
                answer.is_problem(409, "idempotency_in_flight");
            } else {
                assert_eq!(answer.status, 201, "{:?}", answer.body);
                ids.insert(answer.body["id"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(ids.len(), 1);
        let conversations = user.get("/api/conversations").await;
        assert_eq!(conversations.body["items"].as_array().unwrap().len(), 1);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_have_a_form() {
    let app = TestApp::start(foundation::testing::TestDatabase::sqlite()).await;
    let user = app.user().await;
    let longest = "k".repeat(255);
    assert_eq!(user.post_keyed("/api/conversations", &json!({}), &longest).await.status, 201);
    for key in ["", &"k".repeat(256)] {
        let answer = user.post_keyed("/api/conversations", &json!({}), key).await;
        answer.is_problem(422, "validation_failed");
        assert_eq!(answer.wrong_fields(), ["Idempotency-Key"]);
    }
    app.stop().await;
}
