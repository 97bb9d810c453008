//! The list of every picture whose upload was begun, so that none is forgotten (I19).

use std::time::Duration;

use contract::{Timestamp, UploadId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{
    crash::Place,
    database::{DatabaseNow, database_now},
    reading, transaction, writing,
};

use super::{Error, Store, columns::ObjectState, commands::CommandSteps, rows::Upload, schema::upload};

fn became(
    state: ObjectState,
) -> (diesel::dsl::Eq<upload::state, ObjectState>, diesel::dsl::Eq<upload::changed_at, DatabaseNow>) {
    (upload::state.eq(state), upload::changed_at.eq(database_now()))
}

impl Store {
    /// Writes down that a picture is about to be uploaded, and remembers the id of the signed request that brought
    /// it. The same picture again is as good as the first time, and is kept as long as it was to be.
    pub async fn begin_upload(
        &self,
        id: &UploadId,
        (key, sha256, size): (&str, &str, i64),
        kept: Duration,
        nonce: &str,
    ) -> Result<Upload, Error> {
        let now = Timestamp::now();
        let row = Upload {
            id: id.clone(),
            key: key.to_owned(),
            sha256: sha256.to_owned(),
            size,
            state: ObjectState::Uploading,
            created_at: now,
            changed_at: now,
            keep_until: now + kept,
        };
        transaction!(&self.database, Place::UploadBegun, Error, |c| {
            if !c.remember(nonce).await? {
                return Err(Error::Replayed);
            }
            diesel::insert_into(upload::table).values(&row).on_conflict_do_nothing().execute(c).await?;
            // A write, though it changes nothing: it holds the row against the sweeper.
            let same = upload::table
                .find(id)
                .filter(upload::key.eq(key).and(upload::sha256.eq(sha256)))
                .filter(upload::state.ne(ObjectState::Garbage));
            let held = diesel::update(same).set(upload::changed_at.eq(database_now()));
            let held = held.returning(Upload::as_returning()).get_result(c).await.optional()?;
            held.ok_or_else(|| Error::OtherPicture(id.clone()))
        })
    }

    /// Writes down that a picture is stored. `false` if it was given up meanwhile.
    pub async fn upload_stored(&self, id: &UploadId) -> Result<bool, Error> {
        let begun = upload::table.find(id).filter(upload::state.ne(ObjectState::Garbage));
        let stored = diesel::update(begun).set(became(ObjectState::Live));
        Ok(writing!(&self.database, |c| stored.execute(c).await)? == 1)
    }

    /// A picture, if it is stored.
    pub async fn upload(&self, id: &UploadId) -> Result<Option<Upload>, Error> {
        let query = upload::table.find(id).filter(upload::state.eq(ObjectState::Live));
        Ok(reading!(&self.database, |c| query.select(Upload::as_select()).first(c).await.optional())?)
    }

    /// Gives up pictures that have had their time, and those whose upload was begun so long ago that whoever made
    /// it knows that it failed.
    pub async fn give_up_pictures(&self, grace: Duration) -> Result<usize, Error> {
        let half_stored =
            upload::state.eq(ObjectState::Uploading).and(upload::changed_at.lt(database_now().minus(grace)));
        let over = upload::state.eq(ObjectState::Live).and(upload::keep_until.lt(database_now()));
        let given_up = diesel::update(upload::table.filter(half_stored.or(over)));
        let given_up = given_up.set(became(ObjectState::Garbage));
        Ok(writing!(&self.database, |c| given_up.execute(c).await)?)
    }

    /// Pictures that have been garbage for so long that whoever was uploading them knows, in the order of their
    /// ids, from the one after `after`.
    pub async fn garbage_pictures(
        &self,
        older_than: Duration,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Upload>, Error> {
        let query = upload::table
            .filter(upload::state.eq(ObjectState::Garbage))
            .filter(upload::changed_at.lt(database_now().minus(older_than)))
            .filter(upload::id.gt(after))
            .order(upload::id)
            .limit(limit);
        Ok(reading!(&self.database, |c| query.select(Upload::as_select()).load(c).await)?)
    }

    /// Forgets a picture that is no longer in the bucket.
    pub async fn forget_picture(&self, id: &UploadId) -> Result<(), Error> {
        let garbage = upload::table.find(id).filter(upload::state.eq(ObjectState::Garbage));
        writing!(&self.database, |c| diesel::delete(garbage).execute(c).await)?;
        Ok(())
    }
}
