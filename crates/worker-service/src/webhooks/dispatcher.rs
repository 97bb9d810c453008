//! Sends what the outbox holds (I7): due webhooks are claimed in batches and delivered in parallel, one at a
//! time for each generation. Every due time is a row, so a restart forgets nothing.

use foundation::crash::{Place, sending};
use std::{collections::HashMap, sync::Arc, time::Duration};

use contract::{EventId, JobId, Timestamp};
use telemetry::{continue_trace, event, metric};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    delivery::{Sender, Verdict},
    schedule::Schedule,
};
use crate::{
    settings::WebhookSettings,
    store::{After, Error, Store, Webhook, WebhookTry},
};

/// The type of a ping: no event of the contract, so that a receiver takes it and does nothing.
const PING: &str = "reelay.ping";
/// How often to look without being woken: for what became due, and for what another replica wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How much longer than a try may take a claimed webhook stays hidden from other dispatchers.
const HOLD_SPARE: Duration = Duration::from_secs(20);
/// How often a result that the database does not take is offered.
const RECORD_TRIES: u32 = 5;

/// The dispatcher. Cheap to clone; one [`run`](Self::run) a process.
#[derive(Clone, Debug)]
pub struct Dispatcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    sender: Sender,
    schedule: Schedule,
    parallel: usize,
    pause: Duration,
    hold: Duration,
}

/// The client for webhooks could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("webhooks cannot be sent: {0}")]
pub struct SetupError(String);

impl Dispatcher {
    /// Sends nothing yet. Needs rustls's default provider to be installed.
    pub fn new(store: Store, settings: &WebhookSettings) -> Result<Self, SetupError> {
        let sender = Sender::new(settings.url.clone(), settings.secrets.clone(), settings.timeout)
            .map_err(|error| SetupError(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            store,
            sender,
            schedule: Schedule { first: settings.first_retry, longest: settings.longest_retry },
            parallel: settings.parallel,
            pause: settings.pause,
            hold: settings.timeout + HOLD_SPARE,
        })))
    }

    /// Sends a `reelay.ping` to the endpoint at once, even to one that rests, and says what came back. It stands in
    /// no outbox, and is not repeated.
    pub async fn ping(&self) -> WebhookTry {
        let body = serde_json::json!({"type": PING, "timestamp": Timestamp::now(), "data": {}}).to_string();
        let (made, _) = self.0.sender.attempt(&EventId::new(), 1, &body).await;
        let (id, status, error) = (&made.webhook_id, made.status, made.error.as_deref());
        event!(INFO, WORKER_WEBHOOK_PINGED, webhookId = %id, status, error, durationMs = made.duration_ms);
        made
    }

    /// Dispatches until `stop` fires, then lets the deliveries in flight end.
    pub async fn run(self, stop: CancellationToken) {
        let inner = &self.0;
        let mut deliveries = JoinSet::new();
        let mut in_flight: HashMap<tokio::task::Id, JobId> = HashMap::new();
        while !stop.is_cancelled() {
            let free = inner.parallel - in_flight.len();
            let busy: Vec<JobId> = in_flight.values().cloned().collect();
            let claimed = match free {
                0 => Vec::new(),
                _ => inner.claim(&busy, free).await,
            };
            for webhook in claimed {
                let job = webhook.job_id.clone();
                let delivery = deliveries.spawn(Arc::clone(inner).deliver(webhook));
                in_flight.insert(delivery.id(), job);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = deliveries.join_next_with_id() => { forget(ended, &mut in_flight); }
                () = inner.store.wakes().webhooks.notified(), if in_flight.len() < inner.parallel => {}
                () = sleep(LOOK_EVERY), if in_flight.len() < inner.parallel => {}
            }
        }
        while let Some(ended) = deliveries.join_next_with_id().await {
            forget(ended, &mut in_flight);
        }
    }
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

fn forget(ended: Ended, in_flight: &mut HashMap<tokio::task::Id, JobId>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            if error.is_panic() {
                event!(ERROR, SERVICE_TASK_FAILED, task = "webhook delivery", error = %error);
            }
            error.id()
        }
    };
    in_flight.remove(&id);
}

impl Inner {
    async fn claim(&self, busy: &[JobId], free: usize) -> Vec<Webhook> {
        match self.store.claim_webhooks(self.sender.url(), busy, free, self.hold).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "The outbox of webhooks cannot be read");
                Vec::new()
            }
        }
    }

    async fn deliver(self: Arc<Self>, webhook: Webhook) {
        let span =
            tracing::info_span!("webhook", jobId = %webhook.job_id, generationId = %webhook.generation_id);
        continue_trace(&span, webhook.traceparent.as_deref());
        async {
            let (id, generation, kind) = (&webhook.id, &webhook.generation_id, webhook.kind.as_str());
            let attempt = webhook.attempts;
            event!(INFO, WORKER_WEBHOOK_SENDING, webhookId = %id, generationId = %generation, event = kind, attempt);
            let (made, verdict) = sending(Place::WebhookSent, self.sender.deliver(&webhook)).await;
            let after = self.judge(&webhook, &verdict).await;
            tell(&webhook, &made, after);
            self.record(made, after).await;
        }
        .instrument(span)
        .await;
    }

    /// What follows from a try.
    async fn judge(&self, webhook: &Webhook, verdict: &Verdict) -> After {
        let delay = match verdict {
            Verdict::Taken => return After::Delivered,
            Verdict::Gone => {
                if let Err(error) = self.store.pause_endpoint(self.sender.url(), self.pause).await {
                    tracing::warn!(%error, "The pause of the webhook endpoint was not stored");
                }
                self.pause
            }
            Verdict::Refused(wish) => self.schedule.delay(webhook.attempts - webhook.attempts_before, *wish),
        };
        // However long the receiver wants to be left alone: the last try is at the end.
        let left = webhook.expires_at.since(self.store.now());
        if left.is_zero() { After::Dead } else { After::Again(delay.min(left)) }
    }

    /// Writes down a try. If it cannot be, the webhook becomes due again by itself, and the receiver, which
    /// knows its id, ignores it then (I8).
    async fn record(&self, made: WebhookTry, after: After) {
        for pause in 1..=RECORD_TRIES {
            let (store, made) = (self.store.clone(), made.clone());
            // In a task of its own: a dispatcher that is cut off leaves no transaction open.
            let written = tokio::spawn(async move { store.record_try(&made, after).await });
            match written.await {
                Ok(Err(Error::Database(error))) => {
                    tracing::warn!(%error, "A delivery was not written down");
                    sleep(Duration::from_millis(200) * pause).await;
                }
                Ok(Ok(()) | Err(_)) => return,
                Err(error) => {
                    event!(ERROR, SERVICE_TASK_FAILED, task = "webhook record", error = %error);
                    return;
                }
            }
        }
    }
}

/// Logs and counts a try.
fn tell(webhook: &Webhook, made: &WebhookTry, after: After) {
    let (id, generation, kind) = (&webhook.id, &webhook.generation_id, webhook.kind.as_str());
    let (attempt, status) = (made.number, made.status);
    let outcome = match after {
        After::Delivered => {
            event!(INFO, WORKER_WEBHOOK_DELIVERED, webhookId = %id, generationId = %generation, event = kind, attempt, status);
            "delivered"
        }
        After::Again(delay) => {
            let next = Timestamp::now() + delay;
            let error = made.error.as_deref();
            event!(WARN, WORKER_WEBHOOK_FAILED, webhookId = %id, generationId = %generation, event = kind, attempt, status, error, nextAttemptAt = %next);
            "failed"
        }
        After::Dead => {
            event!(ERROR, WORKER_WEBHOOK_DEAD_LETTERED, webhookId = %id, generationId = %generation, event = kind, attempt);
            "dead"
        }
    };
    metrics::counter!(metric::WEBHOOK_DELIVERIES, "outcome" => outcome).increment(1);
    metrics::histogram!(metric::WEBHOOK_DELIVERY_SECONDS, "outcome" => outcome)
        .record(made.duration_ms as f64 / 1_000.0);
}
