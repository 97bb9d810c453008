//! The queue: workers claim jobs under leases, run them, and hand back what they cannot finish. What running
//! a job means is the [workflow](crate::workflow)'s.

pub mod http;
mod lease;
mod registration;
pub mod runner;
mod running;
pub mod service;

pub use self::{
    lease::Lease,
    registration::register,
    runner::{Limits, Runner},
    running::Running,
};
