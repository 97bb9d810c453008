//! Tests of the worker against real counterparts: an S3 server, databases, providers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bench;
mod bucket;
mod downloads;
mod exchanges;
mod fixture;
mod gate;
mod hints;
mod names;
mod providers;
mod queue;
mod receiver;
mod requests;
mod routes;
mod storage;
mod strangers;
mod sweeper;
mod webhooks;
mod wire;
mod workflow;

/// The launcher's embedded S3 server, by its source, because the launcher itself knows this crate.
#[path = "../../../reelay/src/s3.rs"]
mod s3;
