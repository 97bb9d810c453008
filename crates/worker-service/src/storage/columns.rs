//! How worker-service's own words stand in TEXT columns; structures are foundation's [`Json`].

use std::fmt;

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql},
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
    sqlite::Sqlite,
};
pub use foundation::database::Json;

/// Declares an enumeration whose values are words in the database and in answers.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<Text, Pg>::to_sql(self.as_str(), &mut out.reborrow())
            }
        }

        impl ToSql<Text, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.as_str());
                Ok(IsNull::No)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                match String::from_sql(value)?.as_str() {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("{other:?} is no {}", stringify!($name)).into()),
                }
            }
        }
    )*};
}

words! {
    /// What became of one submission to a provider (I15, I16).
    AttemptState {
        /// The POST may be under way: after a crash nobody knows whether the provider took it.
        Submitting = "submitting",
        /// The provider took it and named its operation, which from now on is only ever polled.
        Accepted = "accepted",
        /// The provider is known to have refused it.
        Rejected = "rejected",
        /// Nobody knows whether the provider took it.
        Unknown = "unknown",
        /// The provider took it and reported that it failed, so it is not charged.
        Failed = "failed",
        /// The provider took it, or most probably did, and there is nothing to ask or to fetch. Nobody will ever know
        /// what became of it: it may have been charged, and is never made again.
        Lost = "lost",
        /// Its video is stored.
        Finished = "finished",
    }

    /// What an object in the bucket is to us (I19).
    ObjectState {
        /// Its upload was begun.
        Uploading = "uploading",
        /// A completed job refers to it.
        Live = "live",
        /// Nobody needs it; it is to be deleted.
        Garbage = "garbage",
    }

    /// Where a webhook stands.
    WebhookState {
        /// Still to be delivered.
        Pending = "pending",
        /// The receiver took it.
        Delivered = "delivered",
        /// A newer snapshot of the same job was written before this one was delivered.
        Superseded = "superseded",
        /// Given up; it waits in the dead-letter list.
        Dead = "dead",
    }

    /// What a worker says of itself.
    WorkerStatus {
        /// It claims jobs.
        Running = "running",
        /// It hands its jobs back and ends.
        Stopping = "stopping",
        /// It has ended in order.
        Stopped = "stopped",
    }
}
