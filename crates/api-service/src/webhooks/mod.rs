//! The worker's news: verified, taken in once, applied by the same rules as everything else (I4, I8).

pub mod http;
pub mod service;
