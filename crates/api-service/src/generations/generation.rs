//! A generation as the API knows it: the object of the routes and of `generation.updated`, and, hidden from
//! both, what the lifecycle needs to know of the worker's side.

use contract::{
    ConversationId, ErrorCode, GenerationId, GenerationStatus, JobId, MessageId, Money, Parameters, Stage,
    Timestamp, UserId, worker_api::Poster,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::clarification::ClarificationQuestion;
use crate::intent::Language;

/// What is generated. There is one kind so far.
pub const KIND_VIDEO: &str = "video";

/// A request for a video and what became of it. Serialised it is the wire's object; the URLs are unsigned
/// until they are rendered for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    /// Its id.
    pub id: GenerationId,
    /// Where it was asked for.
    pub conversation_id: ConversationId,
    /// The user's message that asked for it.
    pub message_id: MessageId,
    /// Whose it is.
    pub user_id: UserId,
    /// What is generated: `video`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// Where it stands.
    pub status: GenerationStatus,
    /// What the video shall show; empty while that is a question.
    pub prompt: String,
    /// What the provider is asked for in place of `prompt`: a model's text or the user's, which can be changed until
    /// the yes. Without it, `prompt` is what counts.
    pub enhanced_prompt: Option<String>,
    /// How it shall be made; final once the price is told.
    pub parameters: Parameters,
    /// What was asked, if anything was missing.
    pub clarification_questions: Option<Vec<ClarificationQuestion>>,
    /// What was answered.
    #[schema(value_type = Option<Object>)]
    pub clarification_responses: Option<Map<String, Value>>,
    /// The worker's job, once it has accepted one.
    pub worker_job_id: Option<JobId>,
    /// 0–100. Never falls within an attempt.
    pub progress: i32,
    /// How many waiting jobs stand before it, from 1.
    pub queue_position: Option<i64>,
    /// Seconds until it is probably done, as the worker last said; `null` where nobody knows, as of one that is late.
    pub eta_seconds: Option<i64>,
    /// The price that was told.
    pub estimated_cost: Option<Money>,
    /// A link to the video.
    pub result_url: Option<String>,
    /// A link to its thumbnail.
    pub thumbnail_url: Option<String>,
    /// Links to its first picture in several sizes, the smallest first; none before there is a video.
    pub posters: Vec<PosterLink>,
    /// Length in seconds, as measured.
    pub duration: Option<f64>,
    /// Size in bytes.
    pub file_size: Option<i64>,
    /// Width and height in pixels.
    #[schema(example = "1920x1080")]
    pub resolution: Option<String>,
    /// The container.
    #[schema(example = "mp4")]
    pub format: Option<String>,
    /// Seconds from the first claim to completion.
    pub processing_time: Option<f64>,
    /// Why it failed, or `expired`, for programs.
    pub error_code: Option<ErrorCode>,
    /// The same for a person, in the language of the request.
    pub error_message: Option<String>,
    /// The generation that this one repeats.
    pub retry_of: Option<GenerationId>,
    /// What its job is doing.
    pub stage: Option<Stage>,
    /// Which attempt its job is at, from 1; 0 before the first.
    pub attempt: i32,
    /// The conversation's cursor at the time of reading: listen from here and miss nothing.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "42")]
    pub events_cursor: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When the video was done.
    pub completed_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// When it was called off.
    pub cancelled_at: Option<Timestamp>,
    /// The language that it was asked for in, and in which it is spoken of. The wire does not show it.
    #[serde(skip)]
    pub language: Language,
    /// The worker's side, which the wire does not show.
    #[serde(skip)]
    pub job: Job,
}

/// A link to the first picture of a video in one size, a JPEG.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PosterLink {
    /// Pixels; no two posters of a video have the same.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The link.
    pub url: String,
}

impl From<&Poster> for PosterLink {
    /// As the worker tells of it: the link is unsigned.
    fn from(poster: &Poster) -> Self {
        Self { width: poster.width, height: poster.height, url: poster.url.clone() }
    }
}

/// What the API remembers of the worker's side of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The sequence of the last snapshot that was applied; -1 before the first (I4).
    pub sequence: i64,
    /// The revision of the desired state that the worker is told (I6).
    pub revision: i64,
    /// When the user said yes, whatever has become of it since.
    pub confirmed_at: Option<Timestamp>,
    /// The video's key in the bucket.
    pub video_key: Option<String>,
    /// The thumbnail's key in the bucket.
    pub thumbnail_key: Option<String>,
    /// SHA-256 of the video in hexadecimal.
    pub sha256: Option<String>,
    /// The video's first picture in several sizes, the smallest first.
    pub posters: Vec<Poster>,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            sequence: -1,
            revision: 0,
            confirmed_at: None,
            video_key: None,
            thumbnail_key: None,
            sha256: None,
            posters: Vec::new(),
        }
    }
}

impl Job {
    /// The key of the poster for a place that is so many pixels wide: the smallest that is at least as wide, or
    /// the largest that there is. A video from before there were posters has its thumbnail for one.
    #[must_use]
    pub fn poster_key(&self, width: Option<u32>) -> Option<&str> {
        let wide = |poster: &&Poster| width.is_some_and(|width| poster.width >= width);
        let smallest = self.posters.iter().filter(wide).min_by_key(|poster| poster.width);
        let poster = smallest.or_else(|| self.posters.iter().max_by_key(|poster| poster.width));
        poster.map(|poster| poster.key.as_str()).or(self.thumbnail_key.as_deref())
    }
}

/// What a new generation begins with.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it is asked for.
    pub conversation_id: ConversationId,
    /// The message that asks for it.
    pub message_id: MessageId,
    /// Who asks.
    pub user_id: UserId,
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// What the video shall show, as far as it is known.
    pub prompt: String,
    /// How it shall be made, as far as that is known.
    pub parameters: Parameters,
    /// What has to be asked.
    pub questions: Vec<ClarificationQuestion>,
    /// The generation that this one repeats.
    pub retry_of: Option<GenerationId>,
    /// The language that it is asked for in.
    pub language: Language,
}

impl Generation {
    /// A generation that nobody was told of yet. It always begins with its questions open, even if there are
    /// none; [`decide`](super::state::decide) takes it on from there.
    #[must_use]
    pub fn new(request: Request, now: Timestamp) -> Self {
        Self {
            id: GenerationId::new(),
            conversation_id: request.conversation_id,
            message_id: request.message_id,
            user_id: request.user_id,
            kind: KIND_VIDEO.to_owned(),
            provider: request.provider,
            model: request.model,
            status: GenerationStatus::PendingClarification,
            prompt: request.prompt,
            enhanced_prompt: None,
            parameters: request.parameters,
            clarification_questions: Some(request.questions).filter(|questions| !questions.is_empty()),
            clarification_responses: None,
            worker_job_id: None,
            progress: 0,
            queue_position: None,
            eta_seconds: None,
            estimated_cost: None,
            result_url: None,
            thumbnail_url: None,
            posters: Vec::new(),
            duration: None,
            file_size: None,
            resolution: None,
            format: None,
            processing_time: None,
            error_code: None,
            error_message: None,
            retry_of: request.retry_of,
            stage: None,
            attempt: 0,
            events_cursor: 0,
            created_at: now,
            updated_at: now,
            started_at: None,
            completed_at: None,
            failed_at: None,
            cancelled_at: None,
            language: request.language,
            job: Job::default(),
        }
    }

    /// The words that the provider is asked with.
    #[must_use]
    pub fn words(&self) -> &str {
        self.enhanced_prompt.as_deref().unwrap_or(&self.prompt)
    }
}

/// A cursor is a text on the wire, so that nobody counts with it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands every field over by reference")]
fn as_text<S: Serializer>(cursor: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cursor)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A generation without questions, just inserted.
    pub(crate) fn generation() -> Generation {
        let request = Request {
            conversation_id: ConversationId::new(),
            message_id: MessageId::new(),
            user_id: UserId::new(),
            provider: "veo3".to_owned(),
            model: "veo-3.1-generate-001".to_owned(),
            prompt: "a paper boat".to_owned(),
            parameters: Parameters::default(),
            questions: Vec::new(),
            retry_of: None,
            language: Language::English,
        };
        Generation::new(request, Timestamp::from_micros(1_795_426_200_000_000))
    }

    #[test]
    fn a_place_has_the_smallest_poster_that_fills_it() {
        let poster = |width: u32| Poster {
            width,
            height: width / 16 * 9,
            url: format!("http://s3/{width}"),
            key: width.to_string(),
        };
        let mut job = Job { thumbnail_key: Some("thumbnail".to_owned()), ..Job::default() };
        assert_eq!(job.poster_key(Some(320)), Some("thumbnail"), "from before there were any");
        assert_eq!(Job::default().poster_key(None), None);
        job.posters = [320, 640, 1280].map(poster).to_vec();
        for (width, expected) in [
            (None, "1280"),
            (Some(0), "320"),
            (Some(1), "320"),
            (Some(320), "320"),
            (Some(321), "640"),
            (Some(1280), "1280"),
            (Some(u32::MAX), "1280"),
        ] {
            assert_eq!(job.poster_key(width), Some(expected), "{width:?}");
        }
    }

    #[test]
    fn the_wire_shows_the_contracts_fields_and_no_more() {
        let shown = serde_json::to_value(generation()).unwrap();
        let fields: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        let mut contract: Vec<_> = "id, conversationId, messageId, userId, type, provider, model, status, \
            prompt, enhancedPrompt, parameters, clarificationQuestions, clarificationResponses, workerJobId, progress, \
            queuePosition, etaSeconds, estimatedCost, resultUrl, thumbnailUrl, posters, duration, fileSize, resolution, \
            format, processingTime, errorCode, errorMessage, retryOf, stage, attempt, eventsCursor, createdAt, \
            updatedAt, startedAt, completedAt, failedAt, cancelledAt"
            .split(", ")
            .collect();
        contract.sort_unstable();
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, contract);
        assert_eq!(shown["eventsCursor"], "0");
        assert_eq!(shown["type"], "video");
    }
}
