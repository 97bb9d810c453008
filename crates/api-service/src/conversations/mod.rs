//! Conversations and what is said in them.

pub mod http;
pub mod message;
pub mod search;
pub mod service;
pub mod title;

use contract::{ConversationId, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A conversation between a user and the assistant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// What it is called: the beginning of the first message, until somebody names it otherwise.
    pub title: Option<String>,
    /// The cursor of its newest event at the time of reading: listen from here and miss nothing.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "42")]
    pub events_cursor: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When anything in it last changed.
    pub updated_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn as_text<S: Serializer>(cursor: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cursor)
}
