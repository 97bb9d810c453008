//! What api-service asks of worker-service, and what it answers.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    ConversationId, ErrorCode, ErrorReason, GenerationId, JobId, JobStatus, Parameters, Stage, Timestamp,
    UserId,
};

/// How far the user has taken a generation. A command carries it whole, so that the order in which
/// commands arrive does not matter (I6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DesiredState {
    /// Questions are open.
    Pending,
    /// Everything is known; the user has not said yes.
    PendingConfirmation,
    /// The user said yes: make it.
    Confirmed,
    /// Stop it; if it is already made, discard what is stored.
    Cancelled,
}

/// The generation's whole desired state. The worker takes it if `revision` is greater than the one it has,
/// and creates the job if it does not know the generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The generation, and the key under which the worker finds the job.
    pub generation_id: GenerationId,
    /// Whose it is: running jobs are limited by user.
    pub user_id: UserId,
    /// Where it was asked for.
    pub conversation_id: ConversationId,
    /// Rises with every change on the API's side, from 1.
    pub revision: i64,
    /// How far the user has taken it.
    pub state: DesiredState,
    /// The provider's name, for example `veo3`.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// What to make.
    pub prompt: String,
    /// How to make it.
    pub parameters: Parameters,
    /// Greater goes first; 0 unless there is a reason.
    #[serde(default)]
    pub priority: i32,
    /// The W3C trace context of the request that caused this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What the worker has after a command.
// What has a default and is required all the same is always written; a worker that says only what the wire contract
// names is understood without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandAnswer {
    /// The generation.
    pub generation_id: GenerationId,
    /// Its job.
    pub job_id: JobId,
    /// The job's status.
    pub status: JobStatus,
    /// How many waiting jobs stand before it, from 1; absent when it does not wait.
    pub queue_position: Option<i64>,
    /// The revision that the worker has now.
    #[serde(default)]
    #[schema(required = true)]
    pub revision: i64,
}

/// Asks for the snapshots of many generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusRequest {
    /// At most [`StatusRequest::MAX_IDS`].
    pub ids: Vec<GenerationId>,
}

impl StatusRequest {
    /// How many generations one request may ask about.
    pub const MAX_IDS: usize = 500;
}

/// The snapshots of those generations that the worker knows; the others are absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusAnswer {
    /// In no particular order.
    pub items: Vec<JobSnapshot>,
}

/// The whole state of a job: what `GET …/status` answers and what every webhook carries, so that a lost
/// event costs nothing. `sequence` orders the snapshots of a job.
// Its defaults are as those of `CommandAnswer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSnapshot {
    /// The generation.
    pub generation_id: GenerationId,
    /// The job.
    pub job_id: JobId,
    /// The job's status.
    pub status: JobStatus,
    /// Counted on the job's row in the transaction that made this state; rises over attempts and restarts.
    pub sequence: i64,
    /// Which submission to the provider this is, from 1; 0 before the first.
    #[serde(default)]
    #[schema(required = true)]
    pub attempt: i32,
    /// What the job is doing; absent when it is not active and not waiting for a retry.
    pub stage: Option<Stage>,
    /// 0–99 while it runs, 100 when completed. Never falls within an attempt.
    pub progress: i32,
    /// Seconds until it is probably done, if that can be said.
    pub eta_seconds: Option<i64>,
    /// See [`CommandAnswer::queue_position`].
    #[serde(default)]
    pub queue_position: Option<i64>,
    /// The provider's name.
    #[serde(default)]
    #[schema(required = true)]
    pub provider: String,
    /// The provider's model.
    #[serde(default)]
    #[schema(required = true)]
    pub model: String,
    /// How many attempts were made again.
    pub retry_count: i32,
    /// How many may be.
    #[serde(default)]
    #[schema(required = true)]
    pub max_retries: i32,
    /// When the worker first heard of it.
    #[serde(default = "Timestamp::now")]
    #[schema(required = true)]
    pub created_at: Timestamp,
    /// When this state was reached.
    #[serde(default = "Timestamp::now")]
    #[schema(required = true)]
    pub updated_at: Timestamp,
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it reached a terminal status.
    pub completed_at: Option<Timestamp>,
    /// What was made, if completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// Of a job that has ended: whether the provider accepted a submission and did not say that it came to nothing,
    /// so that it may charge for it. `false` until then.
    #[serde(default)]
    pub billable: bool,
}

/// A finished video. The URLs are unsigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobResult {
    /// Where the video lies, unsigned.
    pub video_url: String,
    /// Where the thumbnail lies, unsigned.
    pub thumbnail_url: String,
    /// The video's key in the bucket.
    pub video_key: String,
    /// The thumbnail's key in the bucket.
    pub thumbnail_key: String,
    /// Length in seconds, as measured.
    pub duration: f64,
    /// Size in bytes.
    pub file_size: i64,
    /// Width and height in pixels, as `1920x1080`.
    pub resolution: String,
    /// The container, `mp4`.
    pub format: String,
    /// SHA-256 of the video in lower-case hexadecimal.
    pub sha256: String,
    /// Seconds from the first claim to completion.
    pub processing_time: f64,
    /// Its first picture in several sizes, the smallest first; none in what was written before there were any.
    #[serde(default)]
    pub posters: Vec<Poster>,
}

/// The first picture of a video in one size, a JPEG.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Poster {
    /// Pixels; no two posters of a video have the same.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Where it lies, unsigned.
    pub url: String,
    /// Its key in the bucket.
    pub key: String,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// For programs.
    pub code: ErrorCode,
    /// A sentence that the user may read.
    pub message: String,
    /// Whether asking again may help.
    pub retryable: bool,
    /// The media type of what the provider delivered in place of an MP4 video, as far as its first bytes tell;
    /// absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "video/webm")]
    pub delivered: Option<String>,
    /// What a person could act on, where `code` does not say it; absent otherwise. There may be more of them in time: one
    /// that is not known is as good as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub reason: Option<ErrorReason>,
}

impl JobError {
    /// An error of which its code says all.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, retryable: bool) -> Self {
        Self { code, message: message.into(), retryable, delivered: None, reason: None }
    }

    /// The same error, with what a person could act on.
    #[must_use]
    pub fn because(self, reason: impl Into<Option<ErrorReason>>) -> Self {
        Self { reason: reason.into(), ..self }
    }
}

/// A reason that is known here. A newer sender may have others, which must not cost the whole event.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ErrorReason>, D::Error> {
    let word = Option::<String>::deserialize(from)?;
    Ok(word.and_then(|word| word.parse().ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use utoipa::PartialSchema;

    use super::*;

    /// The fields that the wire contract names, and no others.
    #[test]
    fn answers_are_read_with_what_the_contract_names() {
        let (generation, job) = (GenerationId::new(), JobId::new());
        let answer = json!({
            "generationId": generation, "jobId": job, "status": "pending", "queuePosition": null,
        });
        let answer: CommandAnswer = serde_json::from_value(answer).unwrap();
        assert_eq!(
            (answer.generation_id, answer.job_id, answer.revision),
            (generation.clone(), job.clone(), 0)
        );

        let status = json!({
            "generationId": generation, "jobId": job, "status": "active", "progress": 40, "queuePosition": null,
            "etaSeconds": 12, "retryCount": 1, "sequence": 5,
        });
        let snapshot: JobSnapshot = serde_json::from_value(status.clone()).unwrap();
        assert_eq!((&snapshot.generation_id, &snapshot.job_id), (&generation, &job));
        assert_eq!((snapshot.status, snapshot.progress, snapshot.sequence), (JobStatus::Active, 40, 5));
        assert_eq!((snapshot.attempt, snapshot.result, snapshot.error), (0, None, None));

        let mut completed = status.clone();
        completed["status"] = json!("completed");
        completed["result"] = json!({
            "videoUrl": "http://s3/v.mp4", "thumbnailUrl": "http://s3/t.jpg", "videoKey": "v.mp4",
            "thumbnailKey": "t.jpg", "duration": 4.0, "fileSize": 1000, "resolution": "1280x720", "format": "mp4",
            "sha256": "00", "processingTime": 9.5,
        });
        let mut failed = status;
        failed["status"] = json!("failed");
        failed["error"] = json!({"code": "timeout", "message": "It took too long.", "retryable": true});
        let answer: StatusAnswer = serde_json::from_value(json!({"items": [completed, failed]})).unwrap();
        let outcomes: Vec<_> =
            answer.items.iter().map(|item| (item.result.is_some(), item.error.is_some())).collect();
        assert_eq!(outcomes, [(true, false), (false, true)]);
    }

    #[test]
    fn answers_are_described_as_they_are_written() {
        let required = |schema: Value| schema["required"].as_array().unwrap().clone();
        let answer = required(serde_json::to_value(CommandAnswer::schema()).unwrap());
        assert!(answer.contains(&json!("revision")), "{answer:?}");
        let snapshot = required(serde_json::to_value(JobSnapshot::schema()).unwrap());
        for field in ["attempt", "provider", "model", "maxRetries", "createdAt", "updatedAt"] {
            assert!(snapshot.contains(&json!(field)), "{field}: {snapshot:?}");
        }
    }

    #[test]
    fn an_error_is_read_whatever_reason_it_has() {
        let whole = JobError::new(ErrorCode::ContentFiltered, "It was held back.", false)
            .because(ErrorReason::FilteredViolence);
        let written = serde_json::to_value(&whole).unwrap();
        assert_eq!(
            written,
            json!({
                "code": "content_filtered", "message": "It was held back.", "retryable": false,
                "reason": "filtered_violence",
            })
        );
        assert_eq!(serde_json::from_value::<JobError>(written.clone()).unwrap(), whole);
        let without = JobError { reason: None, ..whole };
        for unknown in [json!("filtered_by_the_moon"), json!(""), json!(null)] {
            let mut newer = written.clone();
            newer["reason"] = unknown;
            assert_eq!(serde_json::from_value::<JobError>(newer).unwrap(), without);
        }
        // As those wrote it who knew of no reasons, and as they would read it.
        let mut older = written;
        older.as_object_mut().unwrap().remove("reason");
        assert_eq!(serde_json::from_value::<JobError>(older.clone()).unwrap(), without);
        assert_eq!(serde_json::to_value(&without).unwrap(), older);
    }
}
