//! What holds for requests of every kind: what they leave in the log, their methods, and their queries.

use contract::worker_api::DesiredState;
use foundation::testing::TestDatabase;
use reqwest::{Response, StatusCode};
use serde_json::json;
use telemetry::{
    catalogue::{WORKER_AUTHENTICATION, WORKER_GENERATION_CREATE_JOB_CREATED},
    testing::{Capture, Record},
};

use crate::{fixture::command, routes::Service};

/// What a request has logged under this name.
fn told(logged: &Capture, name: &str, answer: &Response) -> Vec<Record> {
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    logged.named(name).into_iter().filter(|line| line.text("requestId") == Some(id)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_tells_whose_it_is_and_which_place_its_job_has() {
    let logged = Capture::install().unwrap();
    let service = Service::start(TestDatabase::sqlite(), &[]).await;
    for (state, place) in [(DesiredState::Pending, 0), (DesiredState::Confirmed, 1)] {
        let command = command(state);
        let answer = service.post("/api/generations", &serde_json::to_string(&command).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let lines = told(&logged, WORKER_AUTHENTICATION, &answer);
        let users: Vec<_> = lines.iter().map(|line| line.text("userId")).collect();
        assert_eq!(users, [Some(command.user_id.as_str())]);
        let lines = told(&logged, WORKER_GENERATION_CREATE_JOB_CREATED, &answer);
        let places: Vec<_> = lines.iter().map(|line| line.fields["queuePosition"].clone()).collect();
        assert_eq!(places, [json!(place)], "{state:?}");
    }
    let answer = service.get("/api/queue").await;
    let lines = told(&logged, WORKER_AUTHENTICATION, &answer);
    assert_eq!(lines.iter().map(|line| line.text("userId")).collect::<Vec<_>>(), [None], "nobody's");
    service.end().await;
}
