//! Commands of the API, and what it may ask about jobs.

use contract::{GenerationId, JobId, JobStatus, worker_api::Command};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, on_both, reading, transaction};

use super::{
    Error, Store,
    locking::Locking,
    rows::Job,
    schema::{job, seen_request},
    steps::{Steps, changed},
};
use crate::jobs::state::{Taken, is_waiting, take};

/// What a command came to.
#[derive(Clone, Debug)]
pub struct TakenCommand {
    /// The job as it is now.
    pub job: Job,
    /// What the command changed, if it was newer than what the job had.
    pub taken: Option<Taken>,
    /// Whether the job has joined the queue by this.
    pub joined: bool,
}

impl TakenCommand {
    /// Whether the command made the job.
    #[must_use]
    pub fn created(&self) -> bool {
        self.taken.as_ref().is_some_and(|taken| taken.created)
    }
}

on_both! {
    /// What transactions do about the signed requests that they serve.
    pub(super) trait CommandSteps {
        /// Remembers a signed request's id; says whether it is new.
        async fn remember(&mut self, nonce: &str) -> QueryResult<bool> {
            let row = (seen_request::id.eq(nonce), seen_request::seen_at.eq(database_now()));
            let query = diesel::insert_into(seen_request::table).values(row).on_conflict_do_nothing();
            Ok(query.execute(self).await? == 1)
        }

        async fn insert_job(&mut self, row: &Job) -> QueryResult<bool> {
            let query = diesel::insert_into(job::table).values(row).on_conflict_do_nothing();
            Ok(query.execute(self).await? == 1)
        }

        async fn count_waiting(&mut self) -> QueryResult<i64> {
            job::table.filter(job::status.eq(JobStatus::Confirmed)).select(count_star()).first(self).await
        }
    }
}

impl Store {
    /// Takes a command and remembers the id of the signed request that brought it, in one transaction.
    pub async fn take_command(&self, command: &Command, nonce: &str) -> Result<TakenCommand, Error> {
        loop {
            match self.try_command(command, nonce).await {
                // Two commands met over a new generation; the job is there now.
                Err(Error::Raced) => {}
                Ok(taken) => {
                    if taken.taken.is_some() {
                        self.wakes.queue.notify_one();
                        self.wakes.webhooks.notify_one();
                        self.wakes.cancels.notify_one();
                    }
                    return Ok(taken);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_command(&self, command: &Command, nonce: &str) -> Result<TakenCommand, Error> {
        let (terms, now) = (&*self.terms, self.now());
        transaction!(&self.database, Place::CommandStored, Error, |c| {
            if !c.remember(nonce).await? {
                return Err(Error::Replayed);
            }
            let before = c.lock_job(&command.generation_id).await?;
            let Some(taken) = take(before.as_ref(), command, &terms.rules, now) else {
                let job = before.ok_or(diesel::result::Error::NotFound)?;
                return Ok(TakenCommand { job, taken: None, joined: false });
            };
            let job = changed(&taken.job, Some(&taken.wanted), &taken.change);
            let joined = is_waiting(&job) && !(before.is_some() && is_waiting(&taken.job));
            if joined && c.count_waiting().await? >= terms.queue_depth {
                return Err(Error::QueueFull);
            }
            let written = if taken.created {
                let inserted = c.insert_job(&job).await?;
                if inserted {
                    c.effects(&job, &taken.change, terms).await?;
                }
                inserted
            } else {
                c.apply(&taken.job, Some(&taken.wanted), &taken.change, terms).await?
            };
            if !written {
                return Err(Error::Raced);
            }
            Ok(TakenCommand { job, taken: Some(taken), joined })
        })
    }

    /// The job of a generation.
    pub async fn job(&self, generation: &GenerationId) -> Result<Option<Job>, Error> {
        let query = job::table.filter(job::generation_id.eq(generation));
        Ok(reading!(&self.database, |c| query.select(Job::as_select()).first(c).await.optional())?)
    }

    /// The jobs of many generations, as far as there are any.
    pub async fn jobs(&self, generations: &[GenerationId]) -> Result<Vec<Job>, Error> {
        let query = job::table.filter(job::generation_id.eq_any(generations));
        Ok(reading!(&self.database, |c| query.select(Job::as_select()).load(c).await)?)
    }

    /// The place in the queue of a job that waits there, from 1.
    pub async fn queue_position(&self, waiting: &Job) -> Result<i64, Error> {
        let (priority, queued_at) = (waiting.wanted.priority, waiting.life.queued_at);
        let earlier =
            job::queued_at.lt(queued_at).or(job::queued_at.eq(queued_at).and(job::id.lt(&waiting.id)));
        let before = job::priority.gt(priority).or(job::priority.eq(priority).and(earlier.assume_not_null()));
        let query = job::table.filter(job::status.eq(JobStatus::Confirmed).and(before)).select(count_star());
        let before: i64 = reading!(&self.database, |c| query.first(c).await)?;
        Ok(before + 1)
    }

    /// The ids of all jobs in the queue, in its order.
    pub async fn queue_order(&self) -> Result<Vec<JobId>, Error> {
        let query = job::table
            .filter(job::status.eq(JobStatus::Confirmed))
            .order((job::priority.desc(), job::queued_at, job::id))
            .select(job::id);
        Ok(reading!(&self.database, |c| query.load(c).await)?)
    }
}
