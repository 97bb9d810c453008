//! Generations: from the request for a video to its end.

pub mod clarification;
pub mod generation;
mod reply;
pub mod state;
