//! The product's database and every route that a frontend calls.

pub mod accounts;
pub mod app;
pub mod auth;
pub mod catalogue;
mod command;
pub mod conversations;
pub mod error;
pub mod generations;
pub mod idempotency;
pub mod intent;
pub mod listing;
pub mod messages;
pub mod push;
pub mod routes;
pub mod settings;
pub mod storable;
mod storage;
pub mod store;
pub mod uploads;
pub mod usage;
pub mod webhooks;
pub mod worker_client;

pub use command::run;
