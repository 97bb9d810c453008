//! The bodies of a frontend's requests: JSON, and an absent one counts as `{}`.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;
pub use platform::body::{LIMIT, read};
use serde::de::DeserializeOwned;

use crate::error::{AppError, AppResult};

/// A JSON body. An absent one counts as `{}`.
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
    type Future = LocalBoxFuture<'static, AppResult<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, &mut payload, LIMIT).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// Parses a JSON body.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> AppResult<T> {
    let is_absent = bytes.trim_ascii().is_empty();
    platform::body::parse(if is_absent { b"{}" } else { bytes })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_absent_body_is_an_empty_object() {
        for absent in ["", " \n"] {
            assert_eq!(parse::<Value>(absent.as_bytes()).unwrap(), json!({}));
        }
        assert_eq!(parse::<Value>(b"[]").unwrap(), json!([]));
    }
}
