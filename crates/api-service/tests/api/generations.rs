//! From the request for a video to its end, as a frontend sees it, with a worker that says what a test wants.

use contract::{EventId, GenerationId, JobStatus, Stage, worker_api::DesiredState};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    test_app::{Caller, TestApp, on_both_databases, send},
    worker::{FakeWorker, deliver, event, tell, until},
};

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn id(generation: &Value) -> GenerationId {
    text(&generation["id"]).parse().unwrap()
}

pub(crate) fn path(generation: &Value) -> String {
    format!("/api/generations/{}", text(&generation["id"]))
}

pub(crate) async fn start(database: foundation::testing::TestDatabase, worker: &FakeWorker) -> TestApp {
    TestApp::start_with(database, &[("WORKER_URL", &worker.url)]).await
}

/// A generation that waits for a yes.
pub(crate) async fn priced(user: &Caller) -> Value {
    let request = json!({"prompt": "a paper boat, 8 seconds, landscape"});
    let answer = user.post("/api/generations", &request).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    assert_eq!(answer.body["status"], "pending_confirmation", "{:?}", answer.body);
    answer.body
}

/// A generation that the worker has taken.
pub(crate) async fn queued(user: &Caller) -> Value {
    let generation = priced(user).await;
    let confirmed = user.post(&format!("{}/confirm", path(&generation)), &json!({})).await;
    assert_eq!(confirmed.status, 200, "{:?}", confirmed.body);
    becomes(user, &generation, "queued").await
}

pub(crate) async fn becomes(user: &Caller, generation: &Value, status: &str) -> Value {
    until(async || user.get(&path(generation)).await.body, |now| now["status"] == status).await
}

pub(crate) async fn said(user: &Caller, generation: &Value) -> Vec<(String, String)> {
    let conversation = text(&generation["conversationId"]);
    let messages = user.get(&format!("/api/conversations/{conversation}/messages?limit=100")).await.body;
    let items = messages["items"].as_array().unwrap().iter();
    items.map(|m| (text(&m["role"]).to_owned(), text(&m["type"]).to_owned())).collect()
}

pub(crate) fn kinds(said: &[(String, String)]) -> Vec<&str> {
    said.iter().map(|(_, kind)| kind.as_str()).collect()
}

on_both_databases! {
    /// I3, I4, I8: whatever is told twice, late or after the end changes nothing.
    async fn a_message_becomes_a_video(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let conversation = user.conversation().await;
        let request = json!({"content": "Make me a video of a paper boat crossing a rainy street"});
        let answer = user.post(&format!("/api/conversations/{conversation}/messages"), &request).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let generation = &answer.body["generation"];
        assert_eq!(generation["status"], "pending_clarification");
        assert_eq!(answer.body["reply"]["type"], "clarification");
        assert_eq!(answer.body["reply"]["generationId"], generation["id"]);
        assert_eq!(generation["messageId"], answer.body["message"]["id"]);
        let (at, told) = worker.next().await;
        assert_eq!((at.as_str(), told.state, told.revision), ("/api/generations", DesiredState::Pending, 1));

        let (clarify, confirm) = (format!("{}/clarify", path(generation)), format!("{}/confirm", path(generation)));
        user.post(&confirm, &json!({})).await.is_problem(409, "invalid_state");
        let wrong = user.post(&clarify, &json!({"responses": {"duration": 7, "colour": "red"}})).await;
        wrong.is_problem(422, "validation_failed");
        assert_eq!(wrong.wrong_fields().len(), 2, "{:?}", wrong.body);
        let responses = json!({"responses": {"duration": 8, "aspect_ratio": "16:9"}});
        let priced = user.post(&clarify, &responses).await;
        assert_eq!((priced.status.as_u16(), &priced.body["status"]), (200, &json!("pending_confirmation")));
        assert_eq!(priced.body["estimatedCost"], json!({"amount": "3.20", "currency": "USD"}));
        assert_eq!(user.post(&clarify, &responses).await.body["status"], "pending_confirmation");
        user.post(&clarify, &json!({"responses": {}})).await.is_problem(409, "invalid_state");

        let wrong = json!({"estimatedCost": {"amount": "1.00", "currency": "USD"}});
        user.post(&confirm, &wrong).await.is_problem(409, "price_changed");
        let right = json!({"estimatedCost": {"amount": "3.20", "currency": "USD"}});
        assert_eq!(user.post(&confirm, &right).await.status, 200);
        assert_eq!(user.post(&confirm, &json!({})).await.status, 200, "a second yes does nothing");
        let (at, told) = worker.next_that_wants(DesiredState::Confirmed).await;
        assert_eq!(at, confirm);
        assert_eq!((told.revision, told.parameters.duration), (3, Some(8)));
        let waiting = becomes(&user, generation, "queued").await;
        assert_eq!(waiting["workerJobId"], worker.job(&id(generation)).as_str());

        let id = id(generation);
        let active = |sequence| {
            let mut snapshot = worker.snapshot(&id, JobStatus::Active, sequence);
            snapshot.stage = Some(Stage::Generating);
            snapshot
        };
        tell(&app, active(3)).await;
        tell(&app, active(2)).await;
        let now = user.get(&path(generation)).await.body;
        assert_eq!((&now["status"], &now["progress"], &now["stage"]), (&json!("processing"), &json!(30), &json!("generating")));

        let body = serde_json::to_vec(&event(worker.snapshot(&id, JobStatus::Completed, 5))).unwrap();
        let webhook = EventId::new();
        let deliveries = (0..4).map(|_| deliver(&app, webhook.as_str(), &body));
        for delivered in futures_util::future::join_all(deliveries).await {
            assert_eq!(delivered.status, 204);
        }
        let done = user.get(&path(generation)).await.body;
        assert_eq!((&done["status"], &done["progress"], &done["fileSize"]), (&json!("completed"), &json!(100), &json!(123_456)));
        tell(&app, active(6)).await;
        tell(&app, worker.snapshot(&id, JobStatus::Failed, 7)).await;
        let still = user.get(&path(generation)).await.body;
        assert_eq!((&still["updatedAt"], &still["eventsCursor"]), (&done["updatedAt"], &done["eventsCursor"]));

        let said = said(&user, generation).await;
        assert_eq!(kinds(&said), ["text", "clarification", "confirmation", "generation_result"]);

        let link = text(&done["resultUrl"]);
        assert!(link.contains("X-Amz-Signature=") && link.contains("/video.mp4"), "{link}");
        let redirect = user.get(&format!("{}/video", path(generation))).await;
        assert_eq!(redirect.status, 302);
        assert!(redirect.header("location").unwrap().contains("X-Amz-Signature="));
        let posters: Vec<_> = done["posters"].as_array().unwrap().iter().collect();
        let sizes = [(320, 180), (640, 360), (1280, 720)];
        assert_eq!(posters.len(), sizes.len(), "{posters:?}");
        for (poster, (width, height)) in posters.into_iter().zip(sizes) {
            assert_eq!((&poster["width"], &poster["height"]), (&json!(width), &json!(height)));
            let link = text(&poster["url"]);
            let name = format!("/poster-{width}.jpg");
            assert!(link.contains("X-Amz-Signature=") && link.contains(&name), "{link}");
            assert_eq!(poster.as_object().unwrap().len(), 3, "no key: {poster}");
        }
        for (query, width) in [("", 1280), ("?width=1", 320), ("?width=321", 640), ("?width=9999", 1280)] {
            let redirect = user.get(&format!("{}/poster{query}", path(generation))).await;
            assert_eq!(redirect.status, 302);
            let link = redirect.header("location").unwrap();
            let name = format!("/poster-{width}.jpg");
            assert!(link.contains("X-Amz-Signature=") && link.contains(&name), "{query}: {link}");
        }
        let wide = user.get(&format!("{}/poster?width=wide", path(generation))).await;
        wide.is_problem(422, "validation_failed");
        let unsigned = app.nobody().get(&format!("{}/poster", path(generation))).await;
        unsigned.is_problem(401, "unauthenticated");
        let status = format!("{}/status", path(generation));
        let first = user.get(&status).await;
        assert_eq!((&first.body["terminal"], &first.body["pollAfterMs"]), (&json!(true), &Value::Null));
        let again = user.request(Method::GET, &status).header("if-none-match", first.header("etag").unwrap());
        assert_eq!(send(again).await.status, 304);
        app.stop().await;
    }

    async fn a_conversation_in_plain_words_does_it_all(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        for (content, kind, status) in [
            ("Hello!", "text", Value::Null),
            ("Yes", "text", Value::Null),
            ("What does it cost?", "text", Value::Null),
            ("Make a video of a fox in the snow", "clarification", json!("pending_clarification")),
            ("7 seconds", "clarification", json!("pending_clarification")),
            ("8 seconds, vertical", "confirmation", json!("pending_confirmation")),
            ("Make it landscape", "confirmation", json!("pending_confirmation")),
            ("Make it 5 seconds long", "text", json!("pending_confirmation")),
            ("Yes", "text", json!("confirmed")),
            ("Cancel", "text", json!("cancelled")),
            ("Thanks", "text", Value::Null),
        ] {
            let answer = user.post(&messages, &json!({"content": content})).await;
            assert_eq!(answer.status, 201, "{content}: {:?}", answer.body);
            assert_eq!(answer.body["reply"]["type"], kind, "{content}: {}", answer.body["reply"]["content"]);
            let now = answer.body["generation"].get("status").cloned().unwrap_or_default();
            assert_eq!(now, status, "{content}: {}", answer.body["reply"]["content"]);
        }
        let (_, told) = worker.next_that_wants(DesiredState::Confirmed).await;
        assert_eq!(told.parameters.aspect_ratio.as_deref(), Some("16:9"), "as it was amended");
        worker.next_that_wants(DesiredState::Cancelled).await;
        for (content, field) in [(String::new(), "content"), ("x".repeat(8193), "content")] {
            let refused = user.post(&messages, &json!({"content": content})).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), [field]);
        }
        let picture = json!({"content": "Hello", "attachments": [{}]});
        user.post(&messages, &picture).await.is_problem(422, "validation_failed");
        app.stop().await;
    }

    /// Cursors are counted under the conversation's lock: no gap, and nobody speaks into another's turn.
    async fn many_who_speak_at_once_take_turns(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let conversation = format!("/api/conversations/{}", user.conversation().await);
        let (messages, hello) = (format!("{conversation}/messages"), json!({"content": "Hello!"}));
        let spoken = futures_util::future::join_all((0..12).map(|_| user.post(&messages, &hello))).await;
        assert!(spoken.iter().all(|answer| answer.status == 201));
        assert_eq!(user.get(&conversation).await.body["eventsCursor"], "24");
        let all = user.get(&format!("{messages}?limit=100")).await.body;
        let roles: Vec<_> = all["items"].as_array().unwrap().iter().map(|m| text(&m["role"])).collect();
        assert_eq!(roles, ["user", "assistant"].repeat(12));
        app.stop().await;
    }

    /// I6: nobody waits for the worker, and what it has not heard it hears when it is there.
    async fn without_a_worker_everything_is_taken_and_kept(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let generation = priced(&user).await;
        let confirmed = user.post(&format!("{}/confirm", path(&generation)), &json!({})).await;
        assert_eq!((confirmed.status.as_u16(), &confirmed.body["status"]), (200, &json!("confirmed")));
        let status = user.get(&format!("{}/status", path(&generation))).await.body;
        assert_eq!((&status["status"], &status["pollAfterMs"]), (&json!("confirmed"), &json!(5000)));
        let token = user.token.clone();

        let mut worker = FakeWorker::start();
        let app = start(app.stop().await.unwrap(), &worker).await;
        let user = app.holder_of(token);
        let (at, told) = worker.next().await;
        assert_eq!((told.state, told.revision), (DesiredState::Confirmed, 2));
        assert_eq!(at, format!("{}/confirm", path(&generation)), "one row a generation, its newest state");
        becomes(&user, &generation, "queued").await;
        app.stop().await;
    }

    /// I2: what comes after a cancel is dropped, and the worker is told to throw away what it has.
    async fn a_late_result_after_a_cancel_is_dropped(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        let cancel = format!("{}/cancel", path(&generation));
        assert_eq!(user.post(&cancel, &json!({})).await.body["status"], "cancelled");
        assert_eq!(user.post(&cancel, &json!({})).await.status, 200, "a second cancel does nothing");
        worker.next_that_wants(DesiredState::Cancelled).await;
        tell(&app, worker.snapshot(&id(&generation), JobStatus::Completed, 4)).await;
        let now = user.get(&path(&generation)).await.body;
        assert_eq!((&now["status"], &now["resultUrl"]), (&json!("cancelled"), &Value::Null));
        assert_eq!(kinds(&said(&user, &generation).await), ["text", "confirmation", "text"]);
        user.get(&format!("{}/video", path(&generation))).await.is_problem(404, "not_found");

        let retried = user.post(&format!("{}/retry", path(&generation)), &json!({})).await;
        assert_eq!(retried.status, 201);
        assert_eq!(retried.body["retryOf"], generation["id"]);
        assert_eq!(retried.body["status"], "pending_confirmation");
        user.post(&format!("{}/retry", path(&retried.body)), &json!({})).await.is_problem(409, "invalid_state");
        app.stop().await;
    }

    async fn a_failure_is_told_once_with_its_reason(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        // A terminal event may be the first that arrives.
        tell(&app, worker.snapshot(&id(&generation), JobStatus::Failed, 9)).await;
        let now = user.get(&path(&generation)).await.body;
        assert_eq!((&now["status"], &now["errorCode"]), (&json!("failed"), &json!("content_filtered")));
        assert_eq!(kinds(&said(&user, &generation).await), ["text", "confirmation", "error"]);
        user.post(&format!("{}/cancel", path(&generation)), &json!({})).await.is_problem(409, "invalid_state");
        app.stop().await;
    }

    async fn what_the_worker_will_never_take_fails(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        worker.answers(503);
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = priced(&user).await;
        let (_, first) = worker.next().await;
        let (_, again) = worker.next().await;
        assert_eq!(first.revision, again.revision, "a worker that is not well is asked again");
        worker.answers(422);
        let failed = becomes(&user, &generation, "failed").await;
        assert_eq!(failed["errorCode"], "internal");
        // It may have taken an earlier one, which must not go on; that it refuses this, too, is the end of it.
        let (_, stop) = worker.next_that_wants(DesiredState::Cancelled).await;
        assert!(stop.revision > again.revision);
        let database = app.stop().await.unwrap();
        let store = api_service::store::Store::open(database.settings()).await.unwrap();
        assert_eq!(store.count_commands().await.unwrap(), 0);
        store.close();
    }

    /// I6: the answer to an older command neither loses nor undoes a newer one.
    async fn a_command_may_be_replaced_while_it_is_under_way(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        worker.holds();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = priced(&user).await;
        assert_eq!(worker.next().await.1.revision, 1);
        let confirmed = user.post(&format!("{}/confirm", path(&generation)), &json!({})).await;
        assert_eq!(confirmed.body["status"], "confirmed");
        assert_eq!(worker.next().await.1.revision, 2, "it does not wait for the first to be answered");
        worker.lets_go();
        becomes(&user, &generation, "queued").await;
        app.stop().await;
    }

    /// I9: with every webhook lost, asking is enough; and a worker that has forgotten is told again.
    async fn asking_repairs_what_no_webhook_told(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let often = [("WORKER_URL", worker.url.as_str()), ("RECONCILE_EVERY", "50ms"), ("RECONCILE_SILENCE", "0s")];
        let app = TestApp::start_with(database, &often).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        worker.next_that_wants(DesiredState::Confirmed).await;
        // Asked about, it says nothing of it: it is told again.
        let (_, again) = worker.next_that_wants(DesiredState::Confirmed).await;
        assert_eq!(again.revision, 2);
        worker.knows(worker.snapshot(&id(&generation), JobStatus::Completed, 3));
        becomes(&user, &generation, "completed").await;
        assert_eq!(kinds(&said(&user, &generation).await), ["text", "confirmation", "generation_result"]);
        app.stop().await;
    }

    async fn reading_an_old_status_asks_the_worker(database: TestDatabase) {
        let worker = FakeWorker::start();
        let fresh = [("WORKER_URL", worker.url.as_str()), ("STATUS_FRESH", "0s"), ("STATUS_CACHED", "0s")];
        let app = TestApp::start_with(database, &fresh).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        worker.knows(worker.snapshot(&id(&generation), JobStatus::Active, 4));
        let status = user.get(&format!("{}/status", path(&generation))).await.body;
        assert_eq!((&status["status"], &status["progress"]), (&json!("processing"), &json!(40)));
        assert_eq!(user.get(&path(&generation)).await.body["status"], "processing", "it is applied, too");
        app.stop().await;
    }

    /// The worker is told of a generation at its beginning; only its user takes it on from there.
    async fn reading_the_status_of_one_that_waits_asks_the_worker_too(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let fresh = [("WORKER_URL", worker.url.as_str()), ("STATUS_FRESH", "0s"), ("STATUS_CACHED", "0s")];
        let app = TestApp::start_with(database, &fresh).await;
        let user = app.user().await;
        let generation = priced(&user).await;
        worker.next().await;
        let status = format!("{}/status", path(&generation));
        for (known, asked) in [(JobStatus::PendingConfirmation, 1), (JobStatus::Confirmed, 2), (JobStatus::Failed, 3)] {
            worker.knows(worker.snapshot(&id(&generation), known, asked));
            let body = user.get(&status).await.body;
            assert_eq!((&body["status"], &body["terminal"]), (&json!("pending_confirmation"), &json!(false)));
            assert_eq!(worker.asked(&id(&generation)), usize::try_from(asked).unwrap(), "{known}");
        }
        assert_eq!(user.post(&format!("{}/cancel", path(&generation)), &json!({})).await.status, 200);
        assert_eq!(user.get(&status).await.body["status"], "cancelled");
        assert_eq!(worker.asked(&id(&generation)), 3, "what has ended is asked about no more");
        app.stop().await;
    }

    async fn what_nobody_confirms_expires(database: TestDatabase) {
        let worker = FakeWorker::start();
        let soon = [("WORKER_URL", worker.url.as_str()), ("CONFIRMATION_PERIOD", "0s"), ("HOUSEKEEP_EVERY", "50ms")];
        let app = TestApp::start_with(database, &soon).await;
        let user = app.user().await;
        let generation = priced(&user).await;
        let expired = becomes(&user, &generation, "cancelled").await;
        assert_eq!(expired["errorCode"], "expired");
        assert_eq!(kinds(&said(&user, &generation).await), ["text", "confirmation", "text"]);
        app.stop().await;
    }

    async fn a_direct_request_obeys_the_same_rules(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        for (request, field) in [
            (json!({"prompt": " "}), "prompt"),
            (json!({"prompt": "x".repeat(8193)}), "prompt"),
            (json!({"prompt": "a boat", "provider": "nobody"}), "provider"),
            (json!({"prompt": "a boat", "model": "veo-9"}), "model"),
            (json!({"prompt": "a boat", "parameters": {"duration": 7}}), "parameters.duration"),
            (json!({"prompt": "a boat", "parameters": {"aspectRatio": "5:4"}}), "parameters.aspectRatio"),
        ] {
            let refused = user.post("/api/generations", &request).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), [field], "{request}");
        }
        let asked = user.post("/api/generations", &json!({"prompt": "a boat"})).await.body;
        assert_eq!(asked["status"], "pending_clarification");
        let named = json!({"prompt": "a boat", "parameters": {"duration": 4, "aspectRatio": "9:16"},
            "conversationId": asked["conversationId"], "messageId": asked["messageId"]});
        let priced = user.post("/api/generations", &named).await.body;
        assert_eq!((&priced["status"], &priced["messageId"]), (&json!("pending_confirmation"), &asked["messageId"]));
        assert_eq!(priced["parameters"]["duration"], 4);

        let all = user.get("/api/generations").await.body;
        assert_eq!(all["items"].as_array().unwrap().len(), 2);
        assert_eq!(all["items"][0]["id"], priced["id"], "newest first");
        let some = user.get("/api/generations?status=pending_clarification&limit=1").await.body;
        assert_eq!((&some["items"][0]["id"], &some["nextCursor"]), (&asked["id"], &Value::Null));
        let none = user.get(&format!("/api/generations?conversationId={}", contract::ConversationId::new())).await.body;
        assert_eq!(none["items"], json!([]));
        user.get("/api/generations?status=done").await.is_problem(422, "validation_failed");
        app.stop().await;
    }

    /// I10.
    async fn a_repeated_request_has_one_effect(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let request = json!({"prompt": "a paper boat, 8 seconds, landscape"});
        let first = user.post_keyed("/api/generations", &request, "one").await;
        let again = user.post_keyed("/api/generations", &request, "one").await;
        assert_eq!((first.status.as_u16(), &first.body), (201, &again.body));
        let confirm = format!("{}/confirm", path(&first.body));
        let yes = user.post_keyed(&confirm, &json!({}), "two").await;
        user.post(&format!("{}/cancel", path(&first.body)), &json!({})).await;
        assert_eq!(user.post_keyed(&confirm, &json!({}), "two").await.body, yes.body, "as it was answered first");
        let messages = format!("/api/conversations/{}/messages", text(&first.body["conversationId"]));
        let hello = user.post_keyed(&messages, &json!({"content": "Hello"}), "three").await;
        assert_eq!(user.post_keyed(&messages, &json!({"content": "Hello"}), "three").await.body, hello.body);
        let all = user.get("/api/generations").await.body;
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
        let said = user.get(&messages).await.body;
        assert_eq!(said["items"].as_array().unwrap().len(), 5, "{said}");
        app.stop().await;
    }

    /// I22.
    async fn anothers_generation_and_none_look_the_same(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let (owner, other) = (app.user().await, app.user().await);
        let theirs = priced(&owner).await;
        let none = format!("/api/generations/{}", GenerationId::new());
        for (method, rest, body) in [
            (Method::GET, "", None),
            (Method::GET, "/status", None),
            (Method::GET, "/video", None),
            (Method::GET, "/thumbnail", None),
            (Method::GET, "/poster?width=320", None),
            (Method::POST, "/clarify", Some(json!({"responses": {}}))),
            (Method::POST, "/confirm", Some(json!({}))),
            (Method::POST, "/cancel", Some(json!({}))),
            (Method::POST, "/retry", Some(json!({}))),
        ] {
            let mut details = Vec::new();
            for base in [&path(&theirs), &none] {
                let request = other.request(method.clone(), &format!("{base}{rest}"));
                let answer = send(match &body {
                    Some(body) => request.json(body),
                    None => request,
                })
                .await;
                answer.is_problem(404, "not_found");
                details.push(answer.body["detail"].clone());
            }
            assert_eq!(details[0], details[1], "{rest}");
        }
        for request in [
            json!({"prompt": "a boat", "conversationId": theirs["conversationId"]}),
            json!({"prompt": "a boat", "messageId": theirs["messageId"]}),
        ] {
            other.post("/api/generations", &request).await.is_problem(404, "not_found");
        }
        let messages = format!("/api/conversations/{}/messages", text(&theirs["conversationId"]));
        other.post(&messages, &json!({"content": "Yes"})).await.is_problem(404, "not_found");
        assert_eq!(other.get("/api/generations").await.body["items"], json!([]));
        assert_eq!(owner.get(&path(&theirs)).await.body["updatedAt"], theirs["updatedAt"]);
        app.stop().await;
    }

    async fn deleting_a_conversation_calls_off_what_is_in_it(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let (running, done) = (queued(&user).await, queued(&user).await);
        tell(&app, worker.snapshot(&id(&done), JobStatus::Completed, 2)).await;
        for generation in [&running, &done] {
            let conversation = format!("/api/conversations/{}", text(&generation["conversationId"]));
            assert_eq!(user.delete(&conversation).await.status, 204);
            let (_, told) = worker.next_that_wants(DesiredState::Cancelled).await;
            assert_eq!(told.generation_id, id(generation), "what is stored goes, too");
            user.get(&path(generation)).await.is_problem(404, "not_found");
        }
        tell(&app, worker.snapshot(&id(&running), JobStatus::Completed, 8)).await;
        assert_eq!(user.get("/api/generations").await.body["items"], json!([]));
        app.stop().await;
    }

    async fn only_the_workers_word_is_taken(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        let body = serde_json::to_vec(&event(worker.snapshot(&id(&generation), JobStatus::Completed, 2))).unwrap();
        let forged = app.nobody().request(Method::POST, "/api/webhooks/worker");
        let forged = forged
            .header("content-type", "application/json")
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", contract::Timestamp::now().as_seconds().to_string())
            .header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=");
        send(forged.body(body.clone())).await.is_problem(401, "invalid_signature");
        let unsigned = app.nobody().request(Method::POST, "/api/webhooks/worker");
        let unsigned = unsigned.header("content-type", "application/json").body("{");
        send(unsigned).await.is_problem(401, "invalid_signature");
        deliver(&app, "evt.2", &body).await.is_problem(401, "invalid_signature");
        deliver(&app, "evt_3", b"{").await.is_problem(422, "invalid_event");
        let contradiction = String::from_utf8(body.clone()).unwrap().replace("generation.completed", "generation.failed");
        deliver(&app, "evt_4", contradiction.as_bytes()).await.is_problem(422, "invalid_event");
        deliver(&app, "evt_5", &vec![b' '; 256 * 1024 + 1]).await.is_problem(413, "payload_too_large");
        let newer = br#"{"type":"generation.rated","timestamp":"2026-11-23T09:30:00.000Z","data":{}}"#;
        assert_eq!(deliver(&app, "evt_6", newer).await.status, 204);
        tell(&app, worker.snapshot(&GenerationId::new(), JobStatus::Completed, 2)).await;
        assert_eq!(user.get(&path(&generation)).await.body["status"], "queued");
        assert_eq!(deliver(&app, "evt_7", &body).await.status, 204);
        assert_eq!(user.get(&path(&generation)).await.body["status"], "completed");
        app.stop().await;
    }
}
