//! The queries that the two databases say differently: on PostgreSQL rows are locked, on SQLite the
//! transaction that asks is the only one that writes.

use contract::{GenerationId, JobId, JobStatus, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::database::{Postgres, Sqlite, database_now};

use super::{
    columns::WebhookState,
    rows::{Job, Webhook},
    schema::{job, webhook},
};

/// Any number that nothing else in the database locks.
const CLAIM_LOCK: i64 = 0x5265_656c_6b02;

diesel::define_sql_function! {
    /// Held to the end of the transaction.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Reads that hold what they read until the transaction ends.
pub(super) trait Locking {
    /// One claim at a time, so that the limit of running jobs a user holds over all workers.
    fn serialise_claims(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    /// The job of a generation.
    fn lock_job(
        &mut self,
        generation: &GenerationId,
    ) -> impl Future<Output = QueryResult<Option<Job>>> + Send;

    /// Jobs that may be claimed now, in the queue's order, but for these users.
    fn pick_waiting(
        &mut self,
        but: &[UserId],
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<Job>>> + Send;

    /// Active jobs whose lease has run out.
    fn pick_lapsed(&mut self, limit: i64) -> impl Future<Output = QueryResult<Vec<Job>>> + Send;

    /// Webhooks that are due, but for these jobs.
    fn pick_webhooks(
        &mut self,
        but: &[JobId],
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<Webhook>>> + Send;
}

macro_rules! locking {
    ($connection:ty, [$($wait:tt)*], [$($skip:tt)*], $serialise:path) => {
        impl Locking for $connection {
            async fn serialise_claims(&mut self) -> QueryResult<()> {
                $serialise(self).await
            }

            async fn lock_job(&mut self, generation: &GenerationId) -> QueryResult<Option<Job>> {
                let query = job::table.filter(job::generation_id.eq(generation)).select(Job::as_select());
                query $($wait)* .first(self).await.optional()
            }

            async fn pick_waiting(&mut self, but: &[UserId], limit: i64) -> QueryResult<Vec<Job>> {
                let due = job::run_after.is_null().or(job::run_after.le(database_now().nullable()));
                let query = job::table
                    .filter(job::status.eq(JobStatus::Confirmed).and(due))
                    .filter(job::user_id.ne_all(but))
                    .order((job::priority.desc(), job::queued_at, job::id))
                    .limit(limit)
                    .select(Job::as_select());
                query $($skip)* .load(self).await
            }

            async fn pick_lapsed(&mut self, limit: i64) -> QueryResult<Vec<Job>> {
                let query = job::table
                    .filter(job::status.eq(JobStatus::Active))
                    .filter(job::lease_until.le(database_now().nullable()))
                    .order((job::lease_until, job::id))
                    .limit(limit)
                    .select(Job::as_select());
                query $($skip)* .load(self).await
            }

            async fn pick_webhooks(&mut self, but: &[JobId], limit: i64) -> QueryResult<Vec<Webhook>> {
                let query = webhook::table
                    .filter(webhook::state.eq(WebhookState::Pending))
                    .filter(webhook::next_attempt_at.le(database_now()))
                    .filter(webhook::job_id.ne_all(but))
                    .order((webhook::next_attempt_at, webhook::sequence))
                    .limit(limit)
                    .select(Webhook::as_select());
                query $($skip)* .load(self).await
            }
        }
    };
}

async fn advisory_lock(connection: &mut Postgres) -> QueryResult<()> {
    diesel::select(pg_advisory_xact_lock(CLAIM_LOCK)).execute(connection).await.map(drop)
}

async fn one_writer(_: &mut Sqlite) -> QueryResult<()> {
    Ok(())
}

locking!(Postgres, [.for_update()], [.for_update().skip_locked()], advisory_lock);
locking!(Sqlite, [], [], one_writer);
