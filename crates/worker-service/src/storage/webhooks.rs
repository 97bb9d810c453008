//! The outbox of webhooks: claiming what is due, writing down what became of it, and what an operator may
//! see and ask for.

use std::time::Duration;

use contract::{EventId, GenerationId, JobId, Timestamp};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, on_both, reading, transaction, writing};

use super::{
    Error, Store,
    columns::WebhookState,
    locking::Locking,
    rows::{Webhook, WebhookTry},
    schema::{webhook, webhook_endpoint, webhook_try},
};

/// How many of a webhook's tries are shown, the newest.
const TRIES_SHOWN: i32 = 10;

/// What becomes of a webhook after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The receiver took it.
    Delivered,
    /// It is tried again after this time.
    Again(Duration),
    /// It is given up.
    Dead,
}

/// Which webhooks an operator wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookQuery {
    /// Only those in this state.
    pub state: Option<WebhookState>,
    /// Only those older than this one.
    pub before: Option<EventId>,
    /// How many at most.
    pub limit: i64,
}

/// A webhook that is due again, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct DueAgain {
    /// The webhook's id.
    pub id: EventId,
    /// The generation that it tells of.
    pub generation_id: GenerationId,
    /// The event's type.
    pub kind: String,
}

diesel::alias!(webhook as newer: Newer);

on_both! {
    trait WebhookSteps {
        async fn is_paused(&mut self, url: &str) -> QueryResult<bool> {
            let paused = webhook_endpoint::table
                .find(url)
                .filter(webhook_endpoint::paused_until.gt(database_now()))
                .select(webhook_endpoint::url);
            Ok(paused.first::<String>(self).await.optional()?.is_some())
        }
    }
}

impl Store {
    /// Claims at most `limit` webhooks that are due, one a job, for a try each, and hides them from other
    /// dispatchers for as long as `hold`. None while the endpoint rests, and none of the jobs in `but`.
    pub async fn claim_webhooks(
        &self,
        url: &str,
        but: &[JobId],
        limit: usize,
        hold: Duration,
    ) -> Result<Vec<Webhook>, Error> {
        transaction!(&self.database, Place::WebhooksTaken, unless Vec::is_empty, Error, |c| {
            if c.is_paused(url).await? {
                return Ok(Vec::new());
            }
            let mut due: Vec<Webhook> = Vec::new();
            for webhook in c.pick_webhooks(but, limit as i64).await? {
                // Two of one job are due only after a redelivery; the later one waits for the next round.
                if due.iter().all(|picked| picked.job_id != webhook.job_id) {
                    due.push(Webhook { attempts: webhook.attempts + 1, ..webhook });
                }
            }
            if !due.is_empty() {
                let ids = due.iter().map(|webhook| &webhook.id);
                diesel::update(webhook::table.filter(webhook::id.eq_any(ids)))
                    .set((
                        webhook::attempts.eq(webhook::attempts + 1),
                        webhook::next_attempt_at.eq(database_now().plus(hold)),
                    ))
                    .execute(c)
                    .await?;
            }
            Ok(due)
        })
    }

    /// Writes down a try and what follows from it. A webhook that was superseded meanwhile stays so, and one that was
    /// to be delivered again meanwhile is due for that, unless this very try has delivered it.
    pub async fn record_try(&self, made: &WebhookTry, after: After) -> Result<(), Error> {
        transaction!(&self.database, Place::WebhookSettled, Error, |c| {
            diesel::insert_into(webhook_try::table).values(made).on_conflict_do_nothing().execute(c).await?;
            let schedule = if after == After::Delivered { i32::MAX } else { made.number };
            let pending = webhook::table
                .find(&made.webhook_id)
                .filter(webhook::state.eq(WebhookState::Pending))
                .filter(webhook::attempts_before.lt(schedule));
            let (state, next) = match after {
                After::Delivered => (WebhookState::Delivered, None),
                After::Again(delay) => (WebhookState::Pending, Some(database_now().plus(delay))),
                After::Dead => (WebhookState::Dead, None),
            };
            diesel::update(pending)
                .set((
                    webhook::state.eq(state),
                    next.map(|due| webhook::next_attempt_at.eq(due)),
                    webhook::updated_at.eq(database_now()),
                ))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    /// Lets an endpoint rest: nothing is claimed for it meanwhile.
    pub async fn pause_endpoint(&self, url: &str, span: Duration) -> Result<(), Error> {
        let until = webhook_endpoint::paused_until.eq(database_now().plus(span));
        let query = diesel::insert_into(webhook_endpoint::table)
            .values((webhook_endpoint::url.eq(url), until))
            .on_conflict(webhook_endpoint::url)
            .do_update()
            .set(until);
        writing!(&self.database, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Webhooks, the newest first.
    pub async fn webhooks(&self, query: &WebhookQuery) -> Result<Vec<Webhook>, Error> {
        Ok(reading!(&self.database, |c| {
            let mut rows = webhook::table.select(Webhook::as_select()).into_boxed();
            if let Some(state) = query.state {
                rows = rows.filter(webhook::state.eq(state));
            }
            if let Some(before) = &query.before {
                rows = rows.filter(webhook::id.lt(before));
            }
            rows.order(webhook::id.desc()).limit(query.limit).load(c).await
        })?)
    }

    /// One webhook.
    pub async fn webhook(&self, id: &EventId) -> Result<Option<Webhook>, Error> {
        let query = webhook::table.find(id);
        Ok(reading!(&self.database, |c| query.select(Webhook::as_select()).first(c).await.optional())?)
    }

    /// The newest tries of these webhooks, in their order.
    pub async fn tries(&self, of: &[EventId]) -> Result<Vec<WebhookTry>, Error> {
        let query = webhook_try::table
            .inner_join(webhook::table.on(webhook::id.eq(webhook_try::webhook_id)))
            .filter(webhook_try::webhook_id.eq_any(of))
            .filter(webhook_try::number.gt(webhook::attempts - TRIES_SHOWN))
            .order(webhook_try::number);
        Ok(reading!(&self.database, |c| query.select(WebhookTry::as_select()).load(c).await)?)
    }

    /// Makes a webhook due again, whatever became of it, with the whole schedule before it. `None` if there is none of
    /// this id.
    pub async fn redeliver(&self, id: &EventId) -> Result<Option<Webhook>, Error> {
        let lifetime = self.terms.webhook_lifetime;
        let changes = (
            webhook::state.eq(WebhookState::Pending),
            webhook::attempts_before.eq(webhook::attempts),
            webhook::next_attempt_at.eq(database_now()),
            webhook::expires_at.eq(database_now().plus(lifetime)),
            webhook::updated_at.eq(database_now()),
        );
        let query = diesel::update(webhook::table.find(id)).set(changes);
        let found: Option<Webhook> = writing!(&self.database, |c| query
            .returning(Webhook::as_returning())
            .get_result(c)
            .await
            .optional())?;
        self.wakes.webhooks.notify_one();
        Ok(found)
    }

    /// Makes delivered and dead webhooks due again that were written from `since` and before `until`, the oldest
    /// `limit` `after` the given one; those of a job that told something newer have nothing to add. Gives them in
    /// their order: whoever gets `limit` asks for what is after the last. The schedule of each begins anew.
    pub async fn redeliver_range(
        &self,
        (since, until): (Timestamp, Timestamp),
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<DueAgain>, Error> {
        let lifetime = self.terms.webhook_lifetime;
        let changes = (
            webhook::state.eq(WebhookState::Pending),
            webhook::attempts_before.eq(webhook::attempts),
            webhook::next_attempt_at.eq(database_now()),
            webhook::expires_at.eq(database_now().plus(lifetime)),
            webhook::updated_at.eq(database_now()),
        );
        let mut found: Vec<DueAgain> = writing!(&self.database, |c| {
            let of_the_job = newer.filter(newer.field(webhook::job_id).eq(webhook::job_id));
            let later = of_the_job.filter(newer.field(webhook::sequence).gt(webhook::sequence));
            let mut ended = webhook::table
                .filter(webhook::state.eq_any([WebhookState::Delivered, WebhookState::Dead]))
                .filter(webhook::created_at.ge(since))
                .filter(webhook::created_at.lt(until))
                .filter(diesel::dsl::not(diesel::dsl::exists(later)))
                .into_boxed();
            if let Some(after) = after {
                ended = ended.filter(webhook::id.gt(after));
            }
            let ids: Vec<EventId> =
                ended.order(webhook::id).limit(limit as i64).select(webhook::id).load(c).await?;
            diesel::update(webhook::table.filter(webhook::id.eq_any(&ids)))
                .set(changes)
                .returning((webhook::id, webhook::generation_id, webhook::kind))
                .get_results(c)
                .await
        })?;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        self.wakes.webhooks.notify_one();
        Ok(found)
    }
}
