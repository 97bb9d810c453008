//! What a caller is told of the store's errors; every other error is made where it is noticed, by the platform's
//! constructors.

pub use platform::{AppError, AppResult};

use crate::{generations, idempotency, intent::Language, store, uploads};

impl From<store::Error> for AppError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Database(error) => error.into(),
            error @ store::Error::Raced => Self::internal(error),
            store::Error::Full(full) => generations::service::no_room(Language::default(), &full),
            store::Error::TooManyUploads(kept) => uploads::service::too_many(kept),
            store::Error::ClaimLost => idempotency::http::in_flight(),
        }
    }
}
