//! The same request twice, one effect (I10): what a client that got no answer sends again under the same
//! `Idempotency-Key` is answered with the first answer.
//!
//! A key is claimed before the work begins; the answer is committed with the work's own transaction by
//! `finish_idempotency`, a step of `storage`. A claim whose holder has died is free again after a while.

pub mod http;

use std::time::Duration;

use contract::{Timestamp, UserId};
use serde::Serialize;
use serde_json::Value;

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request under a key: what the same request would be known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Who asks.
    pub user: UserId,
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The header's value.
    pub key: String,
    /// SHA-256 of the body, hexadecimal.
    pub body_hash: String,
    /// How long a claim without an answer holds.
    pub in_flight: Duration,
}

/// The right to do a request's work: its key is claimed. Only the holder of the claim can commit an answer,
/// so that one that took longer than a claim holds and lost its claim to a repetition commits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The request.
    pub keyed: Keyed,
    /// When the key was claimed, by the database's clock.
    pub claimed_at: Timestamp,
}

/// What a request under a key comes to before its work begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It is the first: do the work.
    New(Ticket),
    /// It was answered before.
    Answered(Answer),
    /// The first one is still at work.
    InFlight,
    /// The key was used for another body.
    OtherBody,
}

/// An answer in the form in which it is kept: links in it are unsigned.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` for none.
    pub body: Value,
}

impl Answer {
    /// An answer with a body.
    pub fn new(status: u16, body: &impl Serialize) -> Self {
        // None of our types fails to become JSON.
        Self { status, body: serde_json::to_value(body).unwrap_or_default() }
    }

    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::new(200, body)
    }

    /// 201 with what was created.
    pub fn created(body: &impl Serialize) -> Self {
        Self::new(201, body)
    }

    /// 204.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { status: 204, body: Value::Null }
    }
}
