//! The API as the terminal client speaks to it: JSON requests with a bearer token, and errors in plain words.

use std::time::Duration;

use contract::Problem;
use foundation::address::is_this_machine;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What goes wrong between us and the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{0} is not an address of an API")]
    Address(String),
    #[error("the API at {0} cannot be reached: {1}")]
    Unreachable(String, String),
    #[error("{}", in_words(.0))]
    Refused(Box<Problem>),
    #[error("the API at {0} gave an answer that is not understood ({1}): {2}")]
    Strange(String, StatusCode, String),
}

impl ClientError {
    /// The status of the API's answer, if it gave one.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(problem) => StatusCode::from_u16(problem.status).ok(),
            Self::Strange(_, status, _) => Some(*status),
            Self::Address(_) | Self::Unreachable(..) => None,
        }
    }
}

fn in_words(problem: &Problem) -> String {
    let fields = problem.errors.iter().map(|error| format!("{}: {}", error.field, error.message));
    let fields: Vec<_> = fields.collect();
    if fields.is_empty() {
        problem.detail.clone()
    } else {
        format!("{} ({})", problem.detail, fields.join("; "))
    }
}

/// A client of one API, for one account.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// Speaks to the API at this base URL.
    pub(crate) fn new(base: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let url = Url::parse(base).map_err(|_| ClientError::Address(base.to_owned()))?;
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT_LIMIT);
        if is_this_machine(&url) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ClientError::Unreachable(base.to_owned(), source(&error)))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.ask(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.ask(self.request(Method::POST, path).json(body)).await
    }

    /// Opens a stream of server-sent events, from after `cursor`.
    pub(crate) async fn events(&self, path: &str, cursor: &str) -> Result<Response, ClientError> {
        let request = self.request(Method::GET, path).header("accept", "text/event-stream");
        self.answer(request.header("last-event-id", cursor)).await
    }

    /// Opens a link that needs no token, and is given none.
    pub(crate) async fn open(&self, link: &str) -> Result<Response, ClientError> {
        let link = Url::parse(&self.base).and_then(|base| base.join(link));
        let link = link.map_err(|_| ClientError::Address("the link".to_owned()))?;
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT_LIMIT);
        if is_this_machine(&link) {
            http = http.no_proxy();
        }
        let unreachable = |error: &reqwest::Error| ClientError::Unreachable(host(&link), source(error));
        let response = http.build().map_err(|e| unreachable(&e))?.get(link.clone()).send().await;
        let response = response.map_err(|e| unreachable(&e.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            status => {
                Err(ClientError::Strange(host(&link), status, "the video cannot be fetched".to_owned()))
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.answer(request.timeout(LIMIT)).await?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_str(&text)
            .map_err(|error| ClientError::Strange(self.base.clone(), status, error.to_string()))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        Err(match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(_) => ClientError::Strange(self.base.clone(), status, shortened(&text)),
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable(self.base.clone(), source(error))
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The innermost cause, which is the one that says something.
fn source(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

fn shortened(text: &str) -> String {
    let text =
        serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| value.to_string());
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use contract::problem::FieldError;

    use super::*;

    #[test]
    fn refusals_read_like_sentences() {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: "Unprocessable".to_owned(),
            status: 422,
            detail: "Some answers do not fit.".to_owned(),
            code: "validation_failed".to_owned(),
            request_id: "req_1".to_owned(),
            errors: vec![FieldError::new("responses.duration", "It can be 4, 6 or 8.")],
            current_status: None,
            resets_at: None,
        };
        let error = ClientError::Refused(Box::new(problem));
        assert_eq!(error.to_string(), "Some answers do not fit. (responses.duration: It can be 4, 6 or 8.)");
        assert_eq!(error.status(), Some(StatusCode::UNPROCESSABLE_ENTITY));
    }

    #[tokio::test]
    async fn an_api_that_is_not_there_is_named() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::new(&format!("http://{free}/"), None).unwrap();
        let error = client.get::<Value>("/healthz").await.unwrap_err().to_string();
        assert!(error.contains(&free.to_string()) && error.contains("reached"), "{error}");
        assert!(Client::new("nonsense", None).is_err());
    }
}
