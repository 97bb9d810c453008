//! Accounts and sessions.

use contract::{Timestamp, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, reading, transaction, writing};

use super::{
    Error, Store, rows,
    schema::{account, session},
};
use crate::accounts::{Account, SessionKey};

impl From<rows::Account> for Account {
    fn from(row: rows::Account) -> Self {
        Self { id: row.id, email: row.email, name: row.name, created_at: row.created_at }
    }
}

fn session_row(token: &SessionKey, user: &UserId, until: Timestamp) -> rows::Session {
    rows::Session {
        token_hash: token.as_str().to_owned(),
        user_id: user.clone(),
        created_at: Timestamp::now(),
        expires_at: until,
    }
}

impl Store {
    /// Makes an account and its first session; `false` if the address is taken.
    pub async fn create_account(
        &self,
        new: &Account,
        password_hash: &str,
        token: &SessionKey,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let row = rows::Account {
            id: new.id.clone(),
            email: new.email.clone(),
            name: new.name.clone(),
            password_hash: password_hash.to_owned(),
            created_at: new.created_at,
        };
        let opened = session_row(token, &new.id, until);
        transaction!(&self.database, Place::Registered, Error, |c| {
            let query =
                diesel::insert_into(account::table).values(&row).on_conflict(account::email).do_nothing();
            if query.execute(c).await? == 0 {
                return Ok(false);
            }
            diesel::insert_into(session::table).values(&opened).execute(c).await?;
            Ok(true)
        })
    }

    /// The account with this address, and its password's hash.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<(Account, String)>, Error> {
        let query = account::table.filter(account::email.eq(email));
        let row =
            reading!(&self.database, |c| query.select(rows::Account::as_select()).first(c).await.optional())?;
        Ok(row.map(|mut row| {
            let hash = std::mem::take(&mut row.password_hash);
            (row.into(), hash)
        }))
    }

    /// An account.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, Error> {
        let query = account::table.find(id);
        let row =
            reading!(&self.database, |c| query.select(rows::Account::as_select()).first(c).await.optional())?;
        Ok(row.map(Account::from))
    }

    /// Opens a session.
    pub async fn create_session(
        &self,
        token: &SessionKey,
        user: &UserId,
        until: Timestamp,
    ) -> Result<(), Error> {
        let row = session_row(token, user, until);
        writing!(&self.database, |c| diesel::insert_into(session::table).values(&row).execute(c).await)?;
        Ok(())
    }

    /// Whose session this is, unless it has ended.
    pub async fn session_user(&self, token: &SessionKey) -> Result<Option<UserId>, Error> {
        let query = session::table
            .find(token.as_str())
            .filter(session::expires_at.gt(database_now()))
            .select(session::user_id);
        Ok(reading!(&self.database, |c| query.first(c).await.optional())?)
    }

    /// Ends a session.
    pub async fn delete_session(&self, token: &SessionKey) -> Result<(), Error> {
        let query = session::table.find(token.as_str());
        writing!(&self.database, |c| diesel::delete(query).execute(c).await)?;
        Ok(())
    }
}
