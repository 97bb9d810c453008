//! The rows of the tables, the same for both databases.

use contract::{
    ConversationId, EventId, GenerationId, JobId, JobStatus, Parameters, Stage, Timestamp, UploadId, UserId,
    WorkerId,
    worker_api::{JobError, JobResult},
};
use diesel::{pg::Pg, prelude::*, sqlite::Sqlite};

use super::{
    columns::{AttemptState, Json, ObjectState, WebhookState, WorkerStatus},
    schema::{attempt, job, object, upload, webhook, webhook_try, worker},
};

/// A job: what the API wants ([`Wanted`]), and what became of it so far ([`Life`]).
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = job, check_for_backend(Pg, Sqlite))]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// The generation that it makes; one job each.
    pub generation_id: GenerationId,
    /// Whose it is.
    pub user_id: UserId,
    /// Where it was asked for.
    pub conversation_id: ConversationId,
    /// How many attempts may be made again.
    pub max_retries: i32,
    /// When the worker first heard of it.
    pub created_at: Timestamp,
    /// Written by commands alone.
    #[diesel(embed)]
    pub wanted: Wanted,
    /// Written by [`decide`](crate::jobs::state::decide)'s changes alone.
    #[diesel(embed)]
    pub life: Life,
    /// Not to be claimed before this time, by the database's clock.
    pub run_after: Option<Timestamp>,
    /// The lease ends then unless it is renewed, by the database's clock.
    pub lease_until: Option<Timestamp>,
}

/// What the API wants to be made, as the newest command said it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = job, check_for_backend(Pg, Sqlite), treat_none_as_null = true)]
pub struct Wanted {
    /// Of the newest command that was taken.
    pub revision: i64,
    /// The provider's name.
    pub provider: String,
    /// The provider's model.
    pub model: String,
    /// What to make. The user's own: never logged but at DEBUG, and cut.
    pub prompt: String,
    /// How to make it.
    pub parameters: Json<Parameters>,
    /// Greater goes first.
    pub priority: i32,
    /// The trace of the request that asked for it.
    pub traceparent: Option<String>,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = job, check_for_backend(Pg, Sqlite), treat_none_as_null = true)]
pub struct Life {
    /// Where it stands.
    pub status: JobStatus,
    /// What it is doing.
    pub stage: Option<Stage>,
    /// 0–99 while it runs, 100 when completed.
    pub progress: i32,
    /// Seconds until it is probably done.
    pub eta_seconds: Option<i64>,
    /// Counts what the API was told.
    pub sequence: i64,
    /// The newest attempt's number; 0 before the first.
    pub attempt: i32,
    /// Attempts made again after a failure; those on one that was accepted come beside `max_retries`.
    pub retry_count: i32,
    /// Who runs it; absent on an active job that was handed back.
    pub lease_owner: Option<WorkerId>,
    /// The fencing token: rises with every claim, rescue, release and cancel.
    pub lease_epoch: i64,
    /// How often its runner fell silent since it last came further.
    pub lost_leases: i32,
    /// What was made.
    pub result: Option<Json<JobResult>>,
    /// Why it failed, or, while it waits for a retry, why the last attempt did.
    pub error: Option<Json<JobError>>,
    /// It was cancelled after it was made: its objects are garbage.
    pub discarded: bool,
    /// When it joined the queue, which decides its place there.
    pub queued_at: Option<Timestamp>,
    /// When anything of this last changed.
    pub updated_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When it reached its end.
    pub completed_at: Option<Timestamp>,
}

/// One submission to the provider; at most one POST each (I15).
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempt, check_for_backend(Pg, Sqlite))]
pub struct Attempt {
    /// The job.
    pub job_id: JobId,
    /// From 1.
    pub number: i32,
    /// What became of it.
    pub state: AttemptState,
    /// The provider's name for it, once accepted.
    pub operation: Option<String>,
    /// Whether it repeats a submission whose fate is unknown (I16).
    pub resubmission: bool,
    /// Why it came to nothing.
    pub error: Option<Json<JobError>>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When this was last written.
    pub updated_at: Timestamp,
}

/// An object in the bucket whose upload was begun, ever.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = object, check_for_backend(Pg, Sqlite))]
pub struct Object {
    /// Its key in the bucket.
    pub key: String,
    /// The job that it belongs to.
    pub job_id: JobId,
    /// The epoch of the lease under which it was begun.
    pub lease_epoch: i64,
    /// What it is to us.
    pub state: ObjectState,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

/// A picture that a user has uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = upload, check_for_backend(Pg, Sqlite))]
pub struct Upload {
    /// The API's name for it.
    pub id: UploadId,
    /// Its key in the bucket.
    pub key: String,
    /// SHA-256 of its content in hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// What it is to us.
    pub state: ObjectState,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// When it goes, by the database's clock.
    pub keep_until: Timestamp,
}

/// A webhook in the outbox.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook, check_for_backend(Pg, Sqlite))]
pub struct Webhook {
    /// `webhook-id`, the same on every try.
    pub id: EventId,
    /// The job that it tells of.
    pub job_id: JobId,
    /// The job's generation.
    pub generation_id: GenerationId,
    /// The event's type on the wire.
    pub kind: String,
    /// The job's sequence that it tells.
    pub sequence: i64,
    /// As it is signed and sent, byte for byte.
    pub body: String,
    /// Where it stands.
    pub state: WebhookState,
    /// Tries so far.
    pub attempts: i32,
    /// How many of them were made before it was last delivered again on request: the schedule begins after these.
    pub attempts_before: i32,
    /// When it is due, by the database's clock.
    pub next_attempt_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// The trace of the work that it tells of.
    pub traceparent: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
}

/// One try to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_try, check_for_backend(Pg, Sqlite))]
pub struct WebhookTry {
    /// The webhook.
    pub webhook_id: EventId,
    /// From 1.
    pub number: i32,
    /// The answer's HTTP status, if there was one.
    pub status: Option<i32>,
    /// How long it took.
    pub duration_ms: i64,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// What went wrong on the way.
    pub error: Option<String>,
    /// When it was over.
    pub created_at: Timestamp,
}

/// A worker process, present or past.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = worker, check_for_backend(Pg, Sqlite))]
pub struct Worker {
    /// New with every start.
    pub id: WorkerId,
    /// The same over restarts.
    pub name: String,
    /// What it says of itself.
    pub status: WorkerStatus,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said so, by the database's clock.
    pub last_heartbeat: Timestamp,
}
