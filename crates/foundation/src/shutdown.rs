//! How a process learns that it must stop.

use std::io::Read;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// Waits for SIGINT or SIGTERM, and, if `end_with_parent` is set, for the end of standard input: the
/// launcher holds the other end, so a child ends when its parent does, even by kill -9.
///
/// Returns what happened, for the log. Cancellation-safe.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub async fn requested(end_with_parent: bool) -> std::io::Result<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => Ok("SIGINT"),
        _ = terminate.recv() => Ok("SIGTERM"),
        () = parent_gone(), if end_with_parent => Ok("parent ended"),
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
