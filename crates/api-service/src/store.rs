//! The database side's table of contents. [`Store`] is what services ask; its `impl` blocks, the rows and all
//! queries lie in `storage/`, one file a feature.

pub use crate::storage::{Error, Store, Wakes};
