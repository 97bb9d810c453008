//! What a process with telemetry logs, read back from its own lines.

use telemetry::{RequestId, TraceParent, catalogue, continue_trace, event, testing};
use tracing::{Instrument, info_span};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn only(capture: &testing::Capture, name: &str, marker: &str) -> testing::Record {
    let mut records = capture.named(name);
    records.retain(|record| record.fields.values().any(|value| value == marker));
    assert_eq!(records.len(), 1, "{name} with {marker}: {records:?}");
    records.remove(0)
}

#[test]
fn a_line_has_the_catalogues_words_and_typed_fields() {
    let capture = testing::Capture::install().unwrap();
    let error: Option<&str> = None;
    event!(WARN, GENERATION_CREATE_WORKER_RESPONSE, generationId = "gen_typed", success = true, error);
    let record = only(&capture, catalogue::GENERATION_CREATE_WORKER_RESPONSE, "gen_typed");
    assert_eq!(record.message, "[GENERATION_CREATE] Worker response");
    assert_eq!((record.level.as_str(), record.target.as_str()), ("WARN", telemetry::TARGET));
    assert_eq!(record.fields.get("success"), Some(&true.into()));
    assert!(!record.fields.contains_key("error"), "a field that is None is left out");
    assert_eq!(record.timestamp.len(), "2026-11-23T09:30:00.000Z".len());
    assert_eq!(record.fault(), None);
}

#[test]
fn a_line_that_lacks_a_field_of_its_entry_is_found_out() {
    let capture = testing::Capture::install().unwrap();
    event!(INFO, JOB_MANAGER_JOB_CREATED, jobId = "job_lacking");
    let fault = only(&capture, catalogue::JOB_MANAGER_JOB_CREATED, "job_lacking").fault().unwrap();
    assert!(fault.starts_with("\"[JOB_MANAGER] Job created\" lacks status"), "{fault}");
}

#[tokio::test]
async fn spans_give_their_fields_and_their_trace() {
    let capture = testing::Capture::install().unwrap();
    let request_id = RequestId::accept_or_new(Some("spans-1"));
    let span = info_span!("request", requestId = %request_id, jobId = "outer", otel.kind = "server");
    continue_trace(&span, Some(PARENT));
    let sent = async {
        event!(INFO, JOB_MANAGER_JOB_CREATED, jobId = "inner", status = "pending");
        async { TraceParent::current() }.instrument(info_span!("call")).await
    }
    .instrument(span)
    .await;

    let record = only(&capture, catalogue::JOB_MANAGER_JOB_CREATED, "spans-1");
    assert_eq!(record.text("jobId"), Some("inner"), "the event's own field wins");
    assert_eq!(record.text("requestId"), Some("spans-1"));
    assert!(!record.fields.contains_key("otel.kind"));
    assert_eq!(record.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(sent.trace_id(), record.trace_id, "what is sent on belongs to the same trace");
    assert_ne!(sent.to_string(), PARENT, "but to another span");
}

#[tokio::test]
async fn a_request_is_known_by_its_id_in_whatever_span_its_work_is() {
    let _capture = testing::Capture::install().unwrap();
    assert_eq!(RequestId::current(), None);
    let id = RequestId::accept_or_new(Some("current-1"));
    let found =
        async { async { RequestId::current() }.instrument(info_span!("call", jobId = "job_1")).await }
            .instrument(info_span!("request", requestId = %id))
            .await;
    assert_eq!(found.as_ref(), Some(&id));
    let mut headers = http::HeaderMap::new();
    id.inject(&mut headers);
    id.inject(&mut headers);
    assert_eq!(headers.get_all("x-request-id").iter().collect::<Vec<_>>(), ["current-1"]);
    let stored: Option<&str> = None;
    for (span, known) in [
        (info_span!("command", requestId = Some("current-2")), Some("current-2")),
        (info_span!("command", requestId = stored), None),
        (info_span!("command", requestId = "not an id"), None),
    ] {
        let current = span.in_scope(RequestId::current);
        assert_eq!(current.as_ref().map(RequestId::as_str), known);
    }
}

#[test]
fn a_span_without_a_parent_starts_a_trace_and_no_span_is_the_processs_own() {
    let capture = testing::Capture::install().unwrap();
    let span = info_span!("root");
    continue_trace(&span, Some("garbage"));
    span.in_scope(|| event!(INFO, SERVICE_STOPPING, reason = "root-span"));
    event!(INFO, SERVICE_STOPPING, reason = "no-span-1");
    event!(INFO, SERVICE_STOPPING, reason = "no-span-2");
    let trace = |marker| only(&capture, catalogue::SERVICE_STOPPING, marker).trace_id;
    assert_eq!(trace("root-span").len(), 32);
    assert_ne!(trace("root-span"), trace("no-span-1"));
    assert_eq!(trace("no-span-1"), trace("no-span-2"));
}

#[test]
fn secrets_are_cut_out() {
    let capture = testing::Capture::install().unwrap();
    let span = info_span!("request", apiKey = "leaked-1");
    let error = std::io::Error::other("GET http://s3/a?X-Amz-Signature=leaked2: refused");
    span.in_scope(
        || event!(ERROR, SERVICE_TASK_FAILED, task = "secrets", error = ?error, token = "leaked-3"),
    );
    let record = only(&capture, catalogue::SERVICE_TASK_FAILED, "secrets");
    let text = format!("{record:?}");
    assert!(!text.contains("leaked"), "{text}");
    assert!(text.contains("http://s3/a?X-Amz-Signature=[redacted]: refused"), "{text}");
}

#[test]
fn prompts_are_cut_to_80_characters() {
    let _capture = testing::Capture::install().unwrap();
    assert_eq!(telemetry::prompt("a paper boat"), Some("a paper boat"));
    assert_eq!(telemetry::prompt(&"ä".repeat(100)), Some("ä".repeat(80).as_str()));
}

#[test]
fn lines_of_libraries_are_lines_too() {
    let capture = testing::Capture::install().unwrap();
    tracing::info!(target: "library", request_id = "library-1", "Something {}", "happened");
    let record = only(&capture, "Something happened", "library-1");
    assert_eq!(record.target, "library");
    assert_eq!(record.text("requestId"), Some("library-1"));
    assert_eq!((record.entry(), record.fault()), (None, None));
}

#[test]
fn what_was_never_logged_is_missing() {
    let capture = testing::Capture::install().unwrap();
    event!(INFO, SERVICE_LISTENING, address = "127.0.0.1:1");
    let missing = testing::missing(&capture.named(catalogue::SERVICE_LISTENING));
    assert!(!missing.contains(&catalogue::SERVICE_LISTENING));
    assert!(missing.contains(&catalogue::WEBHOOK_PROCESSED));
    assert!(!missing.contains(&catalogue::PAGE_POLLING_STARTED), "the page speaks in the browser");
}

#[test]
fn only_json_lines_are_parsed() {
    assert_eq!(testing::parse_line("thread 'main' panicked"), None);
    assert_eq!(testing::parse_line("{\"message\":\"no more\"}"), None);
}
