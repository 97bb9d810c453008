//! Jobs: what the API asks for, how far it has come, and how it is told. The lifecycle itself is pure and
//! lies in [`state`]; running jobs is the [queue](crate::queue)'s.

pub mod attempts;
pub mod http;
pub mod log;
pub mod service;
pub mod state;
