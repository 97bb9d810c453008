//! Job state, the queue and the making of the video.

pub mod bucket;
pub mod media;
