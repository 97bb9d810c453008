//! What can go wrong with the bucket, without keys, URLs or anything else that is secret.

use rusoto_core::{RusotoError, request::BufferedHttpResponse};

/// Why the bucket did not do what it was asked to. `operation` is S3's name of the request.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// No answer: it could not be connected to, the connection broke, or it took too long.
    #[error("the object storage could not be reached for {operation}: {reason}")]
    Unreachable {
        /// What was asked.
        operation: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// It said no.
    #[error("the object storage refused {operation} with {status} {code}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// S3's error code, for example `SlowDown`; `-` if it gave none.
        code: String,
    },
    /// The bucket, object or upload is not there.
    #[error("the object storage does not know what {operation} is about")]
    Missing {
        /// What was asked.
        operation: &'static str,
    },
    /// It answered something that makes no sense.
    #[error("the object storage gave an answer to {operation} that makes no sense")]
    Senseless {
        /// What was asked.
        operation: &'static str,
    },
    /// It said yes, yet the object is not there, or not as it was sent.
    #[error("the object storage does not hold what was stored")]
    NotStored,
    /// The file to be stored cannot be read.
    #[error("the file to be stored cannot be read")]
    File(#[source] std::io::Error),
    /// The file to be stored is larger than an object can be, or an object than its reader has room for.
    #[error("the file is too large")]
    TooLarge,
    /// The client cannot be set up at all.
    #[error("the client of the object storage cannot be set up: {0}")]
    Setup(String),
}

impl BucketError {
    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, code, .. } => {
                let busy = matches!(code.as_str(), "SlowDown" | "RequestTimeout" | "InternalError");
                busy || matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// Reads the client's error. Its own texts hold the server's whole answer, so little of it is kept.
    pub(super) fn of<E: std::error::Error>(operation: &'static str, error: RusotoError<E>) -> Self {
        match error {
            // Of the operations in use, the client knows by name only that something is not there.
            RusotoError::Service(_) => Self::Missing { operation },
            RusotoError::HttpDispatch(error) => Self::Unreachable { operation, reason: error.to_string() },
            RusotoError::Unknown(response) => refused(operation, &response),
            RusotoError::ParseError(_) | RusotoError::Validation(_) => Self::Senseless { operation },
            RusotoError::Credentials(_) | RusotoError::Blocking => {
                Self::Setup("its credentials cannot be used".to_owned())
            }
        }
    }
}

/// A refusal as the status and S3's code tell it. Answers to HEAD have no body, so 404 speaks for itself.
fn refused(operation: &'static str, response: &BufferedHttpResponse) -> BucketError {
    let status = response.status.as_u16();
    let code = code(response.body_as_str()).unwrap_or("-");
    if status == 404 && code == "-" {
        return BucketError::Missing { operation };
    }
    BucketError::Refused { operation, status, code: code.to_owned() }
}

/// The content of the first `<Code>` in S3's XML, if it looks like a code.
fn code(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plausible = (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plausible.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_and_nothing_else() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>key AKID</Message></Error>";
        assert_eq!(code(body), Some("SlowDown"));
        for body in
            ["", "<Code></Code>", "<Code>a b</Code>", "<Code>x", &format!("<Code>{}</Code>", "x".repeat(65))]
        {
            assert_eq!(code(body), None, "{body}");
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let refused = |status, code: &str| BucketError::Refused {
            operation: "PutObject",
            status,
            code: code.to_owned(),
        };
        assert!(refused(503, "-").is_transient());
        assert!(refused(400, "RequestTimeout").is_transient());
        assert!(
            BucketError::Unreachable { operation: "PutObject", reason: "reset".to_owned() }.is_transient()
        );
        assert!(!refused(403, "SignatureDoesNotMatch").is_transient());
        assert!(!refused(501, "NotImplemented").is_transient());
        assert!(!BucketError::TooLarge.is_transient());
    }
}
