//! Google Veo as the Gemini API speaks it: `predictLongRunning`, the operation that is polled, and the file
//! that is downloaded. The key goes in a header, to the configured base alone.

pub mod wire;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use foundation::settings::{Hidden, Live, Setting};
use reqwest::{Client, RequestBuilder, Response, header::HeaderValue};
use telemetry::{event, metric};
use url::Url;

use self::wire::Answer;
use super::{
    Operation, Polled, Provider, ProviderSettings, Source, Submission, Submitted,
    fetch::{self, Fetch},
    google::{self, Refusal},
};
use crate::{
    jobs::state::Retry,
    media::{DownloadError, Downloaded},
};

/// The name in commands and settings.
pub(super) const NAME: &str = "veo3";

/// The header that carries the key.
const KEY_HEADER: &str = "x-goog-api-key";

/// The longest answer that is read; videos come by another way.
const LONGEST_ANSWER: usize = 1024 * 1024;

foundation::settings! {
    /// How Veo is reached.
    pub struct Settings {
        /// Where Veo is served: Google's own address, a proxy's, or the simulator's.
        pub base_url: Url = or_default("VEO3_BASE_URL", "https://generativelanguage.googleapis.com"),
        /// The API key; it is sent to the base URL's host and nowhere else.
        pub api_key: Live<ApiKey> = live("VEO3_API_KEY"),
        /// The model to ask for in place of the one that a job names, where the base calls it otherwise.
        pub model: Option<String> = optional("VEO3_MODEL"),
        /// How long a video usually takes, for progress and estimates, until some were seen.
        pub usual_latency: Duration = or_default("VEO3_USUAL_LATENCY", "60s"),
    }
}

/// An API key: a text that can stand in a header, and is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Hidden);

impl Setting for ApiKey {
    fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(Hidden::new(text)))
        } else {
            Err("must be plain characters without spaces".to_owned())
        }
    }
}

/// The client of Veo. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub struct Veo3 {
    settings: Settings,
    submit_timeout: Duration,
    poll_timeout: Duration,
    /// Without kept connections: one that the server closes at that moment would leave a submission's fate
    /// unknown for nothing.
    submitting: Client,
    asking: Client,
    fetch: Fetch,
}

impl Veo3 {
    /// A client after these settings. Speaks to nobody yet. Needs rustls's default provider to be installed.
    #[must_use]
    pub fn new(settings: Settings, common: &ProviderSettings) -> Self {
        // Building fails only without a TLS provider, which every binary installs first.
        let submitting = fetch::client(common).pool_max_idle_per_host(0).build().unwrap_or_default();
        let asking = fetch::client(common).build().unwrap_or_default();
        let fetch = Fetch::new(settings.base_url.clone(), asking.clone(), common);
        Self {
            settings,
            submit_timeout: common.submit_timeout,
            poll_timeout: common.poll_timeout,
            submitting,
            asking,
            fetch,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1beta/{path}", self.settings.base_url.as_str().trim_end_matches('/'))
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match HeaderValue::from_str(self.settings.api_key.current().0.reveal()) {
            Ok(mut key) => {
                key.set_sensitive(true);
                request.header(KEY_HEADER, key)
            }
            // Not so: its form was checked when it was read.
            Err(_) => request,
        }
    }

    async fn post(&self, submission: &Submission) -> Submitted {
        let model = self.settings.model.as_ref().unwrap_or(&submission.model);
        if !wire::is_model(model) {
            return Submitted::Rejected(google::invalid());
        }
        let request = self.submitting.post(self.url(&format!("models/{model}:predictLongRunning")));
        let request = self.authorised(request).json(&wire::request(submission)).timeout(self.submit_timeout);
        let answer = match answer(request).await {
            Ok(answer) => answer,
            // Nothing was sent yet.
            Err(error) if error.is_connect() => {
                return Submitted::Rejected(google::unavailable(Retry::OnSchedule));
            }
            Err(error) => return Submitted::Unknown { reason: reason(&error) },
        };
        match answer {
            Answer::Success(body) => wire::operation(&body).map_or_else(
                || Submitted::Unknown { reason: "a success that names no operation".to_owned() },
                Submitted::Accepted,
            ),
            Answer::Refusal(refusal) if refusal.is_known() => Submitted::Rejected(refusal.failure()),
            Answer::Refusal(refusal) => Submitted::Unknown { reason: refusal.reason() },
        }
    }

    async fn get(&self, operation: &Operation) -> Polled {
        let request = self.asking.get(self.url(&operation.name)).timeout(self.poll_timeout);
        match answer(self.authorised(request)).await {
            Ok(Answer::Success(body)) => wire::polled(&body, &self.settings.base_url),
            Ok(Answer::Refusal(refusal)) => wire::poll_refused(&refusal),
            Err(error) => Polled::Unclear { reason: reason(&error), wait: None },
        }
    }
}

#[async_trait]
impl Provider for Veo3 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn usual_latency(&self) -> Duration {
        self.settings.usual_latency
    }

    async fn submit(&self, submission: &Submission) -> Submitted {
        let (job, attempt, begun) = (&submission.job_id, submission.attempt, Instant::now());
        event!(INFO, GENERATION_WORKFLOW_CALLING_VEO3, jobId = %job, prompt = telemetry::prompt(&submission.prompt));
        event!(INFO, VEO3_SERVICE_SUBMITTING, jobId = %job, attempt);
        let submitted = self.post(submission).await;
        let duration = milliseconds(begun);
        let (video, status) = match &submitted {
            Submitted::Accepted(operation) => {
                event!(INFO, VEO3_SERVICE_OPERATION_ACCEPTED, jobId = %job, operation, attempt, durationMs = duration);
                (Some(operation.as_str()), "accepted")
            }
            Submitted::Rejected(failure) => {
                let status = failure.error.code.as_str();
                event!(WARN, VEO3_SERVICE_SUBMISSION_REFUSED, jobId = %job, attempt, status, durationMs = duration);
                (None, "rejected")
            }
            Submitted::Unknown { reason } => {
                event!(WARN, VEO3_SERVICE_SUBMISSION_UNKNOWN, jobId = %job, attempt);
                tracing::warn!(jobId = %job, attempt, reason, "The provider did not say whether it took a submission");
                (None, "unknown")
            }
        };
        event!(INFO, GENERATION_WORKFLOW_VEO3_RESPONSE, jobId = %job, videoId = video, status);
        observe("submit", status, begun);
        submitted
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        let (job, name, begun) = (&operation.job_id, &operation.name, Instant::now());
        event!(DEBUG, VEO3_SERVICE_POLLING, jobId = %job, operation = name);
        let polled = self.get(operation).await;
        let (outcome, finished) = match &polled {
            Polled::Pending { .. } => ("pending", None),
            Polled::Finished(_) => ("finished", Some("succeeded")),
            Polled::Failed(failure) => ("failed", Some(failure.error.code.as_str())),
            Polled::Unclear { reason, .. } => {
                tracing::warn!(jobId = %job, operation = name, reason, "The provider did not say how a video stands");
                ("unclear", None)
            }
            Polled::Refused(_) => ("refused", None),
        };
        if let Some(status) = finished {
            event!(INFO, VEO3_SERVICE_OPERATION_FINISHED, jobId = %job, operation = name, status);
        }
        observe("poll", outcome, begun);
        polled
    }

    async fn download(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let (job, name, begun) = (&operation.job_id, &operation.name, Instant::now());
        event!(INFO, VEO3_SERVICE_DOWNLOADING, jobId = %job, operation = name);
        let fetched = self.fetch.fetch(&source.0, into, |request| self.authorised(request)).await;
        if fetched.is_ok() {
            let duration = milliseconds(begun);
            event!(INFO, VEO3_SERVICE_DOWNLOADED, jobId = %job, operation = name, durationMs = duration);
        }
        observe("download", if fetched.is_ok() { "succeeded" } else { "failed" }, begun);
        fetched
    }
}

fn milliseconds(begun: Instant) -> u64 {
    begun.elapsed().as_millis() as u64
}

fn observe(operation: &'static str, outcome: &'static str, begun: Instant) {
    metrics::counter!(metric::PROVIDER_REQUESTS, "provider" => NAME, "operation" => operation, "outcome" => outcome)
        .increment(1);
    metrics::histogram!(metric::PROVIDER_REQUEST_SECONDS, "provider" => NAME, "operation" => operation)
        .record(begun.elapsed().as_secs_f64());
}

/// Sends a request and reads the answer, within the request's time limit.
async fn answer(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = body(response).await?;
    Ok(if status.is_success() {
        Answer::Success(body)
    } else {
        Answer::Refusal(Refusal::read(status, &headers, &body))
    })
}

/// The body, or the beginning of one that is too long to be what was asked for.
async fn body(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A failure in words, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "a broken answer"
    } else {
        "a broken connection"
    };
    kind.to_owned()
}
