//! Idempotency keys: claimed, answered, given back.

use contract::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foundation::{crash::Place, database::database_now, on_both, transaction, writing};
use serde_json::Value;

use super::{Error, Store, schema::idempotency_key};
use crate::idempotency::{Answer, Claim, KEPT, Keyed, Ticket};

type Found = (String, Option<i32>, Option<Value>);

on_both! {
    /// What transactions do about the key of the request that they serve.
    pub(crate) trait IdempotencySteps {
        /// Commits the answer with the effect. Fails, and so rolls the transaction back, if the claim was lost
        /// to a repetition of the request.
        async fn finish_idempotency(&mut self, ticket: &Ticket, status: u16, body: &Value) -> Result<(), Error> {
            let Keyed { user, method, path, key, .. } = &ticket.keyed;
            let claimed = idempotency_key::table
                .find((user.as_str(), method, path, key))
                .filter(idempotency_key::status.is_null())
                .filter(idempotency_key::created_at.eq(ticket.claimed_at));
            let answer = (
                idempotency_key::status.eq(Some(i32::from(status))),
                idempotency_key::answer.eq(Some(body)),
            );
            match diesel::update(claimed).set(answer).execute(self).await? {
                0 => Err(Error::ClaimLost),
                _ => Ok(()),
            }
        }

        /// Claims the key, if nobody has.
        async fn claim_key(&mut self, keyed: &Keyed) -> QueryResult<Option<Timestamp>> {
            let Keyed { user, method, path, key, body_hash, in_flight } = keyed;
            let abandoned = idempotency_key::status.is_null()
                .and(idempotency_key::created_at.lt(database_now().minus(*in_flight)));
            let expired = idempotency_key::table
                .find((user.as_str(), method, path, key))
                .filter(abandoned.or(idempotency_key::created_at.lt(database_now().minus(KEPT))));
            diesel::delete(expired).execute(self).await?;
            diesel::insert_into(idempotency_key::table)
                .values((
                    idempotency_key::user_id.eq(user.as_str()),
                    idempotency_key::method.eq(method),
                    idempotency_key::path.eq(path),
                    idempotency_key::key.eq(key),
                    idempotency_key::body_hash.eq(body_hash),
                    idempotency_key::created_at.eq(database_now()),
                ))
                .on_conflict_do_nothing()
                .returning(idempotency_key::created_at)
                .get_result(self)
                .await
                .optional()
        }

        async fn find_key(&mut self, keyed: &Keyed) -> QueryResult<Option<Found>> {
            let Keyed { user, method, path, key, .. } = keyed;
            idempotency_key::table
                .find((user.as_str(), method, path, key))
                .select((idempotency_key::body_hash, idempotency_key::status, idempotency_key::answer))
                .first(self)
                .await
                .optional()
        }
    }
}

impl Store {
    /// Claims a request's key, or says what became of the first request under it.
    pub async fn claim(&self, keyed: &Keyed) -> Result<Claim, Error> {
        let found = transaction!(&self.database, Place::KeyClaimed, Error, |c| {
            Ok(match c.claim_key(keyed).await? {
                Some(claimed_at) => Err(claimed_at),
                None => Ok(c.find_key(keyed).await?),
            })
        })?;
        Ok(match found {
            Err(claimed_at) => Claim::New(Ticket { keyed: keyed.clone(), claimed_at }),
            Ok(Some((body_hash, ..))) if body_hash != keyed.body_hash => Claim::OtherBody,
            Ok(Some((_, Some(status), answer))) => Claim::Answered(Answer {
                status: u16::try_from(status).unwrap_or(500),
                body: answer.unwrap_or_default(),
            }),
            // Answered by nobody yet, or given back just now.
            Ok(Some((_, None, _)) | None) => Claim::InFlight,
        })
    }

    /// Keeps an answer that no transaction has committed: that of a request which changed nothing. It has no
    /// effect if there is an answer already.
    pub async fn keep_answer(&self, ticket: &Ticket, answer: &Answer) -> Result<(), Error> {
        let kept: Result<(), Error> = transaction!(&self.database, Place::AnswerKept, Error, |c| {
            c.finish_idempotency(ticket, answer.status, &answer.body).await
        });
        match kept {
            Err(Error::ClaimLost) => Ok(()),
            other => other,
        }
    }

    /// Gives a claim back, so that the request can be sent again.
    pub async fn give_back(&self, ticket: &Ticket) -> Result<(), Error> {
        let Keyed { user, method, path, key, .. } = &ticket.keyed;
        let claimed = idempotency_key::table
            .find((user.as_str(), method, path, key))
            .filter(idempotency_key::status.is_null())
            .filter(idempotency_key::created_at.eq(ticket.claimed_at));
        writing!(&self.database, |c| diesel::delete(claimed).execute(c).await)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::UserId;
    use foundation::testing::TestDatabase;
    use serde_json::json;

    use super::*;
    use crate::accounts::{Account, Token};

    async fn keyed(store: &Store) -> Keyed {
        let account = Account {
            id: UserId::new(),
            email: "a@b.c".to_owned(),
            name: None,
            created_at: Timestamp::now(),
        };
        let until = Timestamp::now() + Duration::from_secs(60);
        assert!(store.create_account(&account, "hash", &Token::new().key(), until).await.unwrap());
        Keyed {
            user: account.id,
            method: "POST".to_owned(),
            path: "/api/conversations".to_owned(),
            key: "key".to_owned(),
            body_hash: "hash".to_owned(),
            in_flight: Duration::from_secs(60),
        }
    }

    /// Lets a key be older than it is.
    async fn age(store: &Store, span: Duration) {
        let query = diesel::update(idempotency_key::table)
            .set(idempotency_key::created_at.eq(database_now().minus(span)));
        assert_eq!(writing!(&store.database, |c| query.execute(c).await).unwrap(), 1);
    }

    #[track_caller]
    fn new(claim: Claim) -> Ticket {
        match claim {
            Claim::New(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    async fn commit(store: &Store, ticket: &Ticket) -> Result<(), Error> {
        transaction!(&store.database, Place::KeyClaimed, Error, |c| {
            c.finish_idempotency(ticket, 201, &json!({"id": 1})).await
        })
    }

    /// I10, on time's edges.
    async fn a_key_is_held_answered_and_free_again(database: TestDatabase) {
        let store = Store::open(database.settings()).await.unwrap();
        let keyed = keyed(&store).await;
        let first = new(store.claim(&keyed).await.unwrap());
        assert_eq!(store.claim(&keyed).await.unwrap(), Claim::InFlight);
        let other_body = Keyed { body_hash: "other".to_owned(), ..keyed.clone() };
        assert_eq!(store.claim(&other_body).await.unwrap(), Claim::OtherBody);

        store.give_back(&first).await.unwrap();
        let first = new(store.claim(&keyed).await.unwrap());

        // Its holder is gone, or slow: the key is free, and what the slow one does is undone.
        age(&store, keyed.in_flight + Duration::from_secs(1)).await;
        let second = new(store.claim(&keyed).await.unwrap());
        assert!(matches!(commit(&store, &first).await, Err(Error::ClaimLost)));
        let told = crate::error::AppError::from(Error::ClaimLost);
        assert_eq!((told.status(), told.code()), (409, "idempotency_in_flight"));
        store.give_back(&first).await.unwrap();
        assert_eq!(store.claim(&keyed).await.unwrap(), Claim::InFlight, "the key is the second's");

        commit(&store, &second).await.unwrap();
        let answer = Answer { status: 201, body: json!({"id": 1}) };
        store.keep_answer(&second, &Answer::nothing()).await.unwrap();
        assert_eq!(
            store.claim(&keyed).await.unwrap(),
            Claim::Answered(answer.clone()),
            "the first answer stays"
        );
        age(&store, KEPT.saturating_sub(Duration::from_secs(60))).await;
        assert_eq!(store.claim(&keyed).await.unwrap(), Claim::Answered(answer));
        age(&store, KEPT + Duration::from_secs(1)).await;
        new(store.claim(&keyed).await.unwrap());
        store.close();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_key_is_held_answered_and_free_again_on_sqlite() {
        a_key_is_held_answered_and_free_again(TestDatabase::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_key_is_held_answered_and_free_again_on_postgres() {
        a_key_is_held_answered_and_free_again(TestDatabase::postgres().await).await;
    }
}
