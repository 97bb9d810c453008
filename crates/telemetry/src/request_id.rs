//! The id of a request, as it stands in `x-request-id`, in error bodies and in the field `requestId`.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::lines;

/// A request's id: 1–128 letters, digits, `.`, `_` or `-` (ASCII), so that it is safe in a header and a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// The header's name.
    pub const HEADER: &'static str = "x-request-id";

    /// Takes the caller's id if it is well-formed, else makes a new one.
    #[must_use]
    pub fn accept_or_new(incoming: Option<&str>) -> Self {
        incoming.and_then(Self::accept).unwrap_or_else(Self::random)
    }

    /// The id of the request that the current span belongs to: the field `requestId`, its own or that of a span
    /// around it. Nothing outside of requests, and without telemetry.
    #[must_use]
    pub fn current() -> Option<Self> {
        lines::text_of_current_span("requestId").as_deref().and_then(Self::accept)
    }

    fn accept(text: &str) -> Option<Self> {
        let is_well_formed = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        is_well_formed.then(|| Self(text.to_owned()))
    }

    /// Writes the header, in place of any that is there.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.as_str()) {
            headers.insert(HeaderName::from_static(Self::HEADER), value);
        }
    }

    /// 64 random bits: enough to find a request by, short enough to read out on the telephone.
    fn random() -> Self {
        Self(format!("req_{}", RandomIdGenerator::default().new_span_id()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_id_is_taken() {
        let longest = "x".repeat(128);
        for good in ["a", "Req-1_2.3", &longest] {
            assert_eq!(RequestId::accept_or_new(Some(good)).as_str(), good);
        }
    }

    #[test]
    fn anything_else_is_replaced_by_a_new_one() {
        let too_long = "x".repeat(129);
        for bad in [None, Some(""), Some("a b"), Some("a\n"), Some("ä"), Some("a;b"), Some(&too_long)] {
            let id = RequestId::accept_or_new(bad);
            assert_ne!(Some(id.as_str()), bad);
            assert_eq!(RequestId::accept_or_new(Some(id.as_str())), id, "a new id is itself well-formed");
            assert_ne!(RequestId::accept_or_new(bad), id);
        }
    }
}
