//! What both services stand on: settings, stop signals and supervised tasks, the database, links to objects.
//!
//! It knows the wire contract and telemetry, and nothing of either service.

pub mod address;
pub mod crash;
pub mod database;
pub mod s3;
pub mod settings;
pub mod shutdown;
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
