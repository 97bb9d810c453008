//! What the tests stand on: real processes, a real client, and eyes for videos and log lines.

pub(crate) mod balancer;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod log;
pub(crate) mod picture;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod system;
pub(crate) mod video;

use std::time::Duration;

pub(crate) use self::{
    client::{Client, Reply},
    process::Process,
    system::{Backend, Between, Build, System},
};

/// How long anything that must happen is waited for. It is never reached by what works: long enough for a machine
/// that does ten things at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(150);
/// The pause between two looks at something that tells nobody when it changes.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// Looks until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let seen = tokio::time::timeout(LIMIT, looking).await;
    seen.unwrap_or_else(|_| panic!("waited {LIMIT:?} in vain until {what}"))
}
