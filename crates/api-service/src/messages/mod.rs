//! What a user says in a conversation: read for its intent, and answered at once.

mod answers;
pub mod attachments;
pub mod http;
pub mod service;
