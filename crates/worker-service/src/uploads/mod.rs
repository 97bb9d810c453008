//! Pictures that users have uploaded: taken from api-service, which has examined them, and kept in the bucket until
//! the sweeper removes them.

pub mod http;
pub mod places;
pub mod service;
