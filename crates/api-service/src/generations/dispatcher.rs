//! Hands the outbox's commands to the worker (I6): woken by commits, several at a time, each again and again
//! until the worker has taken it or will never take it. One slow command holds nobody back.

use foundation::crash::{Place, sending};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use telemetry::{continue_trace, metric};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    FlowSettings,
    service::observe,
    state::{Input, Unchanged},
};
use crate::{
    store::{Origin, Outcome, Outgoing, PendingCommand, Store},
    worker_client::{Failure, Way, WorkerClient},
};

/// How often the outbox is looked at without a wake.
const LOOK: Duration = Duration::from_secs(1);
/// The first pause before a command is sent again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Dispatches until it is told to stop, then finishes what is under way.
///
/// Each command is a task of its own: one that is in the middle of a transaction must go on while this looks
/// for the next, since on SQLite both want the one connection that writes.
pub async fn run(store: &Store, worker: &WorkerClient, settings: &FlowSettings, stop: CancellationToken) {
    let mut under_way = JoinSet::new();
    let most = settings.command_concurrency.max(1);
    // Whoever takes commands and dies leaves them to be sent by others after this.
    let span = worker.patience() + Duration::from_secs(5);
    while !stop.is_cancelled() {
        let free = most.saturating_sub(under_way.len());
        if free > 0 {
            match store.take_commands(i64::try_from(free).unwrap_or(i64::MAX), span).await {
                Ok(due) => {
                    for command in due {
                        under_way.spawn(send(
                            store.clone(),
                            worker.clone(),
                            settings.command_retry_max,
                            command,
                        ));
                    }
                }
                Err(error) => tracing::warn!(%error, "The outbox cannot be read"),
            }
        }
        let full = under_way.len() >= most;
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = under_way.join_next() => observe_end(ended),
            () = store.wakes().commands.notified(), if !full => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    while let Some(ended) = under_way.join_next().await {
        observe_end(ended);
    }
}

/// A command whose task broke stays in the outbox and is sent again.
fn observe_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        telemetry::event!(ERROR, SERVICE_TASK_FAILED, task = "command", error = %error);
    }
}

/// Sends one command and writes down what came of it.
async fn send(store: Store, worker: WorkerClient, longest_pause: Duration, pending: PendingCommand) {
    let Outgoing { command, request_id } = &*pending.body;
    let span = tracing::info_span!(
        "command",
        generationId = %command.generation_id,
        revision = command.revision,
        requestId = request_id.as_deref(),
    );
    continue_trace(&span, command.traceparent.as_deref());
    let work = async {
        let way = Way::of(command);
        log_call(way, &pending, &worker);
        let began = Instant::now();
        let answer = sending(Place::CommandSent, worker.command(command)).await;
        log_answer(way, &pending, &answer);
        let (outcome, input) = match &answer {
            Ok(answer) => ("accepted", Input::CommandAccepted(answer)),
            Err(Failure::Refused(_)) => ("refused", Input::CommandRefused),
            Err(Failure::Unavailable(_)) => {
                metrics::counter!(metric::WORKER_COMMANDS, "outcome" => "unreachable").increment(1);
                let pause = pause(pending.attempts, longest_pause, began.elapsed());
                return store.postpone_command(&command.generation_id, command.revision, pause).await;
            }
        };
        metrics::counter!(metric::WORKER_COMMANDS, "outcome" => outcome).increment(1);
        let origin = Origin::Command(command.revision);
        match (store.happen(&command.generation_id, input, origin).await?, input) {
            (Outcome::Changed(changed), _) => observe(&changed),
            (Outcome::Unchanged(Unchanged::Terminal, _), Input::CommandRefused) => {
                // To tell it again would never end.
                tracing::warn!("The worker refuses a command of a generation that is over; it is dropped");
            }
            _ => {}
        }
        Ok(())
    };
    if let Err(error) = work.instrument(span).await {
        // It stays in the outbox and is sent again, which does no harm.
        tracing::warn!(%error, "What became of a command was not written down");
    }
}

/// How long to wait after a try that took so long: from the begin of one try to the begin of the next the span
/// is doubled each time up to `most`, give or take a quarter, less the time until somebody looks.
fn pause(tries_before: i32, most: Duration, took: Duration) -> Duration {
    let most = most.saturating_sub(LOOK).max(FIRST_PAUSE.min(most));
    let doublings = u32::try_from(tries_before.clamp(0, 16)).unwrap_or(0);
    let even = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(most);
    even.mul_f64(rand::rng().random_range(0.75..1.25)).min(most).saturating_sub(took)
}

fn log_call(way: Way, pending: &PendingCommand, worker: &WorkerClient) {
    let (id, url) = (&pending.generation_id, worker.address());
    match way {
        Way::Create => {
            telemetry::event!(INFO, GENERATION_CREATE_CALLING_WORKER, generationId = %id, workerUrl = %url);
        }
        Way::Clarify => {
            telemetry::event!(INFO, GENERATION_CLARIFY_CALLING_WORKER, generationId = %id, workerUrl = %url);
        }
        Way::Confirm => {
            telemetry::event!(INFO, GENERATION_CONFIRM_CALLING_WORKER, generationId = %id, workerUrl = %url);
        }
        Way::Cancel => {
            telemetry::event!(INFO, GENERATION_CANCEL_CALLING_WORKER, generationId = %id, workerUrl = %url);
        }
    }
}

fn log_answer(
    way: Way,
    pending: &PendingCommand,
    answer: &Result<contract::worker_api::CommandAnswer, Failure>,
) {
    let (id, success) = (&pending.generation_id, answer.is_ok());
    let job = answer.as_ref().ok().map(|answer| tracing::field::display(&answer.job_id));
    let error = answer.as_ref().err().map(tracing::field::display);
    match way {
        Way::Create => telemetry::event!(
            INFO, GENERATION_CREATE_WORKER_RESPONSE,
            generationId = %id, success = success, workerGenerationId = job, error = error
        ),
        Way::Clarify => telemetry::event!(
            INFO, GENERATION_CLARIFY_WORKER_RESPONSE,
            generationId = %id, success = success, workerGenerationId = job, error = error
        ),
        Way::Confirm => telemetry::event!(
            INFO, GENERATION_CONFIRM_WORKER_RESPONSE,
            generationId = %id, success = success, workerGenerationId = job, error = error
        ),
        Way::Cancel => telemetry::event!(
            INFO, GENERATION_CANCEL_WORKER_RESPONSE,
            generationId = %id, success = success, workerGenerationId = job, error = error
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let most = Duration::from_secs(15);
        let mut longest = Duration::ZERO;
        for tries in 0..40 {
            let pause = pause(tries, most, Duration::ZERO);
            assert!(
                pause <= most.saturating_sub(LOOK) && pause >= Duration::from_millis(180),
                "{tries}: {pause:?}"
            );
            longest = longest.max(pause);
        }
        assert!(longest > Duration::from_secs(10));
        assert!(pause(0, most, Duration::ZERO) < Duration::from_millis(320));
        let slow = Duration::from_secs(10);
        assert!((0..40).all(|tries| pause(tries, most, slow) + slow + LOOK <= most));
        assert_eq!(pause(0, most, slow), Duration::ZERO);
    }
}
