//! Claiming jobs, renewing leases, and every write of a runner, which carries its lease's epoch (I11). Lease
//! times come from the database's clock (I12).

use std::collections::HashMap;

use contract::{GenerationId, JobId, JobStatus, Timestamp, UserId, WorkerId};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, on_both, reading, transaction, writing};

use super::{
    Error, Store,
    columns::WorkerStatus,
    locking::Locking,
    rows::{Attempt, Job, Worker},
    schema::{attempt, job, worker},
    steps::{Steps, changed},
};
use crate::jobs::state::{self, AttemptChange, Change, Input, Timing};

/// What a round of claiming brought.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The job as it is under the new lease, or failed as poison.
    pub job: Job,
    /// Who ran it before, if it was taken over.
    pub from: Option<WorkerId>,
    /// Whether it was taken over from a worker that fell silent. One that was handed back in order has no owner.
    pub rescued: bool,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The job as it was before.
    pub before: Job,
    /// What the claim has made of it.
    pub change: Change,
}

/// A lease that its worker still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The job.
    pub job: JobId,
    /// The lease's epoch.
    pub epoch: i64,
    /// When a replica was last told by the provider that there is news of the job's present attempt.
    pub noticed_at: Option<Timestamp>,
}

on_both! {
    trait LeaseSteps {
        /// The users who have as many jobs running as they may, or some: with how many.
        async fn running_by_user(&mut self) -> QueryResult<Vec<(UserId, i64)>> {
            job::table
                .filter(job::status.eq(JobStatus::Active))
                .group_by(job::user_id)
                .select((job::user_id, count_star()))
                .load(self)
                .await
        }

        /// Whether a worker runs anything.
        async fn has_any(&mut self, worker: &WorkerId) -> QueryResult<bool> {
            let own = job::table
                .filter(job::status.eq(JobStatus::Active))
                .filter(job::lease_owner.eq(worker))
                .filter(job::lease_until.gt(database_now().nullable()));
            Ok(own.select(job::id).first::<JobId>(self).await.optional()?.is_some())
        }

        async fn attempts_of(&mut self, jobs: &[&JobId]) -> QueryResult<Vec<Attempt>> {
            attempt::table
                .filter(attempt::job_id.eq_any(jobs.iter().copied()))
                .order(attempt::number)
                .select(Attempt::as_select())
                .load(self)
                .await
        }
    }
}

/// Where a runner's change is committed, for tests that end the process there.
fn place(change: &Change) -> Place {
    match (&change.attempt, change.life.status) {
        (_, JobStatus::Completed) => Place::JobCompleted,
        (Some(AttemptChange::Begun { .. }), _) => Place::AttemptBegun,
        (Some(AttemptChange::Accepted { .. }), _) => Place::OperationAccepted,
        (_, JobStatus::Confirmed | JobStatus::Failed) => Place::AttemptFailed,
        _ if change.timing == Timing::Expire => Place::JobReleased,
        _ => Place::JobProgressed,
    }
}

impl Store {
    /// Claims at most `slots` jobs for a worker: those whose lease has run out first, then the queue's in
    /// order, passing over users who have `per_user` jobs running.
    pub async fn claim(
        &self,
        worker: &WorkerId,
        slots: usize,
        per_user: usize,
    ) -> Result<Vec<Claimed>, Error> {
        let (terms, now) = (&*self.terms, self.now());
        let (slots, per_user) = (slots as i64, per_user as i64);
        let claimed: Vec<Claimed> = transaction!(&self.database, Place::JobsClaimed, unless Vec::is_empty, Error, |c| {
            c.serialise_claims().await?;
            let mut picked = c.pick_lapsed(slots).await?;
            // One that may have brought its worker down more than once runs alone, so that no other goes down with it
            // again (I14); until this worker has nothing else to run, it takes nothing new.
            let suspect = picked.iter().position(state::is_suspect);
            if let Some(suspect) = suspect {
                if c.has_any(worker).await? {
                    picked.retain(|job| !state::is_suspect(job));
                } else {
                    picked = vec![picked.swap_remove(suspect)];
                }
            }
            let free = if suspect.is_some() { 0 } else { slots - picked.len() as i64 };
            if free > 0 {
                let mut running: HashMap<UserId, i64> = c.running_by_user().await?.into_iter().collect();
                let full: Vec<UserId> = running
                    .iter()
                    .filter(|(_, count)| **count >= per_user)
                    .map(|(user, _)| user.clone())
                    .collect();
                for job in c.pick_waiting(&full, free).await? {
                    let count = running.entry(job.user_id.clone()).or_default();
                    if *count < per_user {
                        *count += 1;
                        picked.push(job);
                    }
                }
            }
            let mut claimed = Vec::with_capacity(picked.len());
            for before in picked {
                // The rows are locked and were picked by their status, so neither of these can refuse.
                let Ok(Some(change)) =
                    state::decide(&before, Input::Claimed(worker.clone()), &terms.rules, now)
                else {
                    continue;
                };
                if c.apply(&before, None, &change, terms).await? {
                    claimed.push(Claimed {
                        job: changed(&before, None, &change),
                        rescued: before.life.status == JobStatus::Active
                            && before.life.lease_owner.is_some(),
                        from: before.life.lease_owner.clone(),
                        attempts: Vec::new(),
                        before,
                        change,
                    });
                }
            }
            let ids: Vec<&JobId> = claimed.iter().map(|claimed| &claimed.job.id).collect();
            let attempts = if ids.is_empty() { Vec::new() } else { c.attempts_of(&ids).await? };
            for attempt in attempts {
                if let Some(owner) = claimed.iter_mut().find(|claimed| claimed.job.id == attempt.job_id) {
                    owner.attempts.push(attempt);
                }
            }
            Ok(claimed)
        })?;
        if !claimed.is_empty() {
            self.wakes.webhooks.notify_one();
        }
        Ok(claimed)
    }

    /// Writes a runner's change under its lease and gives the job as it is then.
    pub async fn commit(&self, job: &Job, change: &Change) -> Result<Job, Error> {
        let terms = &*self.terms;
        let held: bool = transaction!(&self.database, place(change), Error, |c| Ok(c
            .apply(job, None, change, terms)
            .await?))?;
        if !held {
            return Err(Error::LostLease(job.id.clone()));
        }
        self.wake_after(change);
        Ok(changed(job, None, change))
    }

    /// Decides on the job as it is in the database and commits that, for whoever has only the lease's epoch:
    /// a runner that was cut off, whose last write may still be under way: the row is locked between the look
    /// and the write. Gives the job as it was and what has become of it; `Ok(None)` if nothing.
    pub async fn decide_and_commit(
        &self,
        id: &JobId,
        epoch: i64,
        input: Input,
    ) -> Result<Option<(Job, Change)>, Error> {
        let query = job::table.find(id).select(job::generation_id);
        let generation: Option<GenerationId> = reading!(&self.database, |c| query.first(c).await.optional())?;
        let lost = || Error::LostLease(id.clone());
        let generation = generation.ok_or_else(lost)?;
        let (terms, now) = (&*self.terms, self.now());
        let settling = if input == Input::Released { Place::JobReleased } else { Place::DeadlinePassed };
        let settled: Option<(Job, Change)> = transaction!(&self.database, settling, Error, |c| {
            let locked = c.lock_job(&generation).await?.filter(|job| job.life.lease_epoch == epoch);
            let before = locked.ok_or_else(lost)?;
            let decided = state::decide(&before, input.clone(), &terms.rules, now).map_err(|_| lost())?;
            let Some(change) = decided else { return Ok(None) };
            if !c.apply(&before, None, &change, terms).await? {
                return Err(lost());
            }
            Ok(Some((before, change)))
        })?;
        if let Some((_, change)) = &settled {
            self.wake_after(change);
        }
        Ok(settled)
    }

    /// Wakes whoever has work from a runner's change.
    fn wake_after(&self, change: &Change) {
        if change.event.is_some() {
            self.wakes.webhooks.notify_one();
        }
        if change.life.status != JobStatus::Active || change.life.lease_owner.is_none() {
            self.wakes.queue.notify_one();
        }
    }

    /// Ends a lease at once without handing the job back in order: its runner broke, which counts as a lost
    /// lease (I14).
    pub async fn abandon(&self, id: &JobId, epoch: i64) -> Result<(), Error> {
        let held =
            job::table.find(id).filter(job::lease_epoch.eq(epoch)).filter(job::status.eq(JobStatus::Active));
        let changes = job::lease_until.eq(database_now().nullable());
        writing!(&self.database, |c| diesel::update(held).set(changes).execute(c).await)?;
        self.wakes.queue.notify_one();
        Ok(())
    }

    /// Renews the leases of the jobs that a worker runs, and its own row. Gives the leases that it still has, each
    /// with what other replicas have noticed of it. A lease whose runner is gone is not among `running`, so that it
    /// lapses.
    pub async fn heartbeat(&self, id: &WorkerId, running: &[JobId]) -> Result<Vec<Renewed>, Error> {
        let until = database_now().plus(self.terms.lease);
        let renewed: Vec<(JobId, i64, Option<Timestamp>)> = transaction!(&self.database, Place::LeasesRenewed, unless Vec::is_empty, Error, |c| {
            let beat = worker::last_heartbeat.eq(database_now());
            let beat = diesel::update(worker::table.find(id)).set(beat).returning(worker::last_heartbeat);
            if let Some(time) = beat.get_result(c).await.optional()? {
                self.saw(time);
            }
            if running.is_empty() {
                return Ok(Vec::new());
            }
            let held = job::table
                .filter(job::lease_owner.eq(id))
                .filter(job::status.eq(JobStatus::Active))
                // One that has run out, or was ended at once, is anyone's: renewed, it would keep the job
                // from those who can run it.
                .filter(job::lease_until.gt(database_now().nullable()))
                .filter(job::id.eq_any(running));
            // In the same statement, so that hints cost no question of their own.
            let noticed_at = attempt::table
                .filter(attempt::job_id.eq(job::id))
                .filter(attempt::number.eq(job::attempt))
                .select(attempt::noticed_at)
                .single_value();
            diesel::update(held)
                .set(job::lease_until.eq(until.nullable()))
                .returning((job::id, job::lease_epoch, noticed_at))
                .get_results(c)
                .await
                .map_err(Error::from)
        })?;
        let lease = |(job, epoch, noticed_at)| Renewed { job, epoch, noticed_at };
        Ok(renewed.into_iter().map(lease).collect())
    }

    /// Which of these leases, as job and epoch, another has taken or may take, rather than that its job has come to
    /// an end or was handed back.
    pub async fn lost_leases(&self, leases: &[(JobId, i64)]) -> Result<Vec<(JobId, i64)>, Error> {
        let query = job::table.filter(job::id.eq_any(leases.iter().map(|(id, _)| id)));
        let columns = (job::id, job::status, job::lease_owner, job::lease_epoch);
        let found: Vec<(JobId, JobStatus, Option<WorkerId>, i64)> =
            reading!(&self.database, |c| query.select(columns).load(c).await)?;
        let lost = |id: &JobId, epoch: i64| {
            found.iter().find(|(found, ..)| found == id).is_none_or(|(_, status, owner, now)| match status {
                JobStatus::Cancelled => false,
                // Handing back ends the lease's epoch.
                JobStatus::Active => owner.is_some() || *now > epoch + 1,
                _ => *now != epoch,
            })
        };
        Ok(leases.iter().filter(|(id, epoch)| lost(id, *epoch)).cloned().collect())
    }

    /// Puts a worker on the list under its name. What an earlier process of that name left behind is free to
    /// be claimed at once (I14). Gives the id of this start, or [`Error::NameTaken`] if that process is alive.
    pub async fn register_worker(&self, name: &str) -> Result<WorkerId, Error> {
        let id = WorkerId::new();
        let ours = self.hold_name(name).await?;
        transaction!(&self.database, Place::WorkerRegistered, Error, |c| {
            let named = worker::table.filter(worker::name.eq(name));
            // The server may go on holding the name for a host that has vanished, but that one falls silent.
            let silent = named.filter(worker::last_heartbeat.lt(database_now().minus(self.terms.lease)));
            if !ours && silent.select(worker::id).first::<WorkerId>(c).await.optional()?.is_none() {
                return Err(Error::NameTaken(name.to_owned()));
            }
            let earlier: Option<WorkerId> = named.select(worker::id).first(c).await.optional()?;
            if let Some(earlier) = earlier {
                let left = job::table
                    .filter(job::lease_owner.eq(&earlier))
                    .filter(job::status.eq(JobStatus::Active));
                diesel::update(left).set(job::lease_until.eq(database_now().nullable())).execute(c).await?;
                diesel::delete(worker::table.find(&earlier)).execute(c).await?;
            }
            let time: Timestamp = diesel::insert_into(worker::table)
                .values((
                    worker::id.eq(&id),
                    worker::name.eq(name),
                    worker::status.eq(WorkerStatus::Running),
                    worker::started_at.eq(database_now()),
                    worker::last_heartbeat.eq(database_now()),
                ))
                .returning(worker::last_heartbeat)
                .get_result(c)
                .await?;
            self.saw(time);
            Ok::<_, Error>(())
        })?;
        if !ours {
            self.go_by(name).await;
        }
        Ok(id)
    }

    /// Says on the list how a worker is.
    pub async fn mark_worker(&self, id: &WorkerId, status: WorkerStatus) -> Result<(), Error> {
        let changes = (worker::status.eq(status), worker::last_heartbeat.eq(database_now()));
        writing!(&self.database, |c| diesel::update(worker::table.find(id)).set(changes).execute(c).await)?;
        Ok(())
    }

    /// All workers on the list, the newest last.
    pub async fn workers(&self) -> Result<Vec<Worker>, Error> {
        let query = worker::table.order(worker::started_at);
        Ok(reading!(&self.database, |c| query.select(Worker::as_select()).load(c).await)?)
    }
}
