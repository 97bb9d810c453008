//! Structures in JSON columns: `jsonb` on PostgreSQL, SQLite's binary JSON in a BLOB.

use std::{fmt, ops::Deref};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::Jsonb,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A value in a JSON column. It holds its encoded form too, because a column borrows what it is given.
#[derive(Clone, PartialEq, AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Json<T> {
    value: T,
    encoded: Value,
}

impl<T: Serialize> Json<T> {
    /// A value to be stored. A type that JSON cannot hold becomes `null`; there are none among ours.
    pub fn new(value: T) -> Self {
        let encoded = serde_json::to_value(&value).unwrap_or_default();
        Self { value, encoded }
    }
}

impl<T> Json<T> {
    /// The value itself.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T, DB: Backend> ToSql<Jsonb, DB> for Json<T>
where
    T: fmt::Debug,
    Value: ToSql<Jsonb, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.encoded.to_sql(out)
    }
}

impl<T, DB: Backend> FromSql<Jsonb, DB> for Json<T>
where
    T: DeserializeOwned,
    Value: FromSql<Jsonb, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let encoded = Value::from_sql(value)?;
        Ok(Self { value: T::deserialize(&encoded)?, encoded })
    }
}
