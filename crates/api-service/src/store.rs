//! The database side's table of contents. [`Store`] is what services ask; its `impl` blocks, the rows and all
//! queries lie in `storage/`, one file a feature.

pub use crate::storage::{
    Changed, Deed, EVENTS_CHANNEL, Error, Filter, Full, GENERATION_UPDATED, Horizons, Keep, MESSAGE_CREATED,
    Origin, Outcome, Room, SpentOnModel, Standing, Store, Taken, Turn, Wakes,
    rows::{Command as PendingCommand, Outgoing},
};
