//! The rows of the tables, the same for both databases.

use contract::{
    ConversationId, ErrorCode, GenerationId, GenerationStatus, ImageType, JobId, MessageId, Money,
    Parameters, Stage, Timestamp, UploadId, UserId, worker_api::Poster,
};
use diesel::{pg::Pg, prelude::*, sqlite::Sqlite};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    columns::{Json, Word},
    schema::{
        account, command, conversation, event, generation, generation_job, idempotency_key, message, session,
        upload,
    },
};
use crate::{
    conversations::message::{self as spoken, MessageKind, Role},
    generations::{clarification::ClarificationQuestion, generation as object, generation::PosterLink},
    intent::Language,
};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = account, check_for_backend(Pg, Sqlite))]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// In lower case; unique.
    pub email: String,
    /// How the person wants to be called.
    pub name: Option<String>,
    /// argon2id, as a PHC string.
    pub password_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A session, found by its token's hash.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = session, check_for_backend(Pg, Sqlite))]
pub struct Session {
    /// SHA-256 of the token in hexadecimal.
    pub token_hash: String,
    /// Whose it is.
    pub user_id: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = conversation, check_for_backend(Pg, Sqlite))]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is called.
    pub title: Option<String>,
    /// The cursor of its newest event; 0 before the first.
    pub last_cursor: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When anything in it last changed.
    pub updated_at: Timestamp,
    /// When it was deleted: from then on nobody sees it.
    pub deleted_at: Option<Timestamp>,
}

/// A message and its place in the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = message, check_for_backend(Pg, Sqlite))]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// The cursor of the event that told it: the order within the conversation.
    pub position: i64,
    /// Who said it.
    pub role: Word<Role>,
    /// What it is for.
    pub kind: Word<MessageKind>,
    /// The words.
    pub content: String,
    /// The generation that it speaks of.
    pub generation_id: Option<GenerationId>,
    /// When it was said.
    pub created_at: Timestamp,
}

impl From<Message> for spoken::Message {
    fn from(row: Message) -> Self {
        Self {
            id: row.id,
            conversation_id: row.conversation_id,
            role: row.role.0,
            kind: row.kind.0,
            content: row.content,
            generation_id: row.generation_id,
            created_at: row.created_at,
        }
    }
}

/// A generation: the columns that the wire shows.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = generation, check_for_backend(Pg, Sqlite), treat_none_as_null = true)]
pub struct Generation {
    /// Its id.
    pub id: GenerationId,
    /// Where it was asked for.
    pub conversation_id: ConversationId,
    /// The message that asked for it.
    pub message_id: MessageId,
    /// Whose it is.
    pub user_id: UserId,
    /// What is generated.
    pub kind: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// Where it stands.
    pub status: GenerationStatus,
    /// What the video shall show.
    pub prompt: String,
    /// How it shall be made.
    pub parameters: Json<Parameters>,
    /// What was asked.
    pub clarification_questions: Option<Json<Vec<ClarificationQuestion>>>,
    /// What was answered.
    pub clarification_responses: Option<Json<Map<String, Value>>>,
    /// The worker's job.
    pub worker_job_id: Option<JobId>,
    /// 0–100.
    pub progress: i32,
    /// How many waiting jobs stand before it, from 1.
    pub queue_position: Option<i64>,
    /// The price that was told.
    pub estimated_cost: Option<Json<Money>>,
    /// Where the video lies, unsigned.
    pub result_url: Option<String>,
    /// Where the thumbnail lies, unsigned.
    pub thumbnail_url: Option<String>,
    /// Length in seconds.
    pub duration: Option<f64>,
    /// Size in bytes.
    pub file_size: Option<i64>,
    /// Width and height in pixels.
    pub resolution: Option<String>,
    /// The container.
    pub format: Option<String>,
    /// Seconds from the first claim to completion.
    pub processing_time: Option<f64>,
    /// Why it failed, or `expired`, for programs.
    pub error_code: Option<ErrorCode>,
    /// The same for a person.
    pub error_message: Option<String>,
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
}

/// The worker's side of a generation, and what else the other table has no column for.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = generation_job, primary_key(generation_id), check_for_backend(Pg, Sqlite), treat_none_as_null = true)]
pub struct GenerationJob {
    /// The generation.
    pub generation_id: GenerationId,
    /// The generation that it repeats.
    pub retry_of: Option<GenerationId>,
    /// What the job is doing.
    pub stage: Option<Stage>,
    /// Which attempt it is at.
    pub attempt: i32,
    /// Seconds until it is probably done.
    pub eta_seconds: Option<i64>,
    /// Of the last snapshot that was applied.
    pub sequence: i64,
    /// Of the desired state that the worker is told.
    pub revision: i64,
    /// When the user said yes.
    pub confirmed_at: Option<Timestamp>,
    /// The video's key in the bucket.
    pub video_key: Option<String>,
    /// The thumbnail's key in the bucket.
    pub thumbnail_key: Option<String>,
    /// SHA-256 of the video.
    pub sha256: Option<String>,
    /// When the worker last told something, or was told.
    pub heard_at: Timestamp,
    /// The language that it was asked for in.
    pub language: Word<Language>,
    /// The video's first picture in several sizes, if it has any; the URLs unsigned.
    pub posters: Option<Json<Vec<Poster>>>,
    /// What the provider is asked for in place of the prompt.
    pub enhanced_prompt: Option<String>,
}

/// An event in a conversation.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = event, check_for_backend(Pg, Sqlite))]
pub struct Event {
    /// Where it happened.
    pub conversation_id: ConversationId,
    /// Counts the conversation's events, gap-free.
    pub cursor: i64,
    /// `message.created` or `generation.updated`.
    pub name: String,
    /// The generation that it is of.
    pub generation_id: Option<GenerationId>,
    /// The object in its GET form, links unsigned.
    pub payload: Json<Value>,
    /// When it happened.
    pub created_at: Timestamp,
}

/// A command in the outbox.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = command, primary_key(generation_id), check_for_backend(Pg, Sqlite))]
pub struct Command {
    /// The generation whose desired state it carries.
    pub generation_id: GenerationId,
    /// Of the desired state.
    pub revision: i64,
    /// What is sent.
    pub body: Json<Outgoing>,
    /// Tries so far of this revision.
    pub attempts: i32,
    /// When it is due.
    pub next_attempt_at: Timestamp,
    /// When this revision came to be.
    pub created_at: Timestamp,
}

/// A command as it waits to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The body that is sent.
    #[serde(flatten)]
    pub command: contract::worker_api::Command,
    /// The id of the request that caused it.
    #[serde(default, rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What became of a request with an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_key, check_for_backend(Pg, Sqlite))]
pub struct IdempotencyKey {
    /// Whose key it is.
    pub user_id: UserId,
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The key.
    pub key: String,
    /// SHA-256 of the request's body in hexadecimal.
    pub body_hash: String,
    /// The answer's status; absent while the first request is in flight.
    pub status: Option<i32>,
    /// The answer's body, links unsigned.
    pub answer: Option<Json<Value>>,
    /// When the request began.
    pub created_at: Timestamp,
}

/// A picture that a user has uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = upload, check_for_backend(Pg, Sqlite))]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Whose it is.
    pub user_id: UserId,
    /// As it is kept.
    pub content_type: Word<ImageType>,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of it in hexadecimal.
    pub sha256: String,
    /// Whether the worker has it.
    pub stored: bool,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Until when it can be attached.
    pub expires_at: Timestamp,
}

impl Generation {
    /// The row of a generation.
    #[must_use]
    pub fn of(generation: &object::Generation) -> Self {
        let whole = generation.clone();
        Self {
            id: whole.id,
            conversation_id: whole.conversation_id,
            message_id: whole.message_id,
            user_id: whole.user_id,
            kind: whole.kind,
            provider: whole.provider,
            model: whole.model,
            status: whole.status,
            prompt: whole.prompt,
            parameters: Json::new(whole.parameters),
            clarification_questions: whole.clarification_questions.map(Json::new),
            clarification_responses: whole.clarification_responses.map(Json::new),
            worker_job_id: whole.worker_job_id,
            progress: whole.progress,
            queue_position: whole.queue_position,
            estimated_cost: whole.estimated_cost.map(Json::new),
            result_url: whole.result_url,
            thumbnail_url: whole.thumbnail_url,
            duration: whole.duration,
            file_size: whole.file_size,
            resolution: whole.resolution,
            format: whole.format,
            processing_time: whole.processing_time,
            error_code: whole.error_code,
            error_message: whole.error_message,
            created_at: whole.created_at,
            updated_at: whole.updated_at,
            started_at: whole.started_at,
            completed_at: whole.completed_at,
            failed_at: whole.failed_at,
            cancelled_at: whole.cancelled_at,
        }
    }

    /// The generation of a row, its worker's side, and the cursor of its conversation.
    #[must_use]
    pub fn joined(self, job: GenerationJob, events_cursor: i64) -> object::Generation {
        let posters = job.posters.map(Json::into_inner).unwrap_or_default();
        object::Generation {
            id: self.id,
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            user_id: self.user_id,
            kind: self.kind,
            provider: self.provider,
            model: self.model,
            status: self.status,
            prompt: self.prompt,
            enhanced_prompt: job.enhanced_prompt,
            parameters: self.parameters.into_inner(),
            clarification_questions: self.clarification_questions.map(Json::into_inner),
            clarification_responses: self.clarification_responses.map(Json::into_inner),
            worker_job_id: self.worker_job_id,
            progress: self.progress,
            queue_position: self.queue_position,
            eta_seconds: job.eta_seconds,
            estimated_cost: self.estimated_cost.map(Json::into_inner),
            result_url: self.result_url,
            thumbnail_url: self.thumbnail_url,
            posters: posters.iter().map(PosterLink::from).collect(),
            duration: self.duration,
            file_size: self.file_size,
            resolution: self.resolution,
            format: self.format,
            processing_time: self.processing_time,
            error_code: self.error_code,
            error_message: self.error_message,
            retry_of: job.retry_of,
            stage: job.stage,
            attempt: job.attempt,
            events_cursor,
            created_at: self.created_at,
            updated_at: self.updated_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
            failed_at: self.failed_at,
            cancelled_at: self.cancelled_at,
            language: job.language.0,
            job: object::Job {
                sequence: job.sequence,
                revision: job.revision,
                confirmed_at: job.confirmed_at,
                video_key: job.video_key,
                thumbnail_key: job.thumbnail_key,
                sha256: job.sha256,
                posters,
            },
        }
    }
}

impl GenerationJob {
    /// The row of a generation's worker's side.
    #[must_use]
    pub fn of(generation: &object::Generation, heard_at: Timestamp) -> Self {
        let job = &generation.job;
        Self {
            generation_id: generation.id.clone(),
            retry_of: generation.retry_of.clone(),
            stage: generation.stage,
            attempt: generation.attempt,
            eta_seconds: generation.eta_seconds,
            sequence: job.sequence,
            revision: job.revision,
            confirmed_at: job.confirmed_at,
            video_key: job.video_key.clone(),
            thumbnail_key: job.thumbnail_key.clone(),
            sha256: job.sha256.clone(),
            heard_at,
            language: Word(generation.language),
            posters: Some(job.posters.clone()).filter(|posters| !posters.is_empty()).map(Json::new),
            enhanced_prompt: generation.enhanced_prompt.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{ImageInput, ImageRole};

    use super::*;
    use crate::generations::{generation::tests::generation, state};

    /// Replicas of two versions share the outbox while one takes the other's place.
    #[test]
    fn a_command_is_read_as_it_was_written_with_or_without_its_request() {
        let mut wanted = generation();
        wanted.parameters = Parameters {
            duration: Some(8),
            aspect_ratio: Some("16:9".to_owned()),
            audio: Some(true),
            seed: Some(u32::MAX),
            images: vec![ImageInput { upload_id: UploadId::new(), role: ImageRole::default() }],
            ..Parameters::default()
        };
        let traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        let command = state::command(&wanted, state::desired(wanted.status), traceparent);
        let before = serde_json::to_value(&command).unwrap();
        for request_id in [None, Some("req_1".to_owned())] {
            let outgoing = Outgoing { command: command.clone(), request_id: request_id.clone() };
            let written = serde_json::to_value(&outgoing).unwrap();
            assert_eq!(Outgoing::deserialize(&written).unwrap(), outgoing);
            assert_eq!(written == before, request_id.is_none(), "{written}");
            let read_by_older = contract::worker_api::Command::deserialize(&written).unwrap();
            assert_eq!(read_by_older, command);
        }
    }
}
