//! What an operator sees of deliveries, and asks for.

use contract::{EventId, GenerationId, JobId, Timestamp};
use serde::{Deserialize, Serialize};
use telemetry::event;
use utoipa::ToSchema;

use crate::store::{BATCH, DueAgain, Error, Store, Webhook, WebhookQuery, WebhookState, WebhookTry};

/// A webhook and its newest tries.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `webhook-id`, the same on every try.
    pub id: EventId,
    /// The generation that it tells of.
    pub generation_id: GenerationId,
    /// The generation's job.
    pub job_id: JobId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Orders the events of a job.
    pub sequence: i64,
    /// Where it stands.
    pub state: WebhookState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next; absent if it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// The newest ten tries, oldest first.
    pub tries: Vec<Try>,
}

/// One try to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Try {
    /// From 1.
    pub number: i32,
    /// The answer's HTTP status, if there was one.
    pub status: Option<i32>,
    /// How long it took.
    pub duration_ms: i64,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// What went wrong on the way.
    pub error: Option<String>,
    /// When it was over.
    pub created_at: Timestamp,
}

/// Deliveries, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deliveries {
    /// This page's.
    pub items: Vec<Delivery>,
    /// Asks for the next page; absent after the last.
    pub next_cursor: Option<EventId>,
}

/// Which webhooks to deliver again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub struct Range {
    /// Written at this time or later.
    pub since: Timestamp,
    /// And before this one.
    pub until: Timestamp,
}

/// How many webhooks are due again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Redelivered {
    /// So many.
    pub redelivered: usize,
}

/// What a ping came to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ping {
    /// `webhook-id`.
    pub id: EventId,
    /// The answer's HTTP status, if there was one; any 2xx says that the endpoint takes what the worker signs.
    pub status: Option<i32>,
    /// How long it took.
    pub duration_ms: i64,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// What went wrong on the way.
    pub error: Option<String>,
}

impl From<WebhookTry> for Ping {
    fn from(made: WebhookTry) -> Self {
        let WebhookTry { webhook_id: id, status, duration_ms, answer, error, .. } = made;
        Self { id, status, duration_ms, answer, error }
    }
}

/// A page of deliveries.
pub async fn deliveries(store: &Store, query: WebhookQuery) -> Result<Deliveries, Error> {
    let wanted = WebhookQuery { limit: query.limit + 1, ..query.clone() };
    let mut webhooks = store.webhooks(&wanted).await?;
    let more = webhooks.len() as i64 > query.limit;
    webhooks.truncate(query.limit as usize);
    let next_cursor = webhooks.last().filter(|_| more).map(|webhook| webhook.id.clone());
    Ok(Deliveries { items: with_tries(store, webhooks).await?, next_cursor })
}

async fn with_tries(store: &Store, webhooks: Vec<Webhook>) -> Result<Vec<Delivery>, Error> {
    let ids: Vec<EventId> = webhooks.iter().map(|webhook| webhook.id.clone()).collect();
    let mut deliveries: Vec<Delivery> = webhooks.into_iter().map(delivery).collect();
    for made in store.tries(&ids).await? {
        if let Some(delivery) = deliveries.iter_mut().find(|delivery| delivery.id == made.webhook_id) {
            delivery.tries.push(shown(made));
        }
    }
    Ok(deliveries)
}

fn delivery(webhook: Webhook) -> Delivery {
    let waits = webhook.state == WebhookState::Pending;
    Delivery {
        id: webhook.id,
        generation_id: webhook.generation_id,
        job_id: webhook.job_id,
        kind: webhook.kind,
        sequence: webhook.sequence,
        state: webhook.state,
        attempts: webhook.attempts,
        next_attempt_at: waits.then_some(webhook.next_attempt_at),
        expires_at: webhook.expires_at,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
        tries: Vec::new(),
    }
}

fn shown(made: WebhookTry) -> Try {
    Try {
        number: made.number,
        status: made.status,
        duration_ms: made.duration_ms,
        answer: made.answer,
        error: made.error,
        created_at: made.created_at,
    }
}

/// Makes a webhook due again, whatever became of it. `None` if there is none of this id.
pub async fn redeliver(store: &Store, id: &EventId) -> Result<Option<Delivery>, Error> {
    let Some(webhook) = store.redeliver(id).await? else { return Ok(None) };
    log(&webhook.id, &webhook.generation_id, &webhook.kind);
    Ok(with_tries(store, vec![webhook]).await?.pop())
}

/// Makes all delivered and dead webhooks of a span of time due again, of each job the newest.
pub async fn redeliver_range(store: &Store, range: Range) -> Result<Redelivered, Error> {
    let mut redelivered = 0;
    let mut last: Option<EventId> = None;
    loop {
        let due = store.redeliver_range((range.since, range.until), last.as_ref(), BATCH).await?;
        redelivered += due.len();
        for DueAgain { id, generation_id, kind } in &due {
            log(id, generation_id, kind);
        }
        if due.len() < BATCH {
            return Ok(Redelivered { redelivered });
        }
        last = due.into_iter().last().map(|webhook| webhook.id);
    }
}

fn log(id: &EventId, generation: &GenerationId, kind: &str) {
    event!(INFO, WORKER_WEBHOOK_REDELIVERED, webhookId = %id, generationId = %generation, event = kind);
}
