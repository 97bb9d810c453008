//! The list of every object whose upload was begun, so that none is forgotten (I19).

use std::time::Duration;

use contract::{JobId, JobStatus};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{
    crash::Place,
    database::{DatabaseNow, database_now},
    reading, transaction, writing,
};

use super::{
    Error, Store,
    columns::ObjectState,
    rows::{Job, Object},
    schema::{job, object},
};

/// What is written when objects change their state: the time, too, which a sweep goes by.
pub(super) fn became(
    state: ObjectState,
) -> (diesel::dsl::Eq<object::state, ObjectState>, diesel::dsl::Eq<object::changed_at, DatabaseNow>) {
    (object::state.eq(state), object::changed_at.eq(database_now()))
}

impl Store {
    /// Writes down that objects are about to be uploaded, under the job's lease: all of them in one commit.
    pub async fn begin_objects(&self, under: &Job, keys: &[String]) -> Result<(), Error> {
        let (id, epoch) = (&under.id, under.life.lease_epoch);
        transaction!(&self.database, Place::ObjectBegun, Error, |c| {
            // A write, though it changes nothing: it holds the row against a cancel until the objects stand.
            let held = job::table
                .find(id)
                .filter(job::lease_epoch.eq(epoch))
                .filter(job::status.eq(JobStatus::Active));
            if diesel::update(held).set(job::lease_epoch.eq(epoch)).execute(c).await? == 0 {
                return Err(Error::LostLease(id.clone()));
            }
            let now = self.now();
            for key in keys {
                let row = Object {
                    key: key.clone(),
                    job_id: id.clone(),
                    lease_epoch: epoch,
                    state: ObjectState::Uploading,
                    created_at: now,
                    changed_at: now,
                };
                diesel::insert_into(object::table).values(row).on_conflict_do_nothing().execute(c).await?;
            }
            Ok(())
        })
    }

    /// Objects that have been garbage for so long that whoever was uploading them knows, in the order of their
    /// keys, from the one after `after`.
    pub async fn garbage(&self, older_than: Duration, after: &str, limit: i64) -> Result<Vec<Object>, Error> {
        let query = object::table
            .filter(object::state.eq(ObjectState::Garbage))
            .filter(object::changed_at.lt(database_now().minus(older_than)))
            .filter(object::key.gt(after))
            .order(object::key)
            .limit(limit);
        Ok(reading!(&self.database, |c| query.select(Object::as_select()).load(c).await)?)
    }

    /// Forgets an object that is no longer in the bucket.
    pub async fn forget_object(&self, key: &str) -> Result<(), Error> {
        let garbage = object::table.find(key).filter(object::state.eq(ObjectState::Garbage));
        writing!(&self.database, |c| diesel::delete(garbage).execute(c).await)?;
        Ok(())
    }

    /// A job's objects, for tests and the curious.
    pub async fn objects(&self, of: &JobId) -> Result<Vec<Object>, Error> {
        let query = object::table.filter(object::job_id.eq(of)).order(object::key);
        Ok(reading!(&self.database, |c| query.select(Object::as_select()).load(c).await)?)
    }
}
