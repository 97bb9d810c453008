//! What a user may spend, and what becomes of what was held.

use contract::{EventId, JobStatus};
use serde_json::{Value, json};

use crate::{
    generations::{becomes, id, path, priced},
    test_app::{Answer, Caller, TestApp, on_both_databases},
    worker::{FakeWorker, deliver, event},
};

async fn confirm(user: &Caller, generation: &Value) -> Answer {
    user.post(&format!("{}/confirm", path(generation)), &json!({})).await
}

/// Spent and held this month, and for how many videos.
async fn spent(user: &Caller) -> (String, String, i64) {
    let usage = user.get("/api/usage").await;
    assert_eq!(usage.status, 200, "{:?}", usage.body);
    let month = &usage.body["month"];
    let amount = |field: &str| month[field]["amount"].as_str().unwrap().to_owned();
    (amount("spent"), amount("held"), month["videos"].as_i64().unwrap())
}

fn sums(spent: &str, held: &str, videos: i64) -> (String, String, i64) {
    (spent.to_owned(), held.to_owned(), videos)
}

/// The worker tells of a job's end.
async fn ends(app: &TestApp, worker: &FakeWorker, generation: &Value, status: JobStatus, billable: bool) {
    let mut snapshot = worker.snapshot(&id(generation), status, 9);
    snapshot.billable = billable;
    let body = serde_json::to_vec(&event(snapshot)).unwrap();
    assert_eq!(deliver(app, EventId::new().as_str(), &body).await.status, 204);
}

on_both_databases! {
    async fn what_is_held_is_settled_or_released(database: TestDatabase) {
        let worker = FakeWorker::start();
        let settings = [("WORKER_URL", worker.url.as_str()), ("BUDGET_PER_DAY", "20")];
        let app = TestApp::start_with(database, &settings).await;
        let (user, other) = (app.user().await, app.user().await);
        assert_eq!(spent(&user).await, sums("0.00", "0.00", 0));
        let mut videos = Vec::new();
        for _ in 0..4 {
            let generation = priced(&user).await;
            assert_eq!(confirm(&user, &generation).await.status, 200);
            videos.push(becomes(&user, &generation, "queued").await);
        }
        assert_eq!(spent(&user).await, sums("0.00", "12.80", 4));

        ends(&app, &worker, &videos[0], JobStatus::Completed, true).await;
        assert_eq!(spent(&user).await, sums("3.20", "9.60", 4));
        // A filter held it back, and the provider charges nothing.
        ends(&app, &worker, &videos[1], JobStatus::Failed, false).await;
        assert_eq!(spent(&user).await, sums("3.20", "6.40", 3));
        let told = user.get(&path(&videos[1])).await.body["errorMessage"].as_str().unwrap().to_owned();
        assert!(told.ends_with("You were not charged."), "{told}");
        // It was too late: the provider was making it.
        assert_eq!(user.post(&format!("{}/cancel", path(&videos[2])), &json!({})).await.status, 200);
        assert_eq!(spent(&user).await, sums("3.20", "6.40", 3), "only the worker knows");
        ends(&app, &worker, &videos[2], JobStatus::Cancelled, true).await;
        assert_eq!(spent(&user).await, sums("6.40", "3.20", 3));
        assert_eq!(user.post(&format!("{}/cancel", path(&videos[3])), &json!({})).await.status, 200);
        ends(&app, &worker, &videos[3], JobStatus::Cancelled, false).await;
        assert_eq!(spent(&user).await, sums("6.40", "0.00", 2));
        // What is told once more changes nothing.
        ends(&app, &worker, &videos[3], JobStatus::Cancelled, true).await;
        ends(&app, &worker, &videos[0], JobStatus::Completed, false).await;
        assert_eq!(spent(&user).await, sums("6.40", "0.00", 2));

        let usage = user.get("/api/usage").await.body;
        assert_eq!(usage["day"]["budget"]["amount"], "20.00");
        assert_eq!(usage["day"]["left"]["amount"], "13.60");
        assert_eq!(usage["month"]["budget"], Value::Null);
        assert_eq!(usage["models"], json!([{
            "provider": "veo3",
            "model": "veo-3.1-generate-001",
            "spent": {"amount": "6.40", "currency": "USD"},
            "videos": 2
        }]));
        assert_eq!((&usage["open"]["count"], &usage["queued"]["count"]), (&json!(0), &json!(0)));
        assert_eq!(spent(&other).await, sums("0.00", "0.00", 0), "nobody sees another's");
        app.nobody().get("/api/usage").await.is_problem(401, "unauthenticated");
        app.stop().await;
    }

    /// However many say yes at once, no more is spent than there is; a refusal is about this moment, and is not kept.
    async fn no_more_is_spent_than_there_is(database: TestDatabase) {
        let worker = FakeWorker::start();
        let settings = [("WORKER_URL", worker.url.as_str()), ("BUDGET_PER_MONTH", "7")];
        let app = TestApp::start_with(database, &settings).await;
        let user = app.user().await;
        let mut generations = Vec::new();
        for _ in 0..6 {
            generations.push(priced(&user).await);
        }
        let keyed = async |generation: &Value| {
            user.post_keyed(&format!("{}/confirm", path(generation)), &json!({}), "yes").await
        };
        let answers = futures_util::future::join_all(generations.iter().map(keyed)).await;
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (generation, answer) in generations.iter().zip(&answers) {
            if answer.status == 200 { taken.push(generation) } else { refused.push((generation, answer)) }
        }
        assert_eq!(taken.len(), 2);
        for (generation, answer) in &refused {
            answer.is_problem(402, "budget_exceeded");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("costs $3.20, and $0.60 is left of your budget of $7.00 a month"), "{detail}");
            assert!(answer.body["resetsAt"].as_str().unwrap().ends_with("-01T00:00:00.000Z"), "{:?}", answer.body);
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(user.get(&path(generation)).await.body["status"], "pending_confirmation");
        }
        // One of them came to nothing and is charged all the same: it counts, and says so.
        becomes(&user, taken[1], "queued").await;
        ends(&app, &worker, taken[1], JobStatus::Failed, true).await;
        let told = user.get(&path(taken[1])).await.body["errorMessage"].as_str().unwrap().to_owned();
        assert!(told.ends_with("so it counts against your budget."), "{told}");
        keyed(refused[0].0).await.is_problem(402, "budget_exceeded");
        // The other one came to nothing, and its money is there again.
        becomes(&user, taken[0], "queued").await;
        ends(&app, &worker, taken[0], JobStatus::Failed, false).await;
        assert_eq!(keyed(refused[0].0).await.status, 200);
        app.stop().await;
    }

    /// In a chat, a yes is answered like everything else that is said.
    async fn a_yes_beyond_the_budget_is_answered_in_the_chat(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("BUDGET_PER_DAY", "3")]).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        let say = async |words: &str| user.post(&messages, &json!({"content": words})).await;
        let asked = say("Make a video of a fox in the snow, 8 seconds, landscape").await.body;
        assert_eq!(asked["generation"]["status"], "pending_confirmation", "{asked:#}");
        let answer = say("yes").await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let reply = answer.body["reply"]["content"].as_str().unwrap();
        assert!(reply.contains("costs $3.20, and $3.00 is left of your budget of $3.00 a day"), "{reply}");
        assert_eq!(answer.body["generation"]["status"], "pending_confirmation");
        assert_eq!(user.get(&messages).await.body["items"].as_array().unwrap().len(), 4);
        app.stop().await;
    }

    async fn there_is_a_limit_to_the_videos_of_a_day(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("VIDEOS_PER_DAY", "2")]).await;
        let user = app.user().await;
        for _ in 0..2 {
            let generation = priced(&user).await;
            assert_eq!(confirm(&user, &generation).await.status, 200);
        }
        confirm(&user, &priced(&user).await).await.is_problem(429, "too_many_today");
        assert_eq!(user.get("/api/usage").await.body["day"]["videosAllowed"], 2);
        app.stop().await;
    }
}
