//! What goes over the wire between the two services, and the pure rules that both ends must share:
//! identifiers, timestamps, statuses, the worker's commands and snapshots, webhook events and their
//! signatures, how JSON is read, and the error format.
//!
//! With the feature `sql` the types can stand in database columns ([`sql`]).
//!
//! This crate does no I/O and knows no other crate of the workspace. Everything here is public and
//! stable: a field may be added, never renamed.

pub mod enums;
pub mod events;
pub mod ids;
pub mod images;
pub mod json;
pub mod money;
pub mod parameters;
pub mod problem;
pub mod signing;
#[cfg(feature = "sql")]
pub mod sql;
pub mod time;
pub mod worker_api;

pub use enums::{ErrorCode, ErrorReason, GenerationStatus, JobStatus, Stage};
pub use ids::{ConversationId, EventId, GenerationId, JobId, MessageId, UploadId, UserId, WorkerId};
pub use images::ImageType;
pub use money::Money;
pub use parameters::{ImageInput, ImageRole, Parameters};
pub use problem::Problem;
pub use time::Timestamp;
