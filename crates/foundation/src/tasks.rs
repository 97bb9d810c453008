//! Background work that is never fired and forgotten: each task has a name, is observed at shutdown, and a
//! panic is a visible error and a restart.

use std::{future::Future, time::Duration};

use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long a task that panicked waits before it is started again.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// The background tasks of one phase of a service. All of them run on the runtime given at creation, the
/// process's home, because pooled connections and clients belong to the runtime that opened them.
#[derive(Debug)]
pub struct Tasks {
    home: Handle,
    stop: CancellationToken,
    running: Vec<(&'static str, JoinHandle<()>)>,
}

impl Tasks {
    /// No tasks yet; they will run on `home`.
    #[must_use]
    pub fn new(home: Handle) -> Self {
        Self { home, stop: CancellationToken::new(), running: Vec::new() }
    }

    /// The token that tells the tasks to finish what they are at and return.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. `run` is called with the stop token, and again after a panic, until the token is
    /// cancelled. A task that returns while it is not asked to stop has ended for good.
    pub fn supervise<F, Work>(&mut self, name: &'static str, run: F)
    where
        F: Fn(CancellationToken) -> Work + Send + 'static,
        Work: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let home = self.home.clone();
        let supervisor = self.home.spawn(async move {
            loop {
                match home.spawn(run(stop.clone())).await {
                    Err(error) if error.is_panic() => {
                        telemetry::event!(ERROR, SERVICE_TASK_FAILED, task = name, error = %error);
                        metrics::counter!(telemetry::metric::TASK_RESTARTS, "task" => name).increment(1);
                    }
                    // It has ended by itself, or the runtime is going down.
                    Ok(()) | Err(_) => return,
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(RESTART_DELAY) => {}
                }
            }
        });
        self.running.push((name, supervisor));
    }

    /// Tells the tasks to stop and waits for them, at most for `limit` over all. Returns the names of those
    /// that had to be abandoned.
    pub async fn stop(self, limit: Duration) -> Vec<&'static str> {
        self.stop.cancel();
        let deadline = tokio::time::Instant::now() + limit;
        let mut abandoned = Vec::new();
        for (name, mut handle) in self.running {
            if tokio::time::timeout_at(deadline, &mut handle).await.is_err() {
                handle.abort();
                abandoned.push(name);
            }
        }
        abandoned
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_restart() {
        let (starts, restarted) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut tasks = Tasks::new(Handle::current());
        let (count, signal) = (Arc::clone(&starts), Arc::clone(&restarted));
        tasks.supervise("sample", move |stop| {
            let (count, signal) = (Arc::clone(&count), Arc::clone(&signal));
            async move {
                assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the first start fails");
                signal.notify_one();
                stop.cancelled().await;
            }
        });
        restarted.notified().await;
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, Vec::<&str>::new());
        assert_eq!(starts.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named() {
        let mut tasks = Tasks::new(Handle::current());
        tasks.supervise("deaf", |_| std::future::pending());
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, ["deaf"]);
    }
}
