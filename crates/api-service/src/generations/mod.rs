//! Generations: from the request for a video to its end.

pub mod clarification;
