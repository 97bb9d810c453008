//! How api-service's own types stand in columns: its enumerations' words as TEXT, structures as foundation's
//! [`Json`].

use std::str::FromStr;

use contract::ImageType;
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
    sqlite::Sqlite,
};
pub use foundation::database::Json;

use crate::{
    conversations::message::{MessageKind, Role},
    intent::Language,
};

/// An enumeration's word in a TEXT column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Word<T>(pub T);

/// An enumeration whose values are words.
pub trait Words: FromStr {
    /// The word of a value.
    fn word(&self) -> &'static str;
}

impl Words for Role {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Words for MessageKind {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Words for ImageType {
    fn word(&self) -> &'static str {
        self.media_type()
    }
}

impl Words for Language {
    fn word(&self) -> &'static str {
        self.code()
    }
}

impl<T: Words + std::fmt::Debug> ToSql<Text, Pg> for Word<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Text, Pg>::to_sql(self.0.word(), &mut out.reborrow())
    }
}

impl<T: Words + std::fmt::Debug> ToSql<Text, Sqlite> for Word<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.word());
        Ok(IsNull::No)
    }
}

impl<T: Words, DB: Backend> FromSql<Text, DB> for Word<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let word = String::from_sql(value)?;
        T::from_str(&word).map(Self).map_err(|_| format!("{word:?} is no such word").into())
    }
}
