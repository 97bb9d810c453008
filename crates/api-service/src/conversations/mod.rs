//! Conversations and what is said in them.

pub mod message;
