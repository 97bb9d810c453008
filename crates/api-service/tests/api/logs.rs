//! What the log says of a conversation: which lines, in which order, and for which request.

use contract::worker_api::DesiredState;
use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};
use telemetry::{
    catalogue,
    testing::{Capture, Record},
};

use crate::{
    generations::{start, text},
    test_app::{Caller, send},
    worker::{FakeWorker, until},
};

/// Whether a line is of the command to the worker, which is sent when it is sent.
fn is_of_the_command(line: &Record) -> bool {
    ["Calling Worker API", "Worker response"].iter().any(|action| line.message.ends_with(action))
}

/// The lines of a request, apart from those of its command.
fn lines_of(log: &Capture, request: &str) -> Vec<Record> {
    let mut lines = log.records();
    lines.retain(|line| line.text("requestId") == Some(request) && line.entry().is_some());
    lines.retain(|line| !is_of_the_command(line));
    lines
}

/// Says something under a request id.
async fn say(user: &Caller, messages: &str, content: &str, request: &str) -> Value {
    let asked = user.request(Method::POST, messages).header("x-request-id", request);
    let answer = send(asked.json(&json!({"content": content}))).await;
    assert_eq!(answer.status, 201, "{content}: {:?}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_in_the_chat_is_logged_as_if_it_had_come_by_the_generations_own_route() {
    let log = Capture::install().unwrap();
    let worker = FakeWorker::start();
    let app = start(TestDatabase::sqlite(), &worker).await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    let messages = format!("/api/conversations/{conversation}/messages");
    let clarified = [
        catalogue::GENERATION_CLARIFY_REQUEST_RECEIVED,
        catalogue::GENERATION_CLARIFY_UPDATED_IN_DB,
        catalogue::GENERATION_CLARIFY_RETURNING_RESPONSE,
    ];
    for (content, request, lines) in [
        ("Hello!", "chat-1", vec![]),
        (
            "Make a video of a fox in the snow",
            "chat-2",
            vec![
                catalogue::GENERATION_CREATE_REQUEST_RECEIVED,
                catalogue::GENERATION_CREATE_CREATED_IN_DB,
                catalogue::GENERATION_CREATE_RETURNING_RESPONSE,
            ],
        ),
        ("8 seconds, vertical", "chat-3", clarified.to_vec()),
        ("Make it landscape", "chat-4", clarified.to_vec()),
        (
            "Yes",
            "chat-5",
            vec![
                catalogue::GENERATION_CONFIRM_REQUEST_RECEIVED,
                catalogue::GENERATION_CONFIRM_UPDATED_IN_DB,
                catalogue::GENERATION_CONFIRM_RETURNING_RESPONSE,
            ],
        ),
        (
            "Cancel",
            "chat-6",
            vec![
                catalogue::GENERATION_CANCEL_REQUEST_RECEIVED,
                catalogue::GENERATION_CANCEL_UPDATED_IN_DB,
                catalogue::GENERATION_CANCEL_RETURNING_RESPONSE,
            ],
        ),
    ] {
        let answer = say(&user, &messages, content, request).await;
        let logged = lines_of(&log, request);
        let names: Vec<_> = logged.iter().map(|line| line.message.as_str()).collect();
        let mut expected = vec![
            catalogue::MESSAGE_CREATE_REQUEST_RECEIVED,
            catalogue::MESSAGE_CREATE_MESSAGE_CREATED,
            catalogue::MESSAGE_CREATE_INTENT_ANALYSED,
        ];
        expected.extend(lines);
        expected.push(catalogue::MESSAGE_CREATE_RETURNING_RESPONSE);
        assert_eq!(names, expected, "{content}");
        for line in &logged {
            assert_eq!(line.fault(), None, "{content}");
            if let Some(message) = line.text("messageId") {
                assert_eq!(message, text(&answer["message"]["id"]), "{line:?}");
            }
            if let Some(generation) = line.text("generationId") {
                assert_eq!(generation, text(&answer["generation"]["id"]), "{line:?}");
            }
        }
    }
    let asked = &lines_of(&log, "chat-2")[3];
    for field in ["userId", "conversationId", "messageId", "prompt", "provider"] {
        assert!(asked.text(field).is_some(), "{field}: {asked:?}");
    }
    let confirmed = &lines_of(&log, "chat-5")[4];
    let statuses = (confirmed.text("oldStatus"), confirmed.text("newStatus"));
    assert_eq!(statuses, (Some("pending_confirmation"), Some("confirmed")));
    app.stop().await;
}

/// Only one turn of several that are planned at once is as it was planned; the others are planned anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_is_planned_anew_is_logged_once() {
    let log = Capture::install().unwrap();
    let worker = FakeWorker::start();
    let app = start(TestDatabase::sqlite(), &worker).await;
    let user = app.user().await;
    let messages = format!("/api/conversations/{}/messages", user.conversation().await);
    say(&user, &messages, "Make a video of a fox in the snow, 8 seconds, vertical", "wish-0").await;
    let requests: Vec<_> = (0..6).map(|number| format!("yes-{number}")).collect();
    let said = requests.iter().map(|request| say(&user, &messages, "Yes", request));
    futures_util::future::join_all(said).await;
    let mut confirmed = 0;
    for request in &requests {
        let logged = lines_of(&log, request);
        for once in [catalogue::MESSAGE_CREATE_INTENT_ANALYSED, catalogue::MESSAGE_CREATE_MESSAGE_CREATED] {
            assert_eq!(logged.iter().filter(|line| line.message == once).count(), 1, "{logged:?}");
        }
        let of_the_yes = |line: &&Record| line.message == catalogue::GENERATION_CONFIRM_UPDATED_IN_DB;
        confirmed += logged.iter().filter(of_the_yes).count();
    }
    assert_eq!(confirmed, 1);
    app.stop().await;
}

/// Also when the worker takes it long after, and from another process than the one that answered the request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_goes_under_the_id_of_its_request() {
    let log = Capture::install().unwrap();
    let mut worker = FakeWorker::start();
    let app = start(TestDatabase::sqlite(), &worker).await;
    let user = app.user().await;
    let messages = format!("/api/conversations/{}/messages", user.conversation().await);
    say(&user, &messages, "Make a video of a fox in the snow, 8 seconds, vertical", "command-1").await;
    let (_, command) = worker.next().await;
    assert_eq!(worker.request_of(&command).as_deref(), Some("command-1"));
    worker.answers(503);
    say(&user, &messages, "Yes", "command-2").await;
    let (_, command) = worker.next_that_wants(DesiredState::Confirmed).await;
    assert_eq!(worker.request_of(&command).as_deref(), Some("command-2"));
    let app = start(app.stop().await.unwrap(), &worker).await;
    for earlier in worker.others() {
        worker.request_of(&earlier);
    }
    worker.answers(200);
    let (_, command) = worker.next_that_wants(DesiredState::Confirmed).await;
    assert_eq!(worker.request_of(&command).as_deref(), Some("command-2"));
    for (name, request) in [
        (catalogue::GENERATION_CREATE_CALLING_WORKER, "command-1"),
        (catalogue::GENERATION_CREATE_WORKER_RESPONSE, "command-1"),
        (catalogue::GENERATION_CONFIRM_CALLING_WORKER, "command-2"),
        (catalogue::GENERATION_CONFIRM_WORKER_RESPONSE, "command-2"),
    ] {
        let is_logged = async || {
            let lines = log.named(name);
            json!(lines.iter().any(|line| {
                line.text("requestId") == Some(request)
                    && line.text("generationId") == Some(command.generation_id.as_str())
            }))
        };
        until(is_logged, |is_logged| *is_logged == true).await;
    }
    app.stop().await;
}
