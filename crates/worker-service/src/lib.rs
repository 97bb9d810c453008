//! worker-service: takes commands from api-service, keeps the queue, makes the videos, and tells of it by
//! signed webhooks.
#![expect(
    dead_code,
    reason = "the claimer, the workflow and the dispatcher, which use it, are still to come"
)]

pub mod bucket;
pub mod jobs;
pub mod media;
pub mod queue;
mod storage;
pub mod store;
pub mod workflow;
