//! What the worker's webhooks must be, and the secrets that they are signed with.

use contract::{EventId, JobStatus};
use foundation::testing::TestDatabase;
use serde_json::json;

use crate::{
    generations::{id, path, queued, start},
    test_app::{TestApp, WEBHOOK_SECRET, on_both_databases},
    worker::{FakeWorker, deliver, deliver_signed, event, until},
};

on_both_databases! {
    async fn a_webhook_with_what_cannot_be_stored_is_no_event(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let generation = queued(&user).await;
        let id = id(&generation);
        let mut model = worker.snapshot(&id, JobStatus::Active, 2);
        model.model.push('\0');
        let mut failed = worker.snapshot(&id, JobStatus::Failed, 2);
        failed.error.as_mut().unwrap().message.push('\0');
        let mut completed = worker.snapshot(&id, JobStatus::Completed, 2);
        completed.result.as_mut().unwrap().thumbnail_key.push('\0');
        let mut poster = worker.snapshot(&id, JobStatus::Completed, 2);
        poster.result.as_mut().unwrap().posters[1].url.push('\0');
        let mut delivered = worker.snapshot(&id, JobStatus::Failed, 2);
        delivered.error.as_mut().unwrap().delivered = Some("video/\0".to_owned());
        for snapshot in [model, failed, completed, poster, delivered] {
            let body = serde_json::to_vec(&event(snapshot)).unwrap();
            deliver(&app, EventId::new().as_str(), &body).await.is_problem(422, "invalid_event");
        }
        assert_eq!(user.get(&path(&generation)).await.body["status"], "queued");
        app.stop().await;
    }
}

/// A secret is rotated in its file while the service runs: add, wait, remove.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_rotated_in_their_file() {
    const NEXT: &str = "whsec_q5Z1c0W0V7m6Yb5Fh0oXkG8sTn3uLr2J";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    std::fs::write(&file, WEBHOOK_SECRET).unwrap();
    let settings = [("WEBHOOK_SECRETS", ""), ("WEBHOOK_SECRETS_FILE", file.to_str().unwrap())];
    let app = TestApp::start_with(TestDatabase::sqlite(), &settings).await;
    let newer = br#"{"type":"generation.rated","timestamp":"2026-11-23T09:30:00.000Z","data":{}}"#;
    let ask = async |secret: &str| {
        json!(deliver_signed(&app, EventId::new().as_str(), newer, secret).await.status.as_u16())
    };
    assert_eq!((ask(WEBHOOK_SECRET).await, ask(NEXT).await), (json!(204), json!(401)));
    std::fs::write(&file, format!("{WEBHOOK_SECRET},{NEXT}")).unwrap();
    until(async || ask(NEXT).await, |status| *status == 204).await;
    assert_eq!(ask(WEBHOOK_SECRET).await, 204, "nothing that was signed before is lost");
    std::fs::write(&file, NEXT).unwrap();
    until(async || ask(WEBHOOK_SECRET).await, |status| *status == 401).await;
    assert_eq!(ask(NEXT).await, 204);
    app.stop().await;
}
