//! The bodies of signed requests.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::{Ready, ready};
use platform::body::parse;
use serde::de::DeserializeOwned;

use crate::{
    auth,
    error::{AppError, AppResult},
};

/// The JSON body of a signed request.
#[derive(Debug)]
pub struct Body<T>(T);

impl<T> Body<T> {
    /// The body, read.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = AppError;
    type Future = Ready<AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(auth::verified(request).and_then(|verified| parse(&verified.body)).map(Self))
    }
}
