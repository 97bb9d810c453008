//! Pictures that users have uploaded: reserved, kept, found.

use contract::{Timestamp, UploadId, UserId};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, on_both, reading, transaction, writing};

use super::{
    Error, Store, columns::Word, idempotency::IdempotencySteps, locking::Locking, rows, schema::upload,
};
use crate::{
    idempotency::{Answer, Ticket},
    uploads::Upload,
};

on_both! {
    trait UploadSteps {
        async fn count_uploads(&mut self, of: &UserId) -> QueryResult<i64> {
            upload::table.filter(upload::user_id.eq(of)).select(count_star()).first(self).await
        }
    }
}

impl Store {
    /// Writes down that a picture of the user's is about to be stored, if the user has fewer than `most`. Until it is
    /// kept nobody finds it, and after its expiry its place is free again.
    pub async fn reserve_upload(&self, user: &UserId, new: &Upload, most: i64) -> Result<(), Error> {
        let row = rows::Upload::of(user, new);
        transaction!(&self.database, Place::UploadReserved, Error, |c| {
            c.lock_account(user).await?;
            let kept = c.count_uploads(user).await?;
            if kept >= most {
                return Err(Error::TooManyUploads(kept));
            }
            diesel::insert_into(upload::table).values(&row).execute(c).await?;
            Ok(())
        })
    }

    /// Writes down that a picture is stored, and until when it can be attached.
    pub async fn keep_upload(
        &self,
        id: &UploadId,
        until: Timestamp,
        keep: Option<(&Ticket, &Answer)>,
    ) -> Result<(), Error> {
        transaction!(&self.database, Place::UploadKept, Error, |c| {
            let kept = (upload::stored.eq(true), upload::expires_at.eq(until));
            diesel::update(upload::table.find(id)).set(kept).execute(c).await?;
            if let Some((ticket, answer)) = keep {
                c.finish_idempotency(ticket, answer.status, &answer.body).await?;
            }
            Ok(())
        })
    }

    /// Gives a picture's place back that could not be stored.
    pub async fn release_upload(&self, id: &UploadId) -> Result<(), Error> {
        let reserved = upload::table.find(id).filter(upload::stored.eq(false));
        writing!(&self.database, |c| diesel::delete(reserved).execute(c).await)?;
        Ok(())
    }

    /// Those of these pictures that are the user's and have not expired by `now`, in no particular order.
    pub async fn uploads(
        &self,
        user: &UserId,
        ids: &[UploadId],
        now: Timestamp,
    ) -> Result<Vec<Upload>, Error> {
        let query = upload::table
            .filter(upload::id.eq_any(ids))
            .filter(upload::user_id.eq(user))
            .filter(upload::stored.eq(true))
            .filter(upload::expires_at.gt(now));
        let rows = reading!(&self.database, |c| query.select(rows::Upload::as_select()).load(c).await)?;
        Ok(rows.into_iter().map(rows::Upload::whole).collect())
    }
}

impl rows::Upload {
    /// The row of a picture that is not stored yet.
    fn of(user: &UserId, new: &Upload) -> Self {
        Self {
            id: new.id.clone(),
            user_id: user.clone(),
            content_type: Word(new.content_type),
            width: new.width as i32,
            height: new.height as i32,
            size: new.bytes,
            sha256: new.sha256.clone(),
            stored: false,
            created_at: new.created_at,
            expires_at: new.expires_at,
        }
    }

    fn whole(self) -> Upload {
        Upload {
            id: self.id,
            content_type: self.content_type.0,
            width: self.width as u32,
            height: self.height as u32,
            bytes: self.size,
            sha256: self.sha256,
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}
