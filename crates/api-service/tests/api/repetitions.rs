//! Actions again, after whatever has become of the generation since, and generations again.

use contract::{JobStatus, worker_api::DesiredState};
use serde_json::{Value, json};

use crate::{
    generations::{becomes, id, kinds, path, priced, queued, said, start, text},
    test_app::{TestApp, on_both_databases},
    worker::{FakeWorker, tell, until},
};

on_both_databases! {
    async fn what_has_taken_effect_is_no_mistake_later(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;

        let failed = queued(&user).await;
        tell(&app, worker.snapshot(&id(&failed), JobStatus::Failed, 3)).await;
        let again = user.post(&format!("{}/confirm", path(&failed)), &json!({})).await;
        assert_eq!((again.status.as_u16(), &again.body["status"]), (200, &json!("failed")));

        let asked = user.post("/api/generations", &json!({"prompt": "a boat"})).await.body;
        let (clarify, confirm) = (format!("{}/clarify", path(&asked)), format!("{}/confirm", path(&asked)));
        let responses = json!({"responses": {"duration": 8, "aspect_ratio": "16:9"}});
        assert_eq!(user.post(&clarify, &responses).await.status, 200);
        assert_eq!(user.post(&confirm, &json!({})).await.status, 200);
        assert_eq!(user.post(&format!("{}/cancel", path(&asked)), &json!({})).await.status, 200);
        let before = user.get(&path(&asked)).await.body;
        for (at, body) in [(&clarify, &responses), (&confirm, &json!({}))] {
            let again = user.post(at, body).await;
            assert_eq!((again.status.as_u16(), &again.body["status"]), (200, &json!("cancelled")), "{at}");
        }
        assert_eq!(user.get(&path(&asked)).await.body["updatedAt"], before["updatedAt"]);
        user.post(&clarify, &json!({"responses": {}})).await.is_problem(409, "invalid_state");

        let unconfirmed = priced(&user).await;
        user.post(&format!("{}/cancel", path(&unconfirmed)), &json!({})).await;
        user.post(&format!("{}/confirm", path(&unconfirmed)), &json!({})).await.is_problem(409, "invalid_state");
        app.stop().await;
    }

    async fn what_is_tried_again_waits_for_a_yes(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        for (content, status) in [
            // Its open questions take their defaults, the length that was asked for the one next to it.
            ("Make a video of a fox in the snow, 7 seconds", "pending_confirmation"),
            // What it shall show nobody has said.
            ("Make me a video, 8 seconds, vertical", "pending_clarification"),
        ] {
            let answer = user.post(&messages, &json!({"content": content})).await.body;
            let earlier = &answer["generation"];
            assert_eq!(earlier["status"], "pending_clarification", "{answer}");
            assert_eq!(user.post(&format!("{}/cancel", path(earlier)), &json!({})).await.status, 200);
            let again = user.post(&format!("{}/retry", path(earlier)), &json!({})).await;
            assert_eq!((again.status.as_u16(), &again.body["status"]), (201, &json!(status)), "{content}");
            assert_eq!(again.body["retryOf"], earlier["id"]);
            if status == "pending_confirmation" {
                assert_eq!(again.body["parameters"]["duration"], 6);
                assert_eq!(again.body["clarificationQuestions"], Value::Null);
                assert_ne!(again.body["estimatedCost"], Value::Null);
            } else {
                let questions = again.body["clarificationQuestions"].as_array().unwrap();
                assert_eq!(questions.iter().map(|q| text(&q["id"])).collect::<Vec<_>>(), ["subject"]);
            }
            user.post(&format!("{}/cancel", path(&again.body)), &json!({})).await;
        }
        app.stop().await;
    }

    /// I4: the place in the queue changes without the job changing.
    async fn a_place_in_the_queue_does_not_grow_stale(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let often = [("WORKER_URL", worker.url.as_str()), ("RECONCILE_EVERY", "50ms"), ("RECONCILE_SILENCE", "0s")];
        let app = TestApp::start_with(database, &often).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        worker.next_that_wants(DesiredState::Confirmed).await;
        for position in [3, 2, 1] {
            let mut waiting = worker.snapshot(&id(&generation), JobStatus::Confirmed, 1);
            (waiting.started_at, waiting.attempt, waiting.queue_position) = (None, 0, Some(position));
            worker.knows(waiting);
            let ask = async || user.get(&path(&generation)).await.body;
            let now = until(ask, |now| now["queuePosition"] == position).await;
            assert_eq!(now["status"], "queued");
        }
        worker.knows(worker.snapshot(&id(&generation), JobStatus::Completed, 2));
        becomes(&user, &generation, "completed").await;
        assert_eq!(kinds(&said(&user, &generation).await), ["text", "confirmation", "generation_result"]);
        app.stop().await;
    }
}
