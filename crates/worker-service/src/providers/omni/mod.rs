//! Google's Omni models as the Interactions API speaks it: an interaction in the background, which is polled and
//! may be cancelled, and the video at a URI or inside of the answer. The key goes in a header, to the configured
//! base alone.

pub mod wire;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use foundation::settings::Live;
use reqwest::Method;
use url::Url;

use self::wire::Found;
use super::{
    ApiKey, Cancelled, Hook, Operation, Polled, Provider, ProviderSettings, Source, Submission, Submitted,
    gemini_api::GeminiApi,
    google::{self, Refusal},
};
use crate::media::{DownloadError, Downloaded};

/// The name in commands and settings.
pub const NAME: &str = "omni";

foundation::settings! {
    /// How the Omni models are reached.
    pub struct Settings {
        /// Where the Interactions API is served: Google's own address, a proxy's, or the simulator's.
        pub base_url: Url = or_default("OMNI_BASE_URL", "https://generativelanguage.googleapis.com"),
        /// The API key; it is sent to the base URL's host and nowhere else.
        pub api_key: Live<ApiKey> = live("OMNI_API_KEY"),
        /// The model to ask for in place of the one that a job names, where the base calls it otherwise.
        pub model: Option<String> = optional("OMNI_MODEL"),
        /// How long a video usually takes, for progress and estimates, until some were seen.
        pub usual_latency: Duration = or_default("OMNI_USUAL_LATENCY", "60s"),
    }
}

/// The client of the Interactions API. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub struct Omni {
    settings: Settings,
    hook: Option<Hook>,
    api: GeminiApi,
}

impl Omni {
    /// A client after these settings. Speaks to nobody yet. Needs rustls's default provider to be installed.
    #[must_use]
    pub fn new(settings: Settings, hook: Option<Hook>, common: &ProviderSettings) -> Self {
        let api = GeminiApi::new(settings.base_url.clone(), settings.api_key.clone(), common);
        Self { settings, hook, api }
    }
}

#[async_trait]
impl Provider for Omni {
    fn name(&self) -> &'static str {
        NAME
    }

    fn usual_latency(&self) -> Duration {
        self.settings.usual_latency
    }

    fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }

    async fn submit(&self, submission: &Submission) -> Submitted {
        let model = self.settings.model.as_ref().unwrap_or(&submission.model);
        // Even an empty input is charged.
        if !google::is_plain(model) || submission.prompt.trim().is_empty() {
            return Submitted::Rejected(google::invalid());
        }
        let request = self.api.submission("interactions");
        let mut body = wire::request(model, submission);
        if let Some(hook) = &self.hook {
            body["webhook_config"] = hook.config(submission);
        }
        self.api.caller.submit(request.json(&body), wire::interaction, google::refused_within).await
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        if !google::is_plain(&operation.name) {
            return Polled::Refused(google::not_set_up());
        }
        let request = self.api.request(Method::GET, &format!("interactions/{}", operation.name));
        let found = |body: &[u8]| wire::polled(body, &self.api.base);
        match self.api.caller.poll(request, found, google::poll_refused).await {
            Found::Told(polled) => polled,
            Found::File { id, source } => {
                let request = self.api.request(Method::GET, &format!("files/{id}"));
                // The same key was just told that the video is there, and it is charged: a file that cannot be seen may
                // be a moment later, whoever says that it is not there.
                self.api.caller.poll(request, |body: &[u8]| wire::file(body, source), Refusal::unclear).await
            }
        }
    }

    async fn cancel(&self, operation: &Operation) -> Cancelled {
        if !google::is_plain(&operation.name) {
            return Cancelled::Impossible;
        }
        self.api
            .caller
            .cancel(self.api.request(Method::POST, &format!("interactions/{}/cancel", operation.name)))
            .await
    }

    async fn download(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        match source {
            Source::Url(url) => self.api.fetch(url, into).await,
            Source::Inline(place) => {
                let request = self.api.request(Method::GET, &format!("interactions/{}", operation.name));
                self.api.caller.extract(request, place, into).await
            }
        }
    }
}
