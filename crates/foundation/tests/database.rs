//! The database layer on real SQLite files and a real PostgreSQL server.

#![expect(missing_docs, reason = "the table macro makes items that cannot be documented")]
#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::time::Duration;

use contract::{GenerationId, GenerationStatus, Timestamp};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use diesel_migrations::embed_migrations;
use foundation::{
    crash::Place,
    database::{self, Database, OpenError, Schema, database_now},
    on_both, reading,
    testing::TestDatabase,
    transaction, writing,
};

diesel::table! {
    use diesel::sql_types::*;
    use contract::sql::UtcTimestamp;
    sample (id) {
        id -> Text,
        status -> Text,
        data -> Jsonb,
        at -> UtcTimestamp,
        until -> Nullable<UtcTimestamp>,
    }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sample, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct Row {
    id: GenerationId,
    status: GenerationStatus,
    data: serde_json::Value,
    at: Timestamp,
    until: Option<Timestamp>,
}

const SCHEMA: Schema = Schema {
    name: "sample",
    postgres: embed_migrations!("tests/migrations/postgres"),
    sqlite: embed_migrations!("tests/migrations/sqlite"),
};

fn row() -> Row {
    Row {
        id: GenerationId::new(),
        status: GenerationStatus::Queued,
        data: serde_json::json!({"duration": 8, "style": "ink"}),
        at: Timestamp::from_micros(1_795_426_200_123_456),
        until: None,
    }
}

on_both! {
    trait Steps {
        async fn insert(&mut self, row: &Row) -> QueryResult<usize> {
            diesel::insert_into(sample::table).values(row).execute(self).await
        }

        async fn insert_twice(&mut self, row: &Row) -> QueryResult<usize> {
            let first = self.insert(row).await?;
            Ok(first + self.insert(&Row { id: GenerationId::new(), ..row.clone() }).await?)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
    #[error("changed our mind")]
    Refused,
}

async fn rows(database: &Database) -> Vec<Row> {
    reading!(database, |c| sample::table.order(sample::id).select(Row::as_select()).load(c).await).unwrap()
}

async fn what_both_backends_do(database: Database) {
    database.ping().await.unwrap();

    // Values survive.
    let row = row();
    writing!(&database, |c| c.insert(&row).await).unwrap();
    assert_eq!(rows(&database).await, std::slice::from_ref(&row));

    // A guarded update says whether it won.
    let guarded = async || {
        writing!(&database, |c| {
            let open = sample::table.find(&row.id).filter(sample::status.eq(GenerationStatus::Queued));
            diesel::update(open).set(sample::status.eq(GenerationStatus::Processing)).execute(c).await
        })
        .unwrap()
    };
    assert_eq!((guarded().await, guarded().await), (1, 0));

    // An error rolls back what the transaction's steps had done.
    let outcome: Result<usize, Failure> = transaction!(&database, Place::TurnTaken, Failure, |c| {
        c.insert_twice(&Row { id: GenerationId::new(), ..row.clone() }).await?;
        Err(Failure::Refused)
    });
    assert!(matches!(outcome, Err(Failure::Refused)));
    assert_eq!(rows(&database).await.len(), 1);
    let outcome: Result<usize, Failure> = transaction!(&database, Place::TurnTaken, Failure, |c| {
        Ok(c.insert_twice(&Row { id: GenerationId::new(), ..row.clone() }).await?)
    });
    assert_eq!(outcome.unwrap(), 2);
    assert_eq!(rows(&database).await.len(), 3);

    // The database's clock can be compared, stored and moved.
    writing!(&database, |c| {
        let until = database_now().plus(Duration::from_secs(30));
        diesel::update(sample::table.find(&row.id)).set(sample::until.eq(until.nullable())).execute(c).await
    })
    .unwrap();
    let valid = |at_least: Duration| {
        let database = database.clone();
        async move {
            let later = database_now().plus(at_least);
            reading!(&database, |c| sample::table
                .filter(sample::until.gt(later.nullable()))
                .count()
                .get_result::<i64>(c)
                .await)
            .unwrap()
        }
    };
    assert_eq!((valid(Duration::ZERO).await, valid(Duration::from_secs(60)).await), (1, 0));
    let until = rows(&database).await.iter().find_map(|r| r.until).unwrap();
    let remaining = until.since(Timestamp::now());
    assert!((20..=30).contains(&remaining.as_secs()), "{remaining:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_do_the_same_on_sqlite() {
    let test = TestDatabase::sqlite();
    what_both_backends_do(Database::open(test.settings(), SCHEMA).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_do_the_same_on_postgres() {
    let test = TestDatabase::postgres().await;
    what_both_backends_do(Database::open(test.settings(), SCHEMA).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_may_start_at_once_on_an_empty_postgres() {
    let test = TestDatabase::postgres().await;
    let starts: Vec<_> = (0..4)
        .map(|i| {
            let settings = test.settings().clone();
            let schema = Schema { name: if i % 2 == 0 { "sample" } else { "other" }, ..SCHEMA };
            tokio::spawn(async move { Database::open(&settings, schema).await.map(|d| d.close()) })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_replica_on_one_sqlite_file_is_refused() {
    let test = TestDatabase::sqlite();
    let first = Database::open(test.settings(), SCHEMA).await.unwrap();
    assert!(matches!(Database::open(test.settings(), SCHEMA).await, Err(OpenError::Locked(_))));
    drop(first);
    Database::open(test.settings(), SCHEMA).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_writers_queue() {
    let test = TestDatabase::sqlite();
    let database = Database::open(test.settings(), SCHEMA).await.unwrap();
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                let row = row();
                transaction!(&database, Place::TurnTaken, Failure, |c| Ok(c.insert_twice(&row).await?))
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(rows(&database).await.len(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_url_is_said() {
    for (url, expected) in [
        ("mysql://x", "sqlite://path or postgres://"),
        ("sqlite://", "path of a file"),
        ("nonsense", "sqlite://path or postgres://"),
    ] {
        let error = url.parse::<database::DatabaseUrl>().unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let mut settings = TestDatabase::sqlite().settings().clone();
    settings.url = "postgres://nobody:hunter2@127.0.0.1:1/none".parse().unwrap();
    let error = Database::open(&settings, SCHEMA).await.unwrap_err().to_string();
    assert!(error.contains("cannot connect") && !error.contains("hunter2"), "{error}");
    settings.url = "postgres://127.0.0.1/none?sslmode=sometimes".parse().unwrap();
    let error = Database::open(&settings, SCHEMA).await.unwrap_err().to_string();
    assert!(error.contains("sslmode"), "{error}");
}
