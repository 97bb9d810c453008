//! Pictures: uploaded, attached, and made into videos.

use std::time::Duration;

use contract::{ImageInput, ImageRole, UploadId, worker_api::DesiredState};
use foundation::testing::TestDatabase;
use image::{DynamicImage, RgbImage, codecs::png::PngEncoder};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    test_app::{Answer, Caller, TestApp, on_both_databases, send},
    worker::{FakeWorker, until},
};

/// A picture of noise, which packs to about as many bytes as it has samples.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let picture = RgbImage::from_fn(width, height, |_, _| image::Rgb([noise(), noise(), noise()]));
    let mut bytes = Vec::new();
    DynamicImage::from(picture).write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

async fn upload(user: &Caller, content_type: &str, bytes: Vec<u8>) -> Answer {
    let request = user.request(Method::POST, "/api/uploads").header("content-type", content_type);
    send(request.body(bytes)).await
}

/// Uploads a picture that is fine, and gives its id.
async fn uploaded(user: &Caller) -> String {
    let answer = upload(user, "image/png", png(80, 80)).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body["id"].as_str().unwrap().to_owned()
}

/// An upload that has begun, and whose picture does not come.
async fn begun(app: &TestApp, user: &Caller) -> TcpStream {
    let address = app.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: image/png\r\ncontent-length: 1000\r\n\r\n",
        user.token.as_deref().unwrap()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection
}

async fn start(database: TestDatabase, changes: &[(&str, &str)]) -> (TestApp, FakeWorker) {
    let worker = FakeWorker::start();
    let mut all = vec![("WORKER_URL", worker.url.as_str())];
    all.extend(changes);
    (TestApp::start_with(database, &all).await, worker)
}

fn ordered(id: &str, role: &str) -> Value {
    json!({
        "prompt": "the boat begins to move",
        "parameters": {"duration": 8, "aspectRatio": "16:9"},
        "attachments": [{"uploadId": id, "role": role}],
    })
}

fn first_frame(id: &str) -> Vec<ImageInput> {
    vec![ImageInput { upload_id: id.parse().unwrap(), role: ImageRole::FirstFrame }]
}

on_both_databases! {
    async fn a_picture_is_kept_for_its_owner(database: TestDatabase) {
        let (app, worker) = start(database, &[]).await;
        let (user, other) = (app.user().await, app.user().await);
        let answer = upload(&user, "image/png", png(160, 90)).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let told = &answer.body;
        let id = told["id"].as_str().unwrap();
        let kept = worker.picture(id).unwrap();
        assert_eq!((&told["contentType"], &told["width"], &told["height"]), (&json!("image/png"), &json!(160), &json!(90)));
        assert_eq!(told["bytes"], kept.len());
        assert_eq!(told["sha256"].as_str().unwrap().len(), 64);
        assert!(told["expiresAt"].as_str() > told["createdAt"].as_str());

        let path = format!("/api/uploads/{id}");
        let link = user.get(&path).await;
        assert_eq!(link.status, 302);
        let location = link.header("location").unwrap();
        assert!(location.contains(&format!("/reelay/uploads/{id}.png?")), "{location}");
        assert!(location.contains("X-Amz-Signature="), "{location}");
        other.get(&path).await.is_problem(404, "not_found");
        other.get(&format!("/api/uploads/{}", UploadId::new())).await.is_problem(404, "not_found");
        app.nobody().get(&path).await.is_problem(401, "unauthenticated");
        let nobodys = upload(&app.nobody(), "image/png", png(80, 80)).await;
        nobodys.is_problem(401, "unauthenticated");
        app.stop().await;
    }

    async fn a_worker_that_is_away_leaves_nothing_behind(database: TestDatabase) {
        let (app, worker) = start(database, &[("UPLOADS_PER_USER", "1")]).await;
        let user = app.user().await;
        for (status, code, answered) in [(503, "unavailable", 503), (422, "internal", 500)] {
            worker.answers(status);
            upload(&user, "image/png", png(80, 80)).await.is_problem(answered, code);
        }
        worker.answers(200);
        let id = uploaded(&user).await;
        assert!(worker.picture(&id).is_some());
        upload(&user, "image/png", png(80, 80)).await.is_problem(429, "too_many_uploads");
        uploaded(&app.user().await).await;
        app.stop().await;
    }

    async fn under_a_key_a_picture_is_kept_once(database: TestDatabase) {
        let (app, worker) = start(database, &[]).await;
        let user = app.user().await;
        let keyed = |bytes: Vec<u8>| {
            let request = user.request(Method::POST, "/api/uploads").header("content-type", "image/png");
            send(request.header("idempotency-key", "once").body(bytes))
        };
        let first = keyed(png(80, 80)).await;
        assert_eq!(first.status, 201, "{:?}", first.body);
        let again = keyed(png(80, 80)).await;
        assert_eq!((again.status, again.body), (first.status, first.body));
        assert_eq!(worker.pictures(), 1);
        keyed(png(81, 81)).await.is_problem(422, "idempotency_key_reused");
        app.stop().await;
    }

    async fn a_direct_request_takes_pictures_and_its_retry_keeps_them(database: TestDatabase) {
        let (app, mut worker) = start(database, &[]).await;
        let (user, other) = (app.user().await, app.user().await);
        let id = uploaded(&user).await;
        let answer = user.post("/api/generations", &ordered(&id, "first_frame")).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let images = json!([{"uploadId": id, "role": "first_frame"}]);
        assert_eq!(answer.body["parameters"]["images"], images);
        let (_, told) = worker.next_that_wants(DesiredState::PendingConfirmation).await;
        assert_eq!(told.parameters.images, first_frame(&id));
        let path = format!("/api/generations/{}", answer.body["id"].as_str().unwrap());
        assert_eq!(user.post(&format!("{path}/cancel"), &json!({})).await.status, 200);
        let retry = user.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!((retry.status.as_u16(), &retry.body["parameters"]["images"]), (201, &images));

        for (field, body) in [
            ("attachments[0].uploadId", ordered(UploadId::new().as_str(), "first_frame")),
            ("parameters.images[0].uploadId", json!({"prompt": "a boat", "parameters": {"images": [{"uploadId": UploadId::new()}]}})),
            ("parameters.images", ordered(&id, "last_frame")),
            ("attachments[0].role", ordered(&id, "middle_frame")),
        ] {
            let refused = user.post("/api/generations", &body).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), [field], "{body}");
        }
        let foreign = other.post("/api/generations", &ordered(&id, "first_frame")).await;
        foreign.is_problem(422, "validation_failed");
        let unknown = user.post("/api/generations", &ordered(UploadId::new().as_str(), "first_frame")).await;
        assert_eq!(foreign.body["errors"], unknown.body["errors"], "who owns it is not told");
        app.stop().await;
    }

    async fn a_picture_that_has_expired_is_attached_no_more(database: TestDatabase) {
        let (app, worker) = start(database, &[]).await;
        let user = app.user().await;
        worker.keeps_pictures_for(Duration::from_millis(2));
        let id = uploaded(&user).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        let refused = user.post("/api/generations", &ordered(&id, "first_frame")).await;
        refused.is_problem(422, "validation_failed");
        user.get(&format!("/api/uploads/{id}")).await.is_problem(404, "not_found");
        app.stop().await;
    }

    async fn a_message_brings_pictures(database: TestDatabase) {
        let (app, mut worker) = start(database, &[]).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        let [one, two] = [uploaded(&user).await, uploaded(&user).await];
        let say = async |content: &str, attachments: Value| {
            user.post(&messages, &json!({"content": content, "attachments": attachments})).await
        };
        let asked = say("Make a video of the boat on this picture", json!([{"uploadId": one}])).await;
        assert_eq!(asked.status, 201, "{:?}", asked.body);
        let first = json!([{"uploadId": one, "role": "first_frame"}]);
        assert_eq!(asked.body["generation"]["status"], "pending_clarification");
        assert_eq!(asked.body["generation"]["parameters"]["images"], first);
        let answered = say("4 seconds, landscape", Value::Null).await;
        assert_eq!(answered.body["generation"]["status"], "pending_confirmation", "{:?}", answered.body);
        assert_eq!(answered.body["generation"]["parameters"]["images"], first, "it is kept");

        // Another picture is another offer, even with a yes.
        let both = json!([{"uploadId": two}, {"uploadId": one, "role": "last_frame"}]);
        let amended = say("yes", both).await;
        assert_eq!(amended.body["generation"]["status"], "pending_confirmation", "{:?}", amended.body);
        let frames = json!([{"uploadId": two, "role": "first_frame"}, {"uploadId": one, "role": "last_frame"}]);
        assert_eq!(amended.body["generation"]["parameters"]["images"], frames);
        let confirmed = say("yes", json!([])).await;
        assert_eq!(confirmed.body["generation"]["status"], "confirmed", "{:?}", confirmed.body);
        let (_, told) = worker.next_that_wants(DesiredState::Confirmed).await;
        let roles: Vec<_> = told.parameters.images.iter().map(|image| image.role).collect();
        assert_eq!(roles, [ImageRole::FirstFrame, ImageRole::LastFrame]);

        for (attachments, field) in [
            (json!([{"uploadId": one, "role": "last_frame"}]), "attachments"),
            (json!([{"uploadId": one}, {"uploadId": two}]), "attachments"),
            (json!([{"uploadId": one}, {"uploadId": UploadId::new()}]), "attachments[1].uploadId"),
            (json!(vec![json!({"uploadId": one, "role": "reference"}); 9]), "attachments"),
        ] {
            let refused = say("Make a video of this", attachments.clone()).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), [field], "{attachments}");
        }
        app.stop().await;
    }

    async fn pictures_that_do_not_go_together_are_told_in_the_users_language(database: TestDatabase) {
        let (app, _worker) = start(database, &[]).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        let last = json!([{"uploadId": uploaded(&user).await, "role": "last_frame"}]);
        for (content, told) in [
            ("Mach ein Video von diesem Hund", "Ein Bild für das Ende braucht auch eines für den Anfang."),
            ("Make a video of this dog", "A last frame needs a first frame, too."),
        ] {
            let refused = user.post(&messages, &json!({"content": content, "attachments": last})).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"], json!([{"field": "attachments", "message": told}]));
        }
        app.stop().await;
    }

    async fn from_references_the_length_is_asked(database: TestDatabase) {
        let (app, _worker) = start(database, &[]).await;
        let user = app.user().await;
        let messages = format!("/api/conversations/{}/messages", user.conversation().await);
        let id = uploaded(&user).await;
        let reference = json!([{"uploadId": id, "role": "reference"}]);
        let body = json!({"content": "Make a 4 second landscape video of this dog", "attachments": reference});
        let asked = user.post(&messages, &body).await;
        assert_eq!(asked.status, 201, "{:?}", asked.body);
        let questions = &asked.body["generation"]["clarificationQuestions"];
        assert_eq!(questions[0]["id"], "duration", "{:?}", asked.body);
        let options: Vec<_> = questions[0]["options"].as_array().unwrap().iter().map(|o| &o["value"]).collect();
        assert_eq!(options, [&json!(8)]);
        let body = json!({"prompt": "a dog", "parameters": {"duration": 4}, "attachments": reference});
        let refused = user.post("/api/generations", &body).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.wrong_fields(), ["parameters.duration"]);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_is_told_why() {
    let (app, worker) = start(TestDatabase::sqlite(), &[]).await;
    let user = app.user().await;
    let whole = png(80, 80);
    for (content_type, bytes, says) in [
        ("image/png", Vec::new(), "no picture"),
        ("image/png", b"<html>".to_vec(), "not a PNG"),
        ("image/jpeg", whole.clone(), "content-type says image/jpeg"),
        ("image/png", whole[..whole.len() / 2].to_vec(), "cut short"),
        ("image/png", png(1, 1), "at least 64"),
    ] {
        let refused = upload(&user, content_type, bytes).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.wrong_fields(), ["body"]);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{detail}");
    }
    for content_type in ["image/gif", "image/svg+xml", "application/json", "multipart/form-data; boundary=x"]
    {
        upload(&user, content_type, whole.clone()).await.is_problem(415, "unsupported_media_type");
    }
    let large = vec![0; 20 * 1024 * 1024 + 1];
    upload(&user, "image/png", large).await.is_problem(413, "payload_too_large");
    // Elsewhere a picture is none of JSON.
    let request = user.request(Method::POST, "/api/conversations").header("content-type", "image/png");
    send(request.body(whole)).await.is_problem(415, "unsupported_media_type");
    assert_eq!(worker.pictures(), 0, "nothing of it came to the worker");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_uploads_nothing() {
    let (app, worker) = start(TestDatabase::sqlite(), &[]).await;
    let user = app.user().await;
    let request = user.request(Method::POST, "/api/uploads").header("content-type", "image/png");
    let answer = send(request.header("origin", "https://evil.example").body(png(80, 80))).await;
    answer.is_problem(403, "origin_not_allowed");
    assert_eq!(worker.pictures(), 0);
    app.stop().await;
}

/// I20: whose pictures come slowly, or never, keeps no places from others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_more_than_two_pictures_under_way() {
    let (app, worker) = start(TestDatabase::sqlite(), &[("RATE_UPLOADS_PER_MINUTE", "1000000")]).await;
    let (user, other) = (app.user().await, app.user().await);
    let sent = async || json!(upload(&user, "image/png", png(64, 64)).await.status.as_u16());
    // No picture, which takes a place as one does, and is not kept.
    let asked = async || json!(upload(&user, "image/png", Vec::new()).await.status.as_u16());
    let slow = begun(&app, &user).await;
    assert_eq!(sent().await, 201, "one is under way, and a second may be");
    let slower = begun(&app, &user).await;
    // From the moment on that both have their places.
    until(asked, |status| *status == 429).await;
    let before = worker.pictures();
    let refused = upload(&user, "image/png", png(64, 64)).await;
    refused.is_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(worker.pictures(), before, "nothing of it came to the worker");
    uploaded(&other).await;
    // Who goes away leaves a place.
    drop(slower);
    until(sent, |status| *status == 201).await;
    drop(slow);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_are_counted_apart_from_what_a_user_says() {
    let limits = [("RATE_UPLOADS_PER_MINUTE", "2"), ("RATE_MESSAGES_PER_MINUTE", "1")];
    let (app, _worker) = start(TestDatabase::sqlite(), &limits).await;
    let user = app.user().await;
    let messages = format!("/api/conversations/{}/messages", user.conversation().await);
    assert_eq!(user.post(&messages, &json!({"content": "Hello"})).await.status, 201);
    user.post(&messages, &json!({"content": "Hello"})).await.is_problem(429, "rate_limited");
    uploaded(&user).await;
    uploaded(&user).await;
    upload(&user, "image/png", png(80, 80)).await.is_problem(429, "rate_limited");
    app.stop().await;
}
