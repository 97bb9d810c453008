//! How a worker takes its name at its start.

use std::time::Duration;

use contract::WorkerId;
use tokio::time::{Instant, sleep};

use crate::store::{Error, Store};

/// How long another process of this name may take to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Puts this process on the list of workers under its name, and frees what an earlier process of that name left
/// behind (I14). One that is just ending is waited for a moment; one that goes on has the name, and
/// [`Error::NameTaken`] says so.
pub async fn register(store: &Store, name: &str) -> Result<WorkerId, Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        match store.register_worker(name).await {
            Err(Error::NameTaken(_)) if Instant::now() < end => sleep(LOOK_EVERY).await,
            answer => return answer,
        }
    }
}
