//! The headers that a signed request carries, whoever signs it for whom.

use actix_web::http::header::HeaderMap;
use contract::signing::{ID_HEADER, SIGNATURE_HEADER, SignedHeaders, TIMESTAMP_HEADER};

/// The headers of a signed request, if all of them are there.
pub fn signed_headers(headers: &HeaderMap) -> Option<SignedHeaders> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    Some(SignedHeaders {
        id: text(ID_HEADER)?,
        timestamp: text(TIMESTAMP_HEADER)?,
        signature: text(SIGNATURE_HEADER)?,
    })
}
