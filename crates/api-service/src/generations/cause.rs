//! The request that a command to the worker goes back to.

use telemetry::{RequestId, TraceParent};

/// What a command takes along of the request that caused it, so that both services log what comes of it in the
/// request's trace and under its id, whenever it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The request's trace, which the command itself carries.
    pub traceparent: String,
    /// The request's id, if it has one; it goes along in a header.
    pub request_id: Option<String>,
}

impl Cause {
    /// The request that is being answered.
    #[must_use]
    pub fn current() -> Self {
        let request_id = RequestId::current().map(|id| id.as_str().to_owned());
        Self { traceparent: TraceParent::current().to_string(), request_id }
    }
}
