//! The one place that speaks to worker-service: signed requests after [`contract::signing`], each with a time
//! limit, never along a redirect. It decides nothing and repeats nothing.
//!
//! A client belongs to the runtime that made it, the home runtime; nothing else may call it.

use std::{fmt, time::Duration};

use contract::{
    GenerationId, Timestamp, UploadId,
    images::UploadAnswer,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
    worker_api::{Command, CommandAnswer, DesiredState, JobSnapshot, StatusAnswer, StatusRequest},
};
use foundation::settings::Live;
use reqwest::{Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use telemetry::{RequestId, TraceParent};
use url::Url;
use uuid::Uuid;

foundation::settings! {
    /// Where the worker is, and how long it may take.
    pub struct WorkerSettings {
        /// The base address of worker-service.
        pub url: Url = required("WORKER_URL"),
        /// How long a request to it may take, all in all.
        pub timeout: Duration = or_default("WORKER_TIMEOUT", "10s"),
        /// How long connecting to it may take.
        pub connect_timeout: Duration = or_default("WORKER_CONNECT_TIMEOUT", "3s"),
    }
}

/// The largest answer that is read: the status of as many generations as one request may ask about.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The worker could not be reached, took too long, or is not well: asked again, it may go.
    #[error("{0}")]
    Unavailable(String),
    /// The worker understood the request and will never take it.
    #[error("the worker refuses it with {0}")]
    Refused(u16),
}

/// Which of the worker's four ways in a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The first that it hears of a generation.
    Create,
    /// The questions were answered, or the plan was changed.
    Clarify,
    /// The user said yes.
    Confirm,
    /// It is called off.
    Cancel,
}

impl Way {
    /// The way of a command.
    #[must_use]
    pub const fn of(command: &Command) -> Self {
        match command.state {
            DesiredState::Cancelled => Self::Cancel,
            _ if command.revision <= 1 => Self::Create,
            DesiredState::Pending | DesiredState::PendingConfirmation => Self::Clarify,
            DesiredState::Confirmed => Self::Confirm,
        }
    }

    fn path(self, id: &GenerationId) -> String {
        match self {
            Self::Create => "api/generations".to_owned(),
            Self::Clarify => format!("api/generations/{id}/clarify"),
            Self::Confirm => format!("api/generations/{id}/confirm"),
            Self::Cancel => format!("api/generations/{id}/cancel"),
        }
    }
}

/// The body of a request.
struct Content {
    bytes: Vec<u8>,
    media_type: &'static str,
}

/// A client of worker-service. Cheap to clone.
#[derive(Clone)]
pub struct WorkerClient {
    http: reqwest::Client,
    base: Url,
    secrets: Live<Secrets>,
    patience: Duration,
}

impl fmt::Debug for WorkerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerClient({})", self.base)
    }
}

impl WorkerClient {
    /// A client for the worker at that address, which signs with each of the secrets. The process must have
    /// installed its TLS provider.
    pub fn new(settings: &WorkerSettings, secrets: Live<Secrets>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| unavailable(&error))?;
        let mut base = settings.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        Ok(Self { http, base, secrets, patience: settings.timeout })
    }

    /// Where the worker is, for the log.
    #[must_use]
    pub fn address(&self) -> &Url {
        &self.base
    }

    /// How long a request may take.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Hands over a command. A repetition does no harm.
    pub async fn command(&self, command: &Command) -> Result<CommandAnswer, Failure> {
        let path = Way::of(command).path(&command.generation_id);
        self.ask(Method::POST, &path, Some(command)).await
    }

    /// How a generation's job is; `None` if the worker does not know it.
    pub async fn status(&self, id: &GenerationId) -> Result<Option<JobSnapshot>, Failure> {
        match self.ask(Method::GET, &format!("api/generations/{id}/status"), None::<&()>).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(Failure::Refused(404)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// How the jobs of these generations are, as far as the worker knows them. At most
    /// [`StatusRequest::MAX_IDS`] at once.
    pub async fn statuses(&self, ids: &[GenerationId]) -> Result<Vec<JobSnapshot>, Failure> {
        let request = StatusRequest { ids: ids.to_vec() };
        let answer: StatusAnswer = self.ask(Method::POST, "api/generations/status", Some(&request)).await?;
        Ok(answer.items)
    }

    /// Hands over a picture, which the worker keeps. The same one again does no harm.
    pub async fn keep_picture(
        &self,
        id: &UploadId,
        picture: Vec<u8>,
        patience: Duration,
    ) -> Result<UploadAnswer, Failure> {
        let content = Content { bytes: picture, media_type: "application/octet-stream" };
        self.send(Method::PUT, &format!("api/uploads/{id}"), Some(content), patience).await
    }

    async fn ask<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, Failure> {
        let json = |bytes| Content { bytes, media_type: "application/json" };
        let body = body.map(serde_json::to_vec).transpose().map_err(|error| unavailable(&error))?.map(json);
        self.send(method, path, body, self.patience).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content: Option<Content>,
        patience: Duration,
    ) -> Result<T, Failure> {
        let url = self.base.join(path).map_err(|error| unavailable(&error))?;
        let media_type = content.as_ref().map(|content| content.media_type);
        let body = content.map(|content| content.bytes).unwrap_or_default();
        let id = format!("req_{}", Uuid::now_v7().simple());
        let signed =
            self.secrets.current().sign_request(&id, Timestamp::now(), method.as_str(), url.path(), &body);
        let mut headers = header::HeaderMap::new();
        TraceParent::current().inject(&mut headers);
        // The worker logs under the id of the request that this is for, if it is for one.
        if let Some(request) = RequestId::current() {
            request.inject(&mut headers);
        }
        if let Some(media_type) = media_type {
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
        }
        let request = self
            .http
            .request(method, url)
            .headers(headers)
            .timeout(patience)
            .header(ID_HEADER, signed.id)
            .header(TIMESTAMP_HEADER, signed.timestamp)
            .header(SIGNATURE_HEADER, signed.signature)
            .body(body);
        let mut response = request.send().await.map_err(|error| unavailable(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(&error))? {
            if answer.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Failure::Unavailable("the worker's answer is too large".to_owned()));
            }
            answer.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&answer).map_err(|error| unavailable(&error))
    }
}

/// 401 passes when secrets are rotated, 408, 409, 425 and 429 by themselves; other client errors never do.
fn refusal(status: StatusCode) -> Failure {
    let passes = matches!(status.as_u16(), 401 | 408 | 409 | 425 | 429);
    if status.is_client_error() && !passes {
        Failure::Refused(status.as_u16())
    } else {
        Failure::Unavailable(format!("the worker answers {}", status.as_u16()))
    }
}

/// An error with its causes, which say what really happened, and without the address, which says nothing new.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut text = match error.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => "the worker takes too long".to_owned(),
        Some(error) if error.is_connect() => "the worker cannot be reached".to_owned(),
        Some(_) => "the request to the worker broke off".to_owned(),
        None => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Failure::Unavailable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_will_never_be_taken_is_refused() {
        for status in [400, 403, 404, 410, 413, 422] {
            assert!(
                matches!(refusal(StatusCode::from_u16(status).unwrap()), Failure::Refused(s) if s == status)
            );
        }
        for status in [301, 401, 408, 409, 425, 429, 500, 502, 503] {
            let failure = refusal(StatusCode::from_u16(status).unwrap());
            assert!(matches!(failure, Failure::Unavailable(_)), "{status}");
        }
    }
}
