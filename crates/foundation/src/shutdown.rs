//! How a process learns that it must stop.

use std::io::{self, Read as _};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What asks a process to stop. From the moment this exists no such signal ends the process by itself, and one
/// that comes while nobody waits is kept: a process makes it first of all, lest a stop that comes while it starts
/// or between two waits kills it, or is lost.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    parent_gone: CancellationToken,
}

impl StopSignals {
    /// Hears SIGINT and SIGTERM from now on, and, if `end_with_parent` is set, the end of standard input: the
    /// launcher holds the other end, so a child ends when its parent does, even by kill -9.
    ///
    /// # Errors
    /// If the signal handlers cannot be installed.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn hear(end_with_parent: bool) -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let parent_gone = CancellationToken::new();
        if end_with_parent {
            watch_parent(parent_gone.clone());
        }
        Ok(Self { interrupt, terminate, parent_gone })
    }

    /// Waits for one of them, and says which, for the log. Called again, it waits for the next one.
    /// Cancellation-safe.
    pub async fn requested(&mut self) -> &'static str {
        let Self { interrupt, terminate, parent_gone } = self;
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            () = parent_gone.cancelled() => "parent ended",
        }
    }
}

/// Says when standard input ends. Read on a thread of its own, because a runtime waits at its end for reads that it
/// does itself, and this one may never return.
fn watch_parent(gone: CancellationToken) {
    // Without a thread the parent cannot be watched; signals still are.
    let _ = std::thread::Builder::new().name("parent".to_owned()).spawn(move || {
        let mut buffer = [0; 64];
        // Anything that arrives is ignored; the end of input and an error mean the same.
        while matches!(io::stdin().read(&mut buffer), Ok(read) if read > 0) {}
        gone.cancel();
    });
}
