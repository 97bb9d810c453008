//! What is said in a conversation.

use std::str::FromStr;

use contract::{ConversationId, GenerationId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// Reelay.
    Assistant,
}

/// What a message is for, so that a page knows how to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Words.
    Text,
    /// Questions that stand between a request and its price.
    Clarification,
    /// The price, and the question whether to go on.
    Confirmation,
    /// The video is there.
    GenerationResult,
    /// There will be no video.
    Error,
}

/// The text is none of an enumeration's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such word")]
pub struct UnknownWord;

impl FromStr for Role {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::User, Self::Assistant].into_iter().find(|role| role.as_str() == text).ok_or(UnknownWord)
    }
}

impl FromStr for MessageKind {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(UnknownWord)
    }
}

impl Role {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl MessageKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Text, Self::Clarification, Self::Confirmation, Self::GenerationResult, Self::Error];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Clarification => "clarification",
            Self::Confirmation => "confirmation",
            Self::GenerationResult => "generation_result",
            Self::Error => "error",
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// Who said it.
    pub role: Role,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// The words.
    pub content: String,
    /// The generation that it speaks of.
    pub generation_id: Option<GenerationId>,
    /// When it was said.
    pub created_at: Timestamp,
}
