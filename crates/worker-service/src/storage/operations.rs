//! What the worker remembers of providers' operations beyond its jobs: how long they take, of which of them there may
//! be news, and which of them nobody
//! waits for any more.

use std::time::Duration;

use contract::{ErrorCode, JobId, JobStatus, Timestamp, worker_api::JobError};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{database::database_now, reading, writing};

use super::{
    Error, Store,
    columns::{AttemptState, Json},
    schema::{attempt, job, latency},
};

/// How much a new observation counts.
const WEIGHT: f64 = 0.3;
/// An operation is called off soon or not at all: after so long it has ended by itself.
const CALLED_OFF_WITHIN: Duration = Duration::from_hours(1);

/// How far apart hints for one attempt are written down at least.
const NOTICED_EVERY: Duration = Duration::from_secs(1);

/// An operation that a provider has accepted, of a job that has ended without a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abandoned {
    /// The job.
    pub job_id: JobId,
    /// The attempt's number.
    pub number: i32,
    /// Whose operation it is.
    pub provider: String,
    /// The provider's name for it.
    pub operation: String,
    /// Whether it may still be under way: the job was cancelled, or was given up because its time was over.
    pub under_way: bool,
}

type AbandonedRow = (JobId, i32, String, Option<String>, JobStatus, Option<Json<JobError>>);

impl Store {
    /// How long the videos of a model took lately, if any were seen.
    pub async fn latency(&self, provider: &str, model: &str) -> Result<Option<Duration>, Error> {
        let query = latency::table.find((provider, model)).select(latency::seconds);
        let seconds: Option<f64> = reading!(&self.database, |c| query.first(c).await.optional())?;
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }

    /// The video of a model took so long.
    pub async fn learn_latency(&self, provider: &str, model: &str, took: Duration) -> Result<(), Error> {
        let first = (
            latency::provider.eq(provider),
            latency::model.eq(model),
            latency::seconds.eq(took.as_secs_f64()),
            latency::seen.eq(1_i64),
            latency::updated_at.eq(Timestamp::now()),
        );
        let learnt = diesel::insert_into(latency::table)
            .values(first)
            .on_conflict((latency::provider, latency::model))
            .do_update()
            .set((
                latency::seconds.eq(latency::seconds * (1.0 - WEIGHT) + took.as_secs_f64() * WEIGHT),
                latency::seen.eq(latency::seen + 1),
                latency::updated_at.eq(Timestamp::now()),
            ));
        writing!(&self.database, |c| learnt.execute(c).await)?;
        Ok(())
    }

    /// The attempt of a running job that this provider calls by one of these names.
    pub async fn attempt_called(
        &self,
        provider: &str,
        names: &[String],
    ) -> Result<Option<(JobId, i32)>, Error> {
        let query = attempt::table
            .inner_join(job::table.on(job::id.eq(attempt::job_id)))
            .filter(attempt::operation.eq_any(names))
            .filter(attempt::state.eq(AttemptState::Accepted))
            .filter(job::provider.eq(provider))
            .filter(job::status.eq(JobStatus::Active))
            .select((attempt::job_id, attempt::number));
        Ok(reading!(&self.database, |c| query.first(c).await.optional())?)
    }

    /// Whether this attempt of a running job is under way at this provider. An earlier one is not, nor is one of a job that
    /// another provider makes.
    pub async fn is_under_way(&self, provider: &str, id: &JobId, number: i32) -> Result<bool, Error> {
        let query = attempt::table
            .inner_join(job::table.on(job::id.eq(attempt::job_id)))
            .filter(attempt::job_id.eq(id))
            .filter(attempt::number.eq(number))
            .filter(attempt::number.eq(job::attempt))
            .filter(attempt::state.eq_any([AttemptState::Submitting, AttemptState::Accepted]))
            .filter(job::provider.eq(provider))
            .filter(job::status.eq(JobStatus::Active))
            .select(attempt::number);
        let found: Option<i32> = reading!(&self.database, |c| query.first(c).await.optional())?;
        Ok(found.is_some())
    }

    /// Writes down that there may be news of an attempt, for the replica that runs its job: its next heartbeat
    /// brings it along. Gives the time that was written, unless there is no such attempt or one was written just before.
    pub async fn notice(&self, id: &JobId, number: i32) -> Result<Option<Timestamp>, Error> {
        let long_ago = database_now().minus(NOTICED_EVERY);
        let under_way = attempt::table
            .find((id, number))
            .filter(attempt::state.eq_any([AttemptState::Submitting, AttemptState::Accepted]))
            .filter(attempt::noticed_at.is_null().or(attempt::noticed_at.lt(long_ago.nullable())));
        let noticed = diesel::update(under_way).set(attempt::noticed_at.eq(database_now().nullable()));
        let noticed = noticed.returning(attempt::noticed_at);
        let at: Vec<Option<Timestamp>> = writing!(&self.database, |c| noticed.get_results(c).await)?;
        Ok(at.into_iter().flatten().next())
    }

    /// Operations of jobs that have ended lately without a video, none of which was called off yet. One whose attempt
    /// is lost has ended at the provider, or is not known there any more: there is nothing to call off.
    pub async fn abandoned_operations(&self, limit: i64) -> Result<Vec<Abandoned>, Error> {
        let query = attempt::table
            .inner_join(job::table.on(job::id.eq(attempt::job_id)))
            .filter(attempt::state.eq(AttemptState::Accepted))
            .filter(attempt::cancel_asked_at.is_null())
            .filter(job::status.eq_any([JobStatus::Cancelled, JobStatus::Failed]))
            .filter(job::completed_at.assume_not_null().gt(database_now().minus(CALLED_OFF_WITHIN)))
            .order(job::completed_at)
            .limit(limit)
            .select((
                attempt::job_id,
                attempt::number,
                job::provider,
                attempt::operation,
                job::status,
                job::error,
            ));
        let rows: Vec<AbandonedRow> = reading!(&self.database, |c| query.load(c).await)?;
        let abandoned = rows.into_iter().map(|(job_id, number, provider, operation, status, error)| {
            let late = error.is_some_and(|error| error.into_inner().code == ErrorCode::Timeout);
            let under_way = operation.is_some() && (status == JobStatus::Cancelled || late);
            Abandoned { job_id, number, provider, operation: operation.unwrap_or_default(), under_way }
        });
        Ok(abandoned.collect())
    }

    /// Takes it upon the caller to call this operation off; says whether somebody else has not done so already.
    pub async fn take_abandoned(&self, abandoned: &Abandoned) -> Result<bool, Error> {
        let free = attempt::table
            .find((&abandoned.job_id, abandoned.number))
            .filter(attempt::cancel_asked_at.is_null());
        let taken = diesel::update(free).set(attempt::cancel_asked_at.eq(Timestamp::now()));
        Ok(writing!(&self.database, |c| taken.execute(c).await)? == 1)
    }
}
