//! Tests of the API over real HTTP, on both databases: what a frontend sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod command;
mod conversations;
mod documents;
mod enhancement;
mod errors;
mod generations;
mod idempotency;
mod languages;
mod limits;
mod logs;
mod operations;
mod origins;
mod page;
mod push;
mod repetitions;
mod replicas;
mod storable;
mod test_app;
mod uploads;
mod usage;
mod webhooks;
mod worker;
