//! worker-service: takes commands from api-service, keeps the queue, makes the videos, and tells of it by
//! signed webhooks.

pub mod app;
pub mod auth;
pub mod bucket;
mod command;
pub mod error;
pub mod hints;
pub mod jobs;
pub mod media;
pub mod providers;
pub mod queue;
pub mod routes;
pub mod settings;
mod storage;
pub mod store;
pub mod sweeper;
pub mod uploads;
pub mod webhooks;
pub mod workflow;

pub use command::run;
