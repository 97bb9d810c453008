//! Telling api-service what became of its jobs: the [dispatcher] sends what the outbox holds, on a
//! [schedule] that forgets nothing over a restart; an operator sees and repeats deliveries.

mod delivery;
pub mod dispatcher;
pub mod http;
pub mod schedule;
pub mod service;
