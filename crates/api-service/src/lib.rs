//! The product's database and every route that a frontend calls.
#![expect(dead_code, reason = "the services and routes that use the store are still to come")]

pub mod catalogue;
pub mod conversations;
pub mod generations;
pub mod intent;
mod storage;
pub mod store;
