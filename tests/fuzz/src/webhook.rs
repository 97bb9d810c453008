//! The body of a webhook, as the receiver reads it once the signature is known to be good.

use contract::{
    JobStatus,
    events::{self, Event, EventType, Received},
};
use serde_json::Value;

/// The body.
///
/// # Panics
/// If a property does not hold.
pub fn webhook_json(data: &[u8]) {
    match events::parse(data) {
        Ok(Received::Known(event)) => check(&event),
        Ok(Received::UnknownType(name)) => {
            assert!(EventType::ALL.iter().all(|known| known.as_str() != name), "{name}");
        }
        Err(_) => {}
    }
}

fn check(event: &Event) {
    let job = &event.data;
    assert!(event.kind.agrees_with(job.status));
    assert!((0..=100).contains(&job.progress) && job.sequence >= 0 && job.attempt >= 0);
    assert_eq!(job.result.is_some(), job.status == JobStatus::Completed);
    assert_eq!(job.error.is_some(), job.status == JobStatus::Failed);
    if let Some(result) = &job.result {
        assert!(result.duration.is_finite() && result.processing_time.is_finite());
    }
    let written = written(event);
    assert!(is_storable(&written), "U+0000 cannot be stored");
    // What is written of it is the same event to whoever reads it.
    let again = match events::parse(written.to_string().as_bytes()) {
        Ok(Received::Known(again)) => again,
        other => unreachable!("{written} is no event any more: {other:?}"),
    };
    assert_eq!(self::written(&again), written);
}

fn written(event: &Event) -> Value {
    serde_json::to_value(event).unwrap_or_else(|error| unreachable!("{error}"))
}

fn is_storable(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Array(items) => items.iter().all(is_storable),
        Value::Object(fields) => fields.values().all(is_storable),
        _ => true,
    }
}
