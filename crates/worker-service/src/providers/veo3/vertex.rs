//! Google Veo on Vertex: `predictLongRunning`, `fetchPredictOperation`, and the video in Cloud Storage or inside
//! of the answer. What lets us in goes to Vertex's own base and to the storage's, and nowhere else.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use foundation::settings::{Environment, Live, SettingError};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use super::{
    super::{
        ApiKey, Operation, Polled, Provider, ProviderSettings, Source, Submission, Submitted,
        caller::{self, Answer, Caller},
        fetch::{self, Fetch},
        google,
    },
    NAME,
    token::{Identity, ServiceAccount, Tokens},
    vertex_wire as wire,
};
use crate::{
    jobs::state::Retry,
    media::{DownloadError, Downloaded},
};

foundation::settings! {
    /// How Veo is reached on Vertex. `VEO3_BASE_URL`, `VEO3_API_KEY`, `VEO3_MODEL` and `VEO3_USUAL_LATENCY` hold
    /// here, too.
    pub struct Settings {
        /// The project on Google Cloud: if it is set, Veo is asked on Vertex in place of the Gemini API.
        pub project: Option<String> = optional("VEO3_VERTEX_PROJECT"),
        /// The location; `global` is one, too. VEO3_BASE_URL is by default the address of this location.
        pub location: String = or_default("VEO3_VERTEX_LOCATION", "us-central1"),
        /// A service account's key; VEO3_VERTEX_CREDENTIALS_FILE names the file that Google Cloud gives out.
        /// Without one VEO3_API_KEY lets us in, or the account of the machine.
        pub credentials: Option<Live<ServiceAccount>> = optional_live("VEO3_VERTEX_CREDENTIALS"),
        /// The folder in Cloud Storage (gs://bucket/folder) that videos are put into; without it they come inside
        /// of the answer.
        pub storage_uri: Option<String> = optional("VEO3_VERTEX_STORAGE_URI"),
        /// Where Cloud Storage is.
        pub storage_base_url: Url = or_default("VEO3_VERTEX_STORAGE_BASE_URL", "https://storage.googleapis.com"),
        /// Where the machine's metadata server is.
        pub metadata_url: Url = or_default("VEO3_VERTEX_METADATA_URL", "http://metadata.google.internal"),
    }
}

/// The client of Veo on Vertex. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub struct Vertex {
    settings: Settings,
    base: Url,
    /// The path of all models.
    models: String,
    model: Option<String>,
    usual_latency: Duration,
    tokens: Tokens,
    caller: Caller,
    storage: Fetch,
}

impl Vertex {
    /// A client for this project. Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub fn new(
        project: &str,
        settings: Settings,
        environment: &Environment,
        common: &ProviderSettings,
    ) -> Result<Self, SettingError> {
        for (name, value) in
            [("VEO3_VERTEX_PROJECT", project), ("VEO3_VERTEX_LOCATION", settings.location.as_str())]
        {
            if !google::is_plain(value) {
                let reason = "must be letters, digits and hyphens".to_owned();
                return Err(SettingError::Malformed { name, reason });
            }
        }
        let base: Url = match environment.optional("VEO3_BASE_URL")? {
            Some(base) => base,
            None => environment.or_default("VEO3_BASE_URL", &address(&settings.location))?,
        };
        let key: Option<Live<ApiKey>> = environment.optional_live("VEO3_API_KEY")?;
        let identity = match (settings.credentials.clone(), key) {
            (Some(account), _) => Identity::Account(account),
            (None, Some(key)) => Identity::Key(key),
            (None, None) => Identity::Machine(settings.metadata_url.clone()),
        };
        let client = fetch::client(common).build().unwrap_or_default();
        let asking = match &identity {
            // The metadata server is this machine's own.
            Identity::Machine(_) => fetch::client(common).no_proxy().build().unwrap_or_default(),
            Identity::Account(_) | Identity::Key(_) => client.clone(),
        };
        Ok(Self {
            models: format!("projects/{project}/locations/{}/publishers/google/models", settings.location),
            model: environment.optional("VEO3_MODEL")?,
            usual_latency: environment.or_default("VEO3_USUAL_LATENCY", "60s")?,
            tokens: Tokens::new(identity, asking, common.poll_timeout),
            caller: Caller::new(&base, common),
            storage: Fetch::new(settings.storage_base_url.clone(), client, common),
            settings,
            base,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// The question how an operation stands, which holds for its video, too.
    fn question(&self, operation: &Operation) -> Option<RequestBuilder> {
        let model = wire::model_of(&operation.name)?;
        let url = self.url(&format!("{model}:fetchPredictOperation"));
        Some(self.caller.request(Method::POST, url).json(&wire::fetch(&operation.name)))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, String> {
        let answer = self.caller.ask(self.tokens.authorise(request).await?).await;
        if let Ok(answer) = &answer {
            self.look(answer).await;
        }
        answer
    }

    /// Whatever is asked: a token that was not taken is not shown again.
    async fn look(&self, answer: &Answer) {
        if matches!(answer, Answer::Refusal(refusal) if refusal.status == StatusCode::UNAUTHORIZED) {
            self.tokens.forget().await;
        }
    }

    async fn fetch(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let unauthorised = DownloadError::Interrupted;
        match source {
            Source::Url(url) => {
                // Asked for beforehand, since along redirects only the storage itself gets it.
                let bearer = self.tokens.authorise(self.caller.request(Method::GET, url.clone())).await;
                let headers = bearer.map_err(unauthorised)?.build().map_err(crate::media::interrupted)?;
                let headers = headers.headers().clone();
                self.storage.fetch(url, into, |request| request.headers(headers.clone())).await
            }
            Source::Inline(place) => {
                let Some(question) = self.question(operation) else {
                    return Err(DownloadError::Forbidden("an operation of another kind".to_owned()));
                };
                let question = self.tokens.authorise(question).await.map_err(unauthorised)?;
                self.caller.extract(question, place, into).await
            }
        }
    }
}

/// The address of Vertex in a location.
fn address(location: &str) -> String {
    match location {
        "global" => "https://aiplatform.googleapis.com".to_owned(),
        _ => format!("https://{location}-aiplatform.googleapis.com"),
    }
}

#[async_trait]
impl Provider for Vertex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn usual_latency(&self) -> Duration {
        self.usual_latency
    }

    async fn submit(&self, submission: &Submission) -> Submitted {
        let model = self.model.as_ref().unwrap_or(&submission.model);
        if !google::is_plain(model) {
            return Submitted::Rejected(google::invalid());
        }
        let url = self.url(&format!("{}/{model}:predictLongRunning", self.models));
        let body: Value = wire::request(submission, self.settings.storage_uri.as_deref());
        match self.tokens.authorise(self.caller.submission(url)).await {
            Ok(request) => match self.caller.post(request.json(&body)).await {
                Ok(answer) => {
                    // A refusal for certain: the next attempt comes with a new token, and not this one once more (I15).
                    self.look(&answer).await;
                    caller::taken(answer, wire::operation, google::refused_within)
                }
                Err(submitted) => submitted,
            },
            // Nothing was sent yet.
            Err(reason) => {
                tracing::warn!(reason, "There is no access token for a submission");
                Submitted::Rejected(google::unavailable(Retry::OnSchedule))
            }
        }
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        let Some(question) = self.question(operation) else {
            return Polled::Refused(google::not_set_up());
        };
        let answer = self.answer(question).await;
        let success = |body: &[u8]| wire::polled(body, &self.settings.storage_base_url);
        caller::told(answer, success, google::poll_refused)
    }

    async fn download(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let fetched = self.fetch(operation, source, into).await;
        if matches!(fetched, Err(DownloadError::Refused(status)) if status == StatusCode::UNAUTHORIZED) {
            self.tokens.forget().await;
        }
        fetched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_has_an_address_of_its_own() {
        assert_eq!(address("europe-west4"), "https://europe-west4-aiplatform.googleapis.com");
        assert_eq!(address("global"), "https://aiplatform.googleapis.com");
    }
}
