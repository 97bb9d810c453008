//! What providers tell by their own webhooks: that it may be worth asking how a video stands, and nothing else. What a
//! video has come to is only ever believed of the provider's answer to a poll, so a hint may be forged, late, lost,
//! repeated or out of order and costs a question at the most.

pub mod hint;
pub mod http;
pub mod room;
pub mod service;
