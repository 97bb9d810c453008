//! The product's database and every route that a frontend calls.

pub mod catalogue;
pub mod conversations;
pub mod generations;
pub mod intent;
