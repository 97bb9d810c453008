//! The database side's table of contents. [`Store`] is what services ask; its `impl` blocks, the rows and all
//! queries lie in `storage/`, one file a feature.

pub use crate::storage::{
    Abandoned, After, BATCH, Claimed, Counts, DueAgain, Error, Renewed, Store, TakenCommand, Terms, Wakes,
    WebhookQuery,
    columns::{AttemptState, Json, ObjectState, WebhookState, WorkerStatus},
    rows::{Attempt, Job, Life, Object, Upload, Wanted, Webhook, WebhookTry, Worker},
};
