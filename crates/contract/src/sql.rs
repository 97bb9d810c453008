//! How the contract's types stand in a database (feature `sql`): identifiers and words as TEXT, times as
//! [`UtcTimestamp`]. The orphan rule wants this beside the types; there are no queries here.

use diesel::{
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, SqlType},
    sqlite::{Sqlite, SqliteValue},
};

use crate::Timestamp;

/// The SQL type of a point in time in UTC, to the microsecond: `timestamptz` on PostgreSQL, microseconds
/// since the Unix epoch in an INTEGER on SQLite.
#[derive(Clone, Copy, Debug, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct UtcTimestamp;

/// PostgreSQL counts from 2000-01-01.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl ToSql<UtcTimestamp, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.as_micros() - POSTGRES_EPOCH_MICROS;
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}

impl FromSql<UtcTimestamp, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros: i64 = FromSql::<BigInt, Pg>::from_sql(value)?;
        Ok(Self::from_micros(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
    }
}

impl ToSql<UtcTimestamp, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.as_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<UtcTimestamp, Sqlite> for Timestamp {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Sqlite>::from_sql(value).map(Self::from_micros)
    }
}

/// Lets a type with `as_str` and `TryFrom<String>` stand in a TEXT column.
macro_rules! text_columns {
    ($($kind:ty),* $(,)?) => {$(
        impl ToSql<diesel::sql_types::Text, Pg> for $kind {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<diesel::sql_types::Text, Pg>::to_sql(self.as_str(), &mut out.reborrow())
            }
        }

        impl ToSql<diesel::sql_types::Text, Sqlite> for $kind {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.as_str());
                Ok(IsNull::No)
            }
        }

        impl<DB> FromSql<diesel::sql_types::Text, DB> for $kind
        where
            DB: diesel::backend::Backend,
            String: FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(<$kind>::try_from(String::from_sql(value)?)?)
            }
        }
    )*};
}

text_columns! {
    crate::UserId,
    crate::ConversationId,
    crate::GenerationId,
    crate::MessageId,
    crate::JobId,
    crate::WorkerId,
    crate::EventId,
    crate::UploadId,
    crate::GenerationStatus,
    crate::JobStatus,
    crate::Stage,
    crate::ErrorCode,
}
