//! What a caller is told in the worker's own words: of signatures and of the store's errors. Every other error is
//! made where it is noticed, by the platform's constructors.

use std::{fmt::Display, time::Duration};

use actix_web::http::StatusCode;
pub use platform::{AppError, AppResult};

use crate::{store, uploads};

/// How long to stay away when something that we need cannot be had.
const OUTAGE: Duration = Duration::from_secs(1);
/// How long to stay away when the queue is full.
const FULL: Duration = Duration::from_secs(5);

/// 401 `invalid_signature`: whatever is wrong with it, the caller is told no more.
pub fn unsigned(cause: impl Display) -> AppError {
    let detail = "The request must be signed, with an id of its own.";
    AppError::with(StatusCode::UNAUTHORIZED, "invalid_signature", detail).because(cause)
}

/// 411 `length_required`: how large a picture is must be known before it is taken.
pub fn without_length() -> AppError {
    let detail = "The request must say how long its body is, in the header content-length.";
    AppError::with(StatusCode::LENGTH_REQUIRED, "length_required", detail).because("no content-length")
}

/// 503 `uploads_full`: as many pictures are in memory as may be.
pub fn uploads_full() -> AppError {
    let detail = "As many pictures are being taken as may. Try again in a moment.";
    AppError::with(StatusCode::SERVICE_UNAVAILABLE, "uploads_full", detail)
        .after(OUTAGE)
        .because("as many pictures are being taken as may")
}

/// 503 `unavailable`: something that we need, the database foremost, cannot be had just now.
fn unavailable(cause: impl Display) -> AppError {
    let detail = "The worker cannot do this just now. Try again in a moment.";
    AppError::with(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).after(OUTAGE).because(cause)
}

impl From<uploads::service::Error> for AppError {
    fn from(error: uploads::service::Error) -> Self {
        match error {
            uploads::service::Error::Store(error) => error.into(),
            uploads::service::Error::Bucket(error) => unavailable(error),
        }
    }
}

impl From<store::Error> for AppError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Database(error) => unavailable(error),
            store::Error::Replayed => unsigned("the id was used before"),
            store::Error::QueueFull => {
                let detail = "As many jobs wait as may. Try again later.";
                Self::with(StatusCode::SERVICE_UNAVAILABLE, "queue_full", detail).after(FULL)
            }
            store::Error::OtherPicture(_) => {
                Self::conflict("upload_exists", "Another picture was sent under this id.")
            }
            error @ (store::Error::LostLease(_) | store::Error::NameTaken(_) | store::Error::Raced) => {
                unavailable(error)
            }
        }
    }
}
