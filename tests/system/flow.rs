//! The main job: a chat message becomes a video, by events and by polling, on both databases, by the launcher and
//! as separate processes; and the other ends that it can have.

use serde_json::{Value, json};

use crate::harness::{Backend, Client, System, client::id, eventually, picture};

const MESSAGE: &str = "Make me a video of a paper boat crossing a rainy street at dusk";

/// From the message to the confirmation. Returns the confirmed generation.
async fn from_message_to_confirmation(user: &Client) -> Value {
    let answer = user.say(MESSAGE).await;
    let generation = &answer["generation"];
    assert_eq!(generation["status"], "pending_clarification", "{answer:#}");
    assert_eq!(answer["message"]["role"], "user");
    assert_eq!(answer["message"]["content"], MESSAGE);
    assert_eq!(answer["reply"]["role"], "assistant");
    assert_eq!(answer["reply"]["type"], "clarification");
    assert_eq!(answer["reply"]["generationId"], generation["id"]);
    let questions = generation["clarificationQuestions"].as_array().unwrap();
    let asked: Vec<_> = questions.iter().map(|question| question["id"].as_str().unwrap()).collect();
    assert_eq!(asked, ["duration", "aspect_ratio"]);

    let early = user.act(generation, "confirm", &json!({})).await.expect_problem(409, "invalid_state");
    assert_eq!(early["currentStatus"], "pending_clarification");
    let wrong = json!({"responses": {"duration": 5, "aspect_ratio": "9:16"}});
    user.act(generation, "clarify", &wrong).await.expect_problem(422, "validation_failed");

    let answers = json!({"responses": {"duration": 4, "aspect_ratio": "9:16"}});
    let priced = user.act(generation, "clarify", &answers).await.expect(200);
    assert_eq!(priced["status"], "pending_confirmation");
    assert_eq!(priced["estimatedCost"]["currency"], "USD");
    assert_eq!(priced["parameters"]["duration"], 4);
    let other = json!({"estimatedCost": {"amount": "0.01", "currency": "USD"}});
    user.act(&priced, "confirm", &other).await.expect_problem(409, "price_changed");

    let confirmed =
        user.act(&priced, "confirm", &json!({"estimatedCost": priced["estimatedCost"]})).await.expect(200);
    assert!(["confirmed", "queued"].contains(&confirmed["status"].as_str().unwrap()), "{confirmed:#}");
    // Saying yes twice is saying yes.
    user.act(&priced, "confirm", &json!({})).await.expect(200);
    confirmed
}

async fn whole_flow_by_events(system: &System) {
    let user = system.user().await;
    let confirmed = from_message_to_confirmation(&user).await;
    let cursor = confirmed["eventsCursor"].to_string().replace('"', "");
    let path = format!("/api/conversations/{}/events", confirmed["conversationId"].as_str().unwrap());
    let mut events = user.listen(&path, Some(&cursor)).await;

    let (mut statuses, mut progress, mut cursors, mut results) = (vec![], vec![], vec![], 0);
    while statuses.last().is_none_or(|status| status != "completed") || results == 0 {
        let event = events.next().await.expect("the stream goes on");
        assert_eq!(event.data["conversationId"], confirmed["conversationId"]);
        cursors.push(event.id.parse::<i64>().unwrap());
        match event.name.as_str() {
            "generation.updated" => {
                let generation = &event.data["generation"];
                assert_eq!(generation["id"], confirmed["id"]);
                statuses.push(generation["status"].as_str().unwrap().to_owned());
                progress.push(generation["progress"].as_i64().unwrap());
            }
            "message.created" => {
                let kind = &event.data["message"]["type"];
                results += u32::from(kind == "generation_result");
            }
            other => panic!("an event {other}"),
        }
    }
    // Every cursor after the first that was asked for, without a gap.
    let first = cursor.parse::<i64>().unwrap() + 1;
    assert_eq!(cursors, (first..first + cursors.len() as i64).collect::<Vec<_>>());
    assert!(statuses.contains(&"processing".to_owned()), "{statuses:?}");
    assert!(progress.is_sorted(), "{progress:?}");
    assert!(progress.iter().any(|percent| (1..100).contains(percent)), "{progress:?}");
    assert_eq!(results, 1);

    let done = user.generation(&confirmed).await;
    user.check_video(&done, 720, 1280, 4.0).await;
    links_never_die(&user, &done).await;

    // Whoever was away for all of it is told all of it.
    let mut again = user.listen(&path, Some(&cursor)).await;
    for cursor in cursors {
        assert_eq!(again.next().await.unwrap().id, cursor.to_string());
    }
}

async fn whole_flow_by_polling(system: &System) {
    let user = system.user().await;
    let confirmed = from_message_to_confirmation(&user).await;
    let path = format!("/api/generations/{}/status", id(&confirmed));
    let status = eventually("polling is told to stop", async || {
        let status = user.get(&path).await.expect(200);
        assert_eq!(status["terminal"], status["pollAfterMs"].is_null(), "{status:#}");
        if status["terminal"] == false {
            assert_eq!(status["pollAfterMs"], 5000);
        }
        (status["terminal"] == true).then_some(status)
    })
    .await;
    assert_eq!((&status["status"], &status["progress"]), (&json!("completed"), &json!(100)));
    assert!(status["resultUrl"].is_string() && status["errorCode"].is_null(), "{status:#}");

    // Nothing new since: 304.
    let known = user.get(&path).await.headers["etag"].clone();
    let request = user.request(reqwest::Method::GET, &path).header("if-none-match", known);
    assert_eq!(user.send(request).await.status, 304);

    let done = user.generation(&confirmed).await;
    user.check_video(&done, 720, 1280, 4.0).await;
}

/// The links of an old chat lead to fresh ones, for their owner.
async fn links_never_die(user: &Client, done: &Value) {
    let jpeg = Some([0xff, 0xd8]);
    for (path, begins) in [("video", None), ("thumbnail", jpeg), ("poster", jpeg), ("poster?width=320", jpeg)]
    {
        let path = format!("/api/generations/{}/{path}", id(done));
        let answer = user.get(&path).await;
        assert!(answer.status.is_redirection(), "{}", answer.status);
        let bytes = user.download(answer.headers["location"].to_str().unwrap()).await;
        assert!(begins.is_none_or(|begins| bytes.starts_with(&begins)));
        Client::anonymous(&user.base).get(&path).await.expect_problem(401, "unauthenticated");
    }
}

/// A picture is uploaded, attached to a message, and made into a video.
async fn from_a_picture(system: &System) {
    let user = system.user().await;
    let picture = user.upload("image/png", picture::png()).await.expect(201);
    let conversation = user.post("/api/conversations", &json!({})).await.expect(201);
    let path = format!("/api/conversations/{}/messages", id(&conversation));
    let content = "Make a 4 second landscape video of the boat on this picture";
    let body = json!({"content": content, "attachments": [{"uploadId": picture["id"]}]});
    let asked = user.post(&path, &body).await.expect(201);
    let generation = &asked["generation"];
    assert_eq!(generation["status"], "pending_confirmation", "{asked:#}");
    let images = json!([{"uploadId": picture["id"], "role": "first_frame"}]);
    assert_eq!(generation["parameters"]["images"], images);
    user.act(generation, "confirm", &json!({})).await.expect(200);
    let done = user.until(generation, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
    assert_eq!(done["parameters"]["images"], images);
    let submitted = system.ledger().await;
    assert_eq!(submitted[0]["images"], 1, "it went along: {submitted:#?}");

    let link = user.get(&format!("/api/uploads/{}", id(&picture))).await;
    assert_eq!(link.status, 302);
    let kept = user.download(link.headers["location"].to_str().unwrap()).await;
    assert_eq!(picture["bytes"], kept.len());
    assert!(kept.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn from_a_picture_on_sqlite() {
    from_a_picture(&System::launched(Backend::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn from_a_picture_on_postgres() {
    from_a_picture(&System::launched(Backend::Postgres, &[]).await).await;
}

/// The other ends, all at once on one system.
async fn other_ends(system: &System) {
    let (failed, filtered, cancelled) = tokio::join!(
        fails(system, "a boat that sinks [sim:fail]", &["provider_error"]),
        fails(system, "a boat that must not be seen [sim:filtered]", &["content_filtered"]),
        is_cancelled(system),
    );
    // A filter will not change its mind; a failure may be tried again.
    assert!(failed["errorMessage"].is_string() && filtered["errorMessage"].is_string());
    assert!(cancelled["resultUrl"].is_null());
}

async fn fails(system: &System, prompt: &str, codes: &[&str]) -> Value {
    let user = system.user().await;
    let ordered = user.order(prompt).await;
    let failed = user.until(&ordered, "failed").await;
    assert!(codes.contains(&failed["errorCode"].as_str().unwrap()), "{failed:#}");
    assert!(failed["failedAt"].is_string() && failed["resultUrl"].is_null(), "{failed:#}");
    let told = user.told(&ordered, &["generation_result", "error"]).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["type"], "error");
    user.act(&failed, "cancel", &json!({})).await.expect_problem(409, "invalid_state");
    // It can be asked for again: that is another generation.
    let retry = user.act(&failed, "retry", &json!({})).await.expect(201);
    assert_eq!((&retry["retryOf"], &retry["status"]), (&failed["id"], &json!("pending_confirmation")));
    failed
}

async fn is_cancelled(system: &System) -> Value {
    let user = system.user().await;
    let ordered = user.order("a boat that takes its time [sim:latency=60s]").await;
    user.until(&ordered, "processing").await;
    let cancelled = user.act(&ordered, "cancel", &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    // A second time changes nothing.
    user.act(&ordered, "cancel", &json!({})).await.expect(200);
    let told = user.told(&ordered, &["generation_result", "error"]).await;
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(user.told(&ordered, &["text"]).await.len(), 1);
    user.generation(&ordered).await
}

#[tokio::test]
async fn by_events_on_sqlite() {
    whole_flow_by_events(&System::launched(Backend::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn by_events_on_postgres() {
    whole_flow_by_events(&System::launched(Backend::Postgres, &[]).await).await;
}

#[tokio::test]
async fn by_polling_on_sqlite() {
    whole_flow_by_polling(&System::launched(Backend::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn by_polling_on_postgres() {
    whole_flow_by_polling(&System::launched(Backend::Postgres, &[]).await).await;
}

#[tokio::test]
async fn failed_filtered_and_cancelled_on_sqlite() {
    other_ends(&System::launched(Backend::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn failed_filtered_and_cancelled_on_postgres() {
    other_ends(&System::launched(Backend::Postgres, &[]).await).await;
}

#[tokio::test]
async fn as_separate_processes_on_sqlite() {
    whole_flow_by_events(&System::separate(Backend::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn as_separate_processes_on_postgres() {
    let system = System::separate(Backend::Postgres, &[]).await;
    tokio::join!(whole_flow_by_events(&system), whole_flow_by_polling(&system), other_ends(&system));
}
