//! Carries the S3 client's signed requests over reqwest, so that the whole tree has one HTTP client and one
//! TLS stack. It knows nothing of S3 but that requests are signed and must not be changed on the way.

use std::time::Duration;

use rusoto_core::{
    ByteStream, DispatchSignedRequest, HttpDispatchError,
    request::{DispatchSignedRequestFuture, HttpResponse},
    signature::{SignedRequest, SignedRequestPayload},
};

/// The longest answer that is read. Lists of a thousand objects stay well below, and nothing else that is
/// asked for has much of a body; content of objects is never fetched through here.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The slowest that an upload may be, in bytes per second, before it counts as stuck.
const SLOWEST: u64 = 64 * 1024;

/// reqwest as the S3 client sees it.
pub(super) struct Transport {
    client: reqwest::Client,
    request_timeout: Duration,
}

impl Transport {
    /// A client of its own, which belongs to the runtime that first uses it. A request without a body may
    /// take `request_timeout`; one with a body longer, by its length.
    pub(super) fn new(connect_timeout: Duration, request_timeout: Duration) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            // HTTP/1.1 sends the host header exactly as it was signed.
            .http1_only()
            // A redirect would need a new signature.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .user_agent(concat!("reelay/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, request_timeout })
    }
}

impl DispatchSignedRequest for Transport {
    fn dispatch(&self, request: SignedRequest, timeout: Option<Duration>) -> DispatchSignedRequestFuture {
        let length = content_length(&request);
        let timeout =
            timeout.unwrap_or_else(|| self.request_timeout + Duration::from_secs(length.div_ceil(SLOWEST)));
        let prepared = prepare(&self.client, request, timeout);
        Box::pin(async move {
            let response = prepared?.send().await.map_err(failed)?;
            read(response).await
        })
    }
}

fn content_length(request: &SignedRequest) -> u64 {
    let values = request.headers.get("content-length");
    let text = values.and_then(|values| values.first()).and_then(|value| std::str::from_utf8(value).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The signed request as reqwest's. Its host and content-length go along as they are: the first is part of
/// the signature, and with the second a streamed body is sent plain, where S3 refuses a chunked one.
fn prepare(
    client: &reqwest::Client,
    request: SignedRequest,
    timeout: Duration,
) -> Result<reqwest::RequestBuilder, HttpDispatchError> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| HttpDispatchError::new("unknown method".to_owned()))?;
    let mut url = format!("{}://{}{}", request.scheme(), request.hostname(), request.canonical_uri());
    if !request.canonical_query_string().is_empty() {
        url.push('?');
        url.push_str(request.canonical_query_string());
    }
    let mut prepared = client.request(method, url).timeout(timeout);
    for (name, values) in request.headers() {
        for value in values {
            prepared = prepared.header(name.as_str(), value.as_slice());
        }
    }
    Ok(match request.payload {
        None => prepared,
        Some(SignedRequestPayload::Buffer(bytes)) => prepared.body(bytes),
        Some(SignedRequestPayload::Stream(stream)) => prepared.body(reqwest::Body::wrap_stream(stream)),
    })
}

/// Reads the whole answer. Of the headers only those go on that the operations in use need: the S3 client
/// panics over some that it cannot parse.
async fn read(mut response: reqwest::Response) -> Result<HttpResponse, HttpDispatchError> {
    let malformed = || HttpDispatchError::new("a malformed answer".to_owned());
    let status = response.status().as_u16().try_into().map_err(|_| malformed())?;
    let needed = |name: &str| {
        matches!(name, "content-length" | "content-type" | "etag") || name.starts_with("x-amz-meta-")
    };
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| needed(name.as_str()))
        .map(|(name, value)| Some((name.as_str().parse().ok()?, value.to_str().ok()?.to_owned())))
        .collect::<Option<_>>()
        .ok_or_else(malformed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(HttpDispatchError::new("an answer that is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body: ByteStream::from(body) })
}

/// A failure in words, without the URL and with its causes.
fn failed(error: reqwest::Error) -> HttpDispatchError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    HttpDispatchError::new(text)
}
