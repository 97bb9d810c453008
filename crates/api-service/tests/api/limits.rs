//! How many generations a user may have, however many are asked for at once (I20).

use serde_json::{Value, json};

use crate::{
    generations::{path, priced, text},
    test_app::{Answer, TestApp, on_both_databases},
};

/// How many were taken; the others must have been refused with this code.
#[track_caller]
fn taken(answers: &[Answer], refusal: &str) -> usize {
    let refused = answers.iter().filter(|answer| answer.status == 429);
    let refused = refused.inspect(|answer| answer.is_problem(429, refusal)).count();
    let taken = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(taken + refused, answers.len(), "{answers:?}");
    taken
}

on_both_databases! {
    async fn no_more_begin_than_may_be_open(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("OPEN_GENERATIONS_PER_USER", "3")]).await;
        let (user, other) = (app.user().await, app.user().await);
        let request = json!({"prompt": "a paper boat, 8 seconds, landscape"});
        let asked = (0..10).map(|_| user.post("/api/generations", &request));
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(taken(&answers, "too_many_generations"), 3);
        let all = user.get("/api/generations").await.body;
        assert_eq!(all["items"].as_array().unwrap().len(), 3);
        // What was refused has left nothing behind, and others have places of their own.
        assert_eq!(user.get("/api/conversations").await.body["items"].as_array().unwrap().len(), 3);
        priced(&other).await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        let said = user.post(&messages, &json!({"content": "Make a video of a fox in the snow"})).await;
        said.is_problem(429, "too_many_generations");
        let told = text(&said.body["detail"]);
        assert!(told.starts_with("3 of your videos are still open."), "{told}");
        let said = user.post(&messages, &json!({"content": "Mach mir ein Video von einem Fuchs im Schnee"})).await;
        said.is_problem(429, "too_many_generations");
        let told = text(&said.body["detail"]);
        assert!(told.starts_with("3 deiner Videos sind noch offen."), "{told}");
        assert_eq!(user.get(&messages).await.body["items"], json!([]));
        app.stop().await;
    }

    /// I10: a refusal that is only about this moment is not kept.
    async fn no_more_are_confirmed_than_may_be_queued(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("QUEUED_GENERATIONS_PER_USER", "2")]).await;
        let user = app.user().await;
        let mut generations = Vec::new();
        for _ in 0..8 {
            generations.push(priced(&user).await);
        }
        let confirm = |generation: &Value| format!("{}/confirm", path(generation));
        let asked = generations.iter().map(|generation| {
            let (user, at) = (user.clone(), confirm(generation));
            async move { user.post_keyed(&at, &json!({}), "yes").await }
        });
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(taken(&answers, "too_many_queued"), 2);

        let (mut running, mut waiting) = (Vec::new(), Vec::new());
        for (generation, answer) in generations.iter().zip(&answers) {
            if answer.status == 200 { running.push(generation) } else { waiting.push(generation) }
        }
        assert_eq!(user.post_keyed(&confirm(running[0]), &json!({}), "another").await.status, 200, "it has its yes");
        assert_eq!(user.post(&format!("{}/cancel", path(running[0])), &json!({})).await.status, 200);
        let again = user.post_keyed(&confirm(waiting[0]), &json!({}), "yes").await;
        assert_eq!((again.status.as_u16(), &again.body["status"]), (200, &json!("confirmed")));
        app.stop().await;
    }
}
