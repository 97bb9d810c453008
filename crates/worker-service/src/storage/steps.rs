//! What several transactions share: writing a job's change, with everything that goes with it (I7).

use contract::{
    EventId, JobId, JobStatus, Timestamp,
    events::{Event, EventType},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{database::database_now, on_both};

use super::{
    Terms,
    columns::{AttemptState, Json, ObjectState, WebhookState},
    objects::became,
    rows::{Attempt, Job, Wanted},
    schema::{attempt, job, object, webhook},
};
use crate::jobs::{
    attempts,
    state::{AttemptChange, Change, Objects, Timing, snapshot},
};

/// The job as it is after the change.
pub(super) fn changed(job: &Job, wanted: Option<&Wanted>, change: &Change) -> Job {
    let wanted = wanted.unwrap_or(&job.wanted).clone();
    Job { wanted, life: change.life.clone(), ..job.clone() }
}

on_both! {
    pub(super) trait Steps {
        /// Writes a change, if the job's status and lease are still what the change was decided on; says
        /// whether they were.
        async fn apply(&mut self, before: &Job, wanted: Option<&Wanted>, change: &Change, terms: &Terms) -> QueryResult<bool> {
            let held = job::table
                .find(&before.id)
                .filter(job::lease_epoch.eq(before.life.lease_epoch))
                .filter(job::status.eq(before.life.status));
            let lease = match change.timing {
                Timing::Lease => Some(database_now().plus(terms.lease)),
                Timing::Expire => Some(database_now()),
                Timing::Keep | Timing::Clear | Timing::Wait(_) => None,
            };
            let no_lease = matches!(change.timing, Timing::Clear | Timing::Wait(_));
            let wait = match change.timing {
                Timing::Wait(delay) => Some(database_now().plus(delay)),
                _ => None,
            };
            let no_wait = matches!(change.timing, Timing::Clear | Timing::Lease);
            let changes = (
                wanted,
                &change.life,
                lease.map(|until| job::lease_until.eq(until.nullable())),
                no_lease.then(|| job::lease_until.eq(None::<Timestamp>)),
                wait.map(|after| job::run_after.eq(after.nullable())),
                no_wait.then(|| job::run_after.eq(None::<Timestamp>)),
            );
            if diesel::update(held).set(changes).execute(self).await? == 0 {
                return Ok(false);
            }
            self.effects(&changed(before, wanted, change), change, terms).await?;
            Ok(true)
        }

        /// Writes what goes with a change of the job's own row. `after` is the job as it is now.
        async fn effects(&mut self, after: &Job, change: &Change, terms: &Terms) -> QueryResult<()> {
            match &change.attempt {
                None => {}
                Some(AttemptChange::Begun { number, resubmission }) => {
                    let row = Attempt {
                        job_id: after.id.clone(),
                        number: *number,
                        state: AttemptState::Submitting,
                        operation: None,
                        resubmission: *resubmission,
                        error: None,
                        created_at: after.life.updated_at,
                        updated_at: after.life.updated_at,
                    };
                    diesel::insert_into(attempt::table).values(row).execute(self).await?;
                }
                Some(AttemptChange::Accepted { number, operation }) => {
                    let changes = (
                        attempt::state.eq(AttemptState::Accepted),
                        attempt::operation.eq(operation),
                        attempt::updated_at.eq(after.life.updated_at),
                    );
                    diesel::update(attempt::table.find((&after.id, number))).set(changes).execute(self).await?;
                }
                Some(AttemptChange::Ended { number, state, error }) => {
                    let changes = (
                        attempt::state.eq(state),
                        attempt::error.eq(error.clone().map(Json::new)),
                        attempt::updated_at.eq(after.life.updated_at),
                    );
                    diesel::update(attempt::table.find((&after.id, number))).set(changes).execute(self).await?;
                }
            }
            if let Some(event) = change.event {
                self.tell(after, event, terms).await?;
            }
            let all = object::table.filter(object::job_id.eq(&after.id));
            match &change.objects {
                Objects::Keep => {}
                Objects::None => {
                    diesel::update(all).set(became(ObjectState::Garbage)).execute(self).await?;
                }
                Objects::Only(keys) => {
                    let (live, rest) = (all.filter(object::key.eq_any(keys)), all.filter(object::key.ne_all(keys)));
                    diesel::update(live).set(became(ObjectState::Live)).execute(self).await?;
                    diesel::update(rest).set(became(ObjectState::Garbage)).execute(self).await?;
                }
            }
            Ok(())
        }

        /// Whether the provider may charge for any of a job's attempts.
        async fn is_billable(&mut self, id: &JobId, ended: JobStatus) -> QueryResult<bool> {
            let states = attempt::table.filter(attempt::job_id.eq(id)).select(attempt::state);
            let states: Vec<AttemptState> = states.load(self).await?;
            Ok(states.into_iter().any(|state| attempts::is_billable(state, ended)))
        }

        /// Writes a webhook that tells the job's state, in place of those that tell older ones.
        async fn tell(&mut self, job: &Job, event: EventType, terms: &Terms) -> QueryResult<()> {
            let billable = job.life.status.is_terminal() && self.is_billable(&job.id, job.life.status).await?;
            let data = snapshot(job, None, billable);
            let body = Event { kind: event, timestamp: job.life.updated_at, data };
            let body = serde_json::to_string(&body)
                .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
            let older = webhook::table
                .filter(webhook::job_id.eq(&job.id))
                .filter(webhook::state.eq(WebhookState::Pending));
            diesel::update(older)
                .set((webhook::state.eq(WebhookState::Superseded), webhook::updated_at.eq(database_now())))
                .execute(self)
                .await?;
            diesel::insert_into(webhook::table)
                .values((
                    webhook::id.eq(EventId::new()),
                    webhook::job_id.eq(&job.id),
                    webhook::generation_id.eq(&job.generation_id),
                    webhook::kind.eq(event.as_str()),
                    webhook::sequence.eq(job.life.sequence),
                    webhook::body.eq(body),
                    webhook::state.eq(WebhookState::Pending),
                    webhook::attempts.eq(0),
                    webhook::next_attempt_at.eq(database_now()),
                    webhook::expires_at.eq(database_now().plus(terms.webhook_lifetime)),
                    webhook::traceparent.eq(&job.wanted.traceparent),
                    webhook::created_at.eq(database_now()),
                    webhook::updated_at.eq(database_now()),
                ))
                .execute(self)
                .await
                .map(drop)
        }
    }
}
