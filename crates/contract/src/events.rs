//! The worker's webhooks: an envelope of Standard Webhooks 1.0.0 around a job's snapshot.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{JobStatus, Timestamp, json, worker_api::JobSnapshot};

/// What a webhook tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum EventType {
    /// The first attempt began.
    #[serde(rename = "generation.started")]
    Started,
    /// Progress, stage or estimate changed.
    #[serde(rename = "generation.progress")]
    Progress,
    /// The video is stored.
    #[serde(rename = "generation.completed")]
    Completed,
    /// There will be no video.
    #[serde(rename = "generation.failed")]
    Failed,
    /// The job was called off.
    #[serde(rename = "generation.cancelled")]
    Cancelled,
}

impl EventType {
    /// Every type.
    pub const ALL: &'static [Self] =
        &[Self::Started, Self::Progress, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "generation.started",
            Self::Progress => "generation.progress",
            Self::Completed => "generation.completed",
            Self::Failed => "generation.failed",
            Self::Cancelled => "generation.cancelled",
        }
    }

    /// Whether a job in this status can be what an event of this type tells.
    #[must_use]
    pub const fn agrees_with(self, status: JobStatus) -> bool {
        match self {
            // A retry's progress is told while the job waits in the queue again.
            Self::Started | Self::Progress => matches!(status, JobStatus::Active | JobStatus::Confirmed),
            Self::Completed => matches!(status, JobStatus::Completed),
            Self::Failed => matches!(status, JobStatus::Failed),
            Self::Cancelled => matches!(status, JobStatus::Cancelled),
        }
    }
}

/// The body of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// What it tells.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When it came to be.
    pub timestamp: Timestamp,
    /// The whole state of the job at that time.
    pub data: JobSnapshot,
}

/// What a receiver makes of a signed body.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An event of a known type.
    Known(Box<Event>),
    /// An event of a type from a newer sender; to be answered 2xx and ignored.
    UnknownType(String),
}

/// The body is no event.
#[derive(Debug, thiserror::Error)]
pub enum MalformedEvent {
    /// Not JSON, or not of the envelope's shape.
    #[error("the body is not a webhook event: {0}")]
    Json(#[from] serde_json::Error),
    /// Not an object.
    #[error("the body is not a webhook event: it is no object")]
    NoObject,
    /// Deeper than JSON may be.
    #[error("the body is not a webhook event: it is nested deeper than {} levels", json::DEPTH)]
    TooDeep,
    /// The type and the job's status contradict each other.
    #[error("an event of type {0} cannot carry a job that is {1}")]
    Contradiction(&'static str, JobStatus),
    /// A completed job must say what was made, a failed one why, and only they may.
    #[error("a job that is {0} must carry its outcome, and only it")]
    Outcome(JobStatus),
    /// A number is outside of what it can be.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A text holds U+0000, which PostgreSQL cannot store.
    #[error("{0} contains the character U+0000")]
    Unstorable(&'static str),
}

/// Reads a webhook's body. Call it only after the signature was verified.
pub fn parse(body: &[u8]) -> Result<Received, MalformedEvent> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "type")]
        kind: String,
    }
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(MalformedEvent::NoObject);
    }
    if json::is_too_deep(body) {
        return Err(MalformedEvent::TooDeep);
    }
    let envelope: Envelope = json::from_slice(body)?;
    if !EventType::ALL.iter().any(|known| known.as_str() == envelope.kind) {
        return Ok(Received::UnknownType(envelope.kind));
    }
    let event: Event = json::from_slice(body)?;
    if !event.kind.agrees_with(event.data.status) {
        return Err(MalformedEvent::Contradiction(event.kind.as_str(), event.data.status));
    }
    check(&event.data)?;
    Ok(Received::Known(Box::new(event)))
}

/// The free texts of a snapshot, with their names.
fn texts(job: &JobSnapshot) -> impl Iterator<Item = (&'static str, &str)> {
    let own = [("provider", job.provider.as_str()), ("model", job.model.as_str())];
    let made = job.result.as_ref().map(|result| {
        [
            ("result.videoUrl", result.video_url.as_str()),
            ("result.thumbnailUrl", &result.thumbnail_url),
            ("result.videoKey", &result.video_key),
            ("result.thumbnailKey", &result.thumbnail_key),
            ("result.resolution", &result.resolution),
            ("result.format", &result.format),
            ("result.sha256", &result.sha256),
        ]
    });
    let posters = job.result.iter().flat_map(|result| &result.posters);
    let posters = posters.flat_map(|poster| {
        [("result.posters.url", poster.url.as_str()), ("result.posters.key", poster.key.as_str())]
    });
    let failed = job.error.iter().flat_map(|error| {
        let delivered = error.delivered.as_deref().map(|delivered| ("error.delivered", delivered));
        [Some(("error.message", error.message.as_str())), delivered]
    });
    own.into_iter().chain(made.into_iter().flatten()).chain(posters).chain(failed.flatten())
}

/// Checks what the type system cannot say of a snapshot.
pub fn check(job: &JobSnapshot) -> Result<(), MalformedEvent> {
    let completed = job.status == JobStatus::Completed;
    let failed = job.status == JobStatus::Failed;
    if job.result.is_some() != completed || job.error.is_some() != failed {
        return Err(MalformedEvent::Outcome(job.status));
    }
    if !(0..=100).contains(&job.progress) {
        return Err(MalformedEvent::OutOfRange("progress"));
    }
    if job.sequence < 0 {
        return Err(MalformedEvent::OutOfRange("sequence"));
    }
    if job.attempt < 0 {
        return Err(MalformedEvent::OutOfRange("attempt"));
    }
    match texts(job).find(|(_, text)| text.contains('\0')) {
        Some((name, _)) => Err(MalformedEvent::Unstorable(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{GenerationId, JobId};

    fn told() -> Value {
        let now = Timestamp::now();
        json!({
            "type": "generation.failed",
            "timestamp": now,
            "data": {
                "generationId": GenerationId::new(), "jobId": JobId::new(), "status": "failed", "sequence": 3,
                "attempt": 1, "stage": null, "progress": 40, "etaSeconds": null, "provider": "veo3",
                "model": "veo-3.1", "retryCount": 0, "maxRetries": 3, "createdAt": now, "updatedAt": now,
                "startedAt": now, "completedAt": now,
                "error": {"code": "timeout", "message": "It took too long.", "retryable": true},
            },
        })
    }

    fn read(event: &Value) -> Result<Received, MalformedEvent> {
        parse(event.to_string().as_bytes())
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn an_event_nests_no_deeper_than_other_json() {
        let mut event = told();
        // Within the envelope, and its data, there are two levels less.
        event["data"]["news"] = nested(json::DEPTH - 2);
        assert!(matches!(read(&event), Ok(Received::Known(_))));
        event["data"]["news"] = nested(json::DEPTH - 1);
        assert!(matches!(read(&event), Err(MalformedEvent::TooDeep)));
        let unknown = json!({"type": "generation.dreamt", "data": nested(json::DEPTH)});
        assert!(matches!(read(&unknown), Err(MalformedEvent::TooDeep)), "whatever it tells");
    }

    #[test]
    fn an_array_stands_for_no_part_of_an_event() {
        let whole = told();
        assert!(matches!(read(&whole), Ok(Received::Known(_))));
        assert!(matches!(read(&json!(["generation.failed"])), Err(MalformedEvent::NoObject)));
        let mut event = whole;
        event["data"]["error"] = json!(["timeout", "It took too long.", true]);
        assert!(matches!(read(&event), Err(MalformedEvent::Json(_))));
    }
}
