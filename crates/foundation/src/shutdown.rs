//! How a process learns that it must stop.

use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
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

async fn parent_gone() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    // Anything that arrives is ignored; the end of input and an error mean the same.
    while matches!(input.read(&mut buffer).await, Ok(read) if read > 0) {}
}
