//! The queue: workers claim jobs under leases, run them, and hand back what they cannot finish. What running
//! a job means is the [workflow](crate::workflow)'s.

mod lease;
mod running;

pub use self::{lease::Lease, running::Running};
