//! Identifiers: a prefix that names the kind, and a `UUIDv7` (RFC 9562) in lower-case hexadecimal without
//! dashes. They sort by creation time within one process.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The text is not an identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}<32 hexadecimal digits>")]
pub struct MalformedId {
    /// The prefix that was expected, for example `gen_`.
    pub prefix: &'static str,
}

fn check(text: &str, prefix: &'static str) -> Result<(), MalformedId> {
    let hex = text.strip_prefix(prefix).ok_or(MalformedId { prefix })?;
    let well_formed = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if well_formed { Ok(()) } else { Err(MalformedId { prefix }) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[cfg_attr(feature = "sql", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
        #[cfg_attr(feature = "sql", diesel(sql_type = diesel::sql_types::Text))]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a new identifier from the current time and randomness.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two calls never give the same value")]
            pub fn new() -> Self {
                Self(format!("{}{}", $prefix, Uuid::now_v7().simple()))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;
            fn from_str(text: &str) -> Result<Self, MalformedId> {
                check(text, $prefix).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;
            fn try_from(text: String) -> Result<Self, MalformedId> {
                check(&text, $prefix).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An account.
    UserId = "user_";
    /// A conversation between a user and the assistant.
    ConversationId = "conv_";
    /// One message of a conversation.
    MessageId = "msg_";
    /// A request for a video and what became of it, as the API knows it.
    GenerationId = "gen_";
    /// The worker's side of a generation.
    JobId = "job_";
    /// A running worker.
    WorkerId = "worker_";
    /// A webhook: the same on every try (`webhook-id`).
    EventId = "evt_";
    /// A picture that a user has uploaded.
    UploadId = "upl_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_survives_its_text_form() {
        let id = GenerationId::new();
        assert_eq!(id.as_str().parse::<GenerationId>(), Ok(id.clone()));
        assert_eq!(id.as_str().len(), 36);
        assert_eq!(id.as_str().as_bytes()[16], b'7', "version 7 of RFC 9562");
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "gen_",
            "gen_0",
            "job_0192f0c1d2e37a4b8c5d6e7f80912a3b",
            "gen_0192F0C1D2E37A4B8C5D6E7F80912A3B",
        ] {
            assert!(text.parse::<GenerationId>().is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_sort_by_creation() {
        let ids: Vec<_> = (0..100).map(|_| JobId::new()).collect();
        assert!(ids.is_sorted());
    }
}
