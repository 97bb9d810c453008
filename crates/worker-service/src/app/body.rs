//! Bodies: read within a limit and a time, parsed within a depth, and what is wrong with them told in the
//! contract's words.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
    web::{Bytes, BytesMut},
};
use futures_util::{
    StreamExt as _,
    future::{Ready, ready},
};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    auth,
    error::{AppError, AppResult},
};

/// The largest body of a request.
const LIMIT: usize = 64 * 1024;
/// The deepest nesting of JSON.
const DEPTH: usize = 32;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Reads a body within the limit.
pub(crate) async fn read(headers: &HeaderMap, mut payload: Payload) -> AppResult<Bytes> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LIMIT) {
        return Err(AppError::too_large(LIMIT));
    }
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let incomplete =
                |_| AppError::bad_request("incomplete_body", "The request's body did not arrive whole.");
            let chunk = chunk.map_err(incomplete)?;
            if body.len() + chunk.len() > LIMIT {
                return Err(AppError::too_large(LIMIT));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(PATIENCE, reading).await.map_err(|_| AppError::timed_out())?
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> AppResult<T> {
    if is_too_deep(bytes) {
        let detail = format!("JSON is nested deeper than {DEPTH} levels.");
        return Err(AppError::bad_request("malformed_json", detail));
    }
    // Form first, meaning second: a body that breaks off is malformed even if a field before the break is
    // wrong, too.
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let detail = format!("The body is not valid JSON (line {line}, column {column}).");
        AppError::bad_request("malformed_json", detail)
    })?;
    serde_json::from_slice(bytes).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
        AppError::field("body", message)
    })
}

/// Whether arrays and objects nest too deep. It reads brackets outside of texts and needs no stack.
fn is_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use contract::worker_api::StatusRequest;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_wrong_is_told() {
        for (text, status, code) in [
            ("", 400, "malformed_json"),
            ("{\"ids\":[\"x\"", 400, "malformed_json"),
            ("{\"ids\":[]}}", 400, "malformed_json"),
            ("{}", 422, "validation_failed"),
            ("{\"ids\":[\"x\"]}", 422, "validation_failed"),
        ] {
            let error = parse::<StatusRequest>(text.as_bytes()).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (status, code), "{text}");
        }
        assert!(parse::<StatusRequest>(b"{\"ids\":[],\"more\":{}}").is_ok());
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_texts_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse::<Value>(nested(32).as_bytes()).is_ok());
        assert_eq!(parse::<Value>(nested(33).as_bytes()).unwrap_err().status(), 400);
        assert!(parse::<Value>(format!("\"{}\\\"{}\"", "[".repeat(40), "{".repeat(40)).as_bytes()).is_ok());
    }
}
