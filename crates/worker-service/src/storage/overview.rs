//! What an operator and the metrics see of jobs, and what is forgotten after its time.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use contract::{JobId, JobStatus, Timestamp};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{database::database_now, reading, writing};

use super::{
    Counts, Error, Store,
    columns::{AttemptState, ObjectState, WebhookState},
    objects::became,
    rows::Job,
    schema::{attempt, job, object, seen_request, webhook, worker},
};
use crate::jobs::attempts;

/// How many rows are removed by one statement at most, so that none holds the database for long. Whoever forgets so
/// many asks again.
pub const BATCH: usize = 1_000;

impl Store {
    /// The first jobs of the queue, in its order.
    pub async fn waiting(&self, limit: i64) -> Result<Vec<Job>, Error> {
        let query = job::table
            .filter(job::status.eq(JobStatus::Confirmed))
            .order((job::priority.desc(), job::queued_at, job::id))
            .limit(limit);
        Ok(reading!(&self.database, |c| query.select(Job::as_select()).load(c).await)?)
    }

    /// The jobs that workers run, the longest first.
    pub async fn active(&self, limit: i64) -> Result<Vec<Job>, Error> {
        let query = job::table
            .filter(job::status.eq(JobStatus::Active))
            .order((job::started_at, job::id))
            .limit(limit);
        Ok(reading!(&self.database, |c| query.select(Job::as_select()).load(c).await)?)
    }

    /// Which of these jobs, of those that have ended, the provider may charge for.
    pub async fn billable(&self, jobs: &[Job]) -> Result<HashSet<JobId>, Error> {
        let ended = jobs.iter().filter(|job| job.life.status.is_terminal());
        let ended: HashMap<&JobId, JobStatus> = ended.map(|job| (&job.id, job.life.status)).collect();
        if ended.is_empty() {
            return Ok(HashSet::new());
        }
        let attempts = attempt::table
            .filter(attempt::job_id.eq_any(ended.keys().copied()))
            .select((attempt::job_id, attempt::state));
        let found: Vec<(JobId, AttemptState)> = reading!(&self.database, |c| attempts.load(c).await)?;
        let billable = |(job, state): &(JobId, AttemptState)| {
            ended.get(job).is_some_and(|ended| attempts::is_billable(*state, *ended))
        };
        Ok(found.into_iter().filter(billable).map(|(job, _)| job).collect())
    }

    /// How many jobs and webhooks are in which state.
    pub async fn counts(&self) -> Result<Counts, Error> {
        Ok(reading!(&self.database, |c| {
            let jobs = |status: JobStatus| job::table.filter(job::status.eq(status)).select(count_star());
            let webhooks =
                |state: WebhookState| webhook::table.filter(webhook::state.eq(state)).select(count_star());
            Ok(Counts {
                waiting: jobs(JobStatus::Confirmed).first(c).await?,
                active: jobs(JobStatus::Active).first(c).await?,
                webhooks_pending: webhooks(WebhookState::Pending).first(c).await?,
                webhooks_dead: webhooks(WebhookState::Dead).first(c).await?,
            })
        })?)
    }

    /// Whether the database takes writes: on a full disk it still answers questions.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let row = (seen_request::id.eq("probe"), seen_request::seen_at.eq(database_now()));
        let query = diesel::insert_into(seen_request::table)
            .values(row)
            .on_conflict(seen_request::id)
            .do_update()
            .set(seen_request::seen_at.eq(database_now()));
        writing!(&self.database, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Remembers the id of a signed request; says whether it is new.
    pub async fn remember_request(&self, nonce: &str) -> Result<bool, Error> {
        let row = (seen_request::id.eq(nonce), seen_request::seen_at.eq(database_now()));
        let query = diesel::insert_into(seen_request::table).values(row).on_conflict_do_nothing();
        Ok(writing!(&self.database, |c| query.execute(c).await)? == 1)
    }

    /// Forgets the ids of signed requests that are so old that their signatures no longer hold.
    pub async fn forget_requests(&self, older_than: Duration) -> Result<usize, Error> {
        let old = seen_request::table
            .filter(seen_request::seen_at.lt(database_now().minus(older_than)))
            .limit(BATCH as i64)
            .select(seen_request::id);
        let ids: Vec<String> = reading!(&self.database, |c| old.load(c).await)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let query = diesel::delete(seen_request::table.filter(seen_request::id.eq_any(&ids)));
        Ok(writing!(&self.database, |c| query.execute(c).await)?)
    }

    /// Forgets webhooks that have long been delivered or superseded, with their tries.
    pub async fn forget_webhooks(&self, older_than: Duration) -> Result<usize, Error> {
        let old = webhook::table
            .filter(webhook::state.eq_any([WebhookState::Delivered, WebhookState::Superseded]))
            .filter(webhook::updated_at.lt(database_now().minus(older_than)))
            .limit(BATCH as i64)
            .select(webhook::id);
        let ids: Vec<String> = reading!(&self.database, |c| old.load(c).await)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let query = diesel::delete(webhook::table.filter(webhook::id.eq_any(&ids)));
        Ok(writing!(&self.database, |c| query.execute(c).await)?)
    }

    /// Takes workers off the list that have ended, in order or not, so long ago.
    pub async fn forget_workers(&self, older_than: Duration) -> Result<usize, Error> {
        let gone = worker::last_heartbeat.lt(database_now().minus(older_than));
        let query = diesel::delete(worker::table.filter(gone));
        Ok(writing!(&self.database, |c| query.execute(c).await)?)
    }

    /// Gives up the objects whose upload was begun under a lease that another has followed: their runner is
    /// gone, and the one after it writes to keys of its own (I13).
    pub async fn give_up_uploads(&self) -> Result<usize, Error> {
        let dead = object::table
            .inner_join(job::table.on(job::id.eq(object::job_id)))
            .filter(object::state.eq(ObjectState::Uploading))
            .filter(job::lease_epoch.gt(object::lease_epoch))
            .limit(BATCH as i64)
            .select(object::key);
        let keys: Vec<String> = reading!(&self.database, |c| dead.load(c).await)?;
        if keys.is_empty() {
            return Ok(0);
        }
        let uploading =
            object::table.filter(object::key.eq_any(&keys)).filter(object::state.eq(ObjectState::Uploading));
        let query = diesel::update(uploading).set(became(ObjectState::Garbage));
        Ok(writing!(&self.database, |c| query.execute(c).await)?)
    }

    /// Whether an object is being uploaded or needed, so that it must not be touched.
    pub async fn is_wanted(&self, key: &str) -> Result<bool, Error> {
        let query =
            object::table.find(key).filter(object::state.ne(ObjectState::Garbage)).select(object::created_at);
        let found: Option<Timestamp> = reading!(&self.database, |c| query.first(c).await.optional())?;
        Ok(found.is_some())
    }
}
