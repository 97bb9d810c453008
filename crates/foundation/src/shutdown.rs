//! How a process learns that it must stop.

use std::io::{self, Read as _};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// What asks a process to stop. From the moment this exists no such signal ends the process by itself, and one
/// that comes while nobody waits is kept: a process makes it first of all, lest a stop that comes while it starts
/// or between two waits kills it, or is lost.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    end_with_parent: bool,
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
        Ok(Self { interrupt, terminate, end_with_parent })
    }

    /// Waits for one of them, and says which, for the log. Called again, it waits for the next one.
    /// Cancellation-safe.
    pub async fn requested(&mut self) -> &'static str {
        let Self { interrupt, terminate, end_with_parent } = self;
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            () = parent_gone(), if *end_with_parent => "parent ended",
        }
    }
}

/// Ready when standard input ends. Read on a thread of its own, because a runtime waits at its end for reads
/// that it does itself, and this one may never return.
async fn parent_gone() {
    let (gone, told) = oneshot::channel::<()>();
    let watching = std::thread::Builder::new().name("parent".to_owned()).spawn(move || {
        let mut buffer = [0; 64];
        // Anything that arrives is ignored; the end of input and an error mean the same.
        while matches!(std::io::stdin().read(&mut buffer), Ok(read) if read > 0) {}
        drop(gone);
    });
    match watching {
        Ok(_) => drop(told.await),
        // Without a thread the parent cannot be watched; signals still are.
        Err(_) => std::future::pending().await,
    }
}
