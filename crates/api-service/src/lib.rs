//! The product's database and every route that a frontend calls.
#![expect(dead_code, reason = "the services and routes that use the store are still to come")]

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
pub mod routes;
pub mod settings;
mod storage;
pub mod store;

pub use command::run;
