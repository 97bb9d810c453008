//! Google Veo as the Gemini API speaks it: `predictLongRunning`, the operation that is polled, and the file
//! that is downloaded. The key goes in a header, to the configured base alone.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use foundation::settings::Live;
use reqwest::Method;
use url::Url;

use super::{
    super::{
        ApiKey, Hook, Operation, Polled, Provider, ProviderSettings, Source, Submission, Submitted,
        gemini_api::GeminiApi, google,
    },
    NAME, wire,
};
use crate::media::{DownloadError, Downloaded};

foundation::settings! {
    /// How Veo is reached through the Gemini API.
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

/// The client of Veo. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub struct Gemini {
    settings: Settings,
    hook: Option<Hook>,
    api: GeminiApi,
}

impl Gemini {
    /// A client after these settings. Speaks to nobody yet. Needs rustls's default provider to be installed.
    #[must_use]
    pub fn new(settings: Settings, hook: Option<Hook>, common: &ProviderSettings) -> Self {
        let api = GeminiApi::new(settings.base_url.clone(), settings.api_key.clone(), common);
        Self { settings, hook, api }
    }
}

#[async_trait]
impl Provider for Gemini {
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
        if !google::is_plain(model) {
            return Submitted::Rejected(google::invalid());
        }
        let request = self.api.submission(&format!("models/{model}:predictLongRunning"));
        let mut body = wire::request(submission);
        if let Some(hook) = &self.hook {
            body["webhookConfig"] = hook.config(submission);
        }
        self.api.caller.submit(request.json(&body), wire::operation, google::refused_within).await
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        if !wire::is_operation(&operation.name) {
            return Polled::Refused(google::not_set_up());
        }
        let request = self.api.request(Method::GET, &operation.name);
        let success = |body: &[u8]| wire::polled(body, &self.api.base);
        self.api.caller.poll(request, success, google::poll_refused).await
    }

    async fn download(
        &self,
        _: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        match source {
            Source::Url(url) => self.api.fetch(url, into).await,
            Source::Inline(_) => Err(DownloadError::Forbidden("a video in an answer".to_owned())),
        }
    }
}
