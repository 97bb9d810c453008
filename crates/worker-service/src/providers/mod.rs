//! The providers that make videos: what is asked of each ([`Provider`]), which of them are on, and their
//! settings. A provider knows its wire protocol and nothing of jobs, leases or storage; it tells what happened
//! in our terms, and the [workflow](crate::workflow) decides what follows from it.
//!
//! Another provider is one file beside [`generic`] and one line in [`CATALOGUE`]; docs/PROVIDERS.md says how.

mod caller;
mod fetch;
mod gemini_api;
pub mod generic;
pub mod google;
pub mod guard;
pub mod hook;
mod images;
pub mod inline;
pub mod jwt;
mod key_set;
mod observed;
pub mod omni;
pub mod veo3;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use contract::{ImageRole, ImageType, JobId, Parameters, worker_api::JobError};
use foundation::settings::{Environment, Hidden, Setting, SettingError, Variable};
use url::Url;

use self::{
    hook::{Hook, SafeUrl},
    observed::Observed,
};
use crate::{
    jobs::state::Retry,
    media::{DownloadError, Downloaded},
};

foundation::settings! {
    /// What holds for every provider.
    pub struct ProviderSettings {
        /// The providers that are on, separated by commas.
        pub providers: Vec<String> = or_default("PROVIDERS", "veo3"),
        /// How long a connection to a provider may take to be made.
        pub connect_timeout: Duration = or_default("PROVIDER_CONNECT_TIMEOUT", "10s"),
        /// How long a provider may take to answer a submission, after which its fate is unknown.
        pub submit_timeout: Duration = or_default("PROVIDER_SUBMIT_TIMEOUT", "60s"),
        /// How long a provider may take to say how a video stands.
        pub poll_timeout: Duration = or_default("PROVIDER_POLL_TIMEOUT", "20s"),
        /// How long a download may stand still.
        pub stall_timeout: Duration = or_default("PROVIDER_STALL_TIMEOUT", "30s"),
        /// How long a download may take in all.
        pub download_timeout: Duration = or_default("PROVIDER_DOWNLOAD_TIMEOUT", "10m"),
        /// The largest video that is taken, in bytes.
        pub largest_video: u64 = or_default("PROVIDER_LARGEST_VIDEO", "2147483648"),
        /// Where the providers' own webhooks reach this worker: a base URL, https or on this machine. Those with
        /// …_WEBHOOK_SECRETS or …_WEBHOOK_JWKS_URL are asked to tell there when a video is done; without it all are
        /// polled.
        pub webhook_url: Option<SafeUrl> = optional("PROVIDER_WEBHOOK_URL"),
    }
}

/// What to make.
#[derive(Clone, Debug)]
pub struct Submission {
    /// For the log.
    pub job_id: JobId,
    /// Which submission of the job this is; for the log.
    pub attempt: i32,
    /// The provider's model.
    pub model: String,
    /// The user's words; never logged but at DEBUG, and cut.
    pub prompt: String,
    /// How to make it.
    pub parameters: Parameters,
    /// The pictures of its parameters, in their order.
    pub images: Vec<Image>,
}

/// A picture that a video is made from.
#[derive(Clone)]
pub struct Image {
    /// What it is for.
    pub role: ImageRole,
    /// Its type.
    pub kind: ImageType,
    /// It.
    pub content: Bytes,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.content.len();
        f.debug_struct("Image").field("role", &self.role).field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// A submission that the provider has accepted.
#[derive(Clone, Debug)]
pub struct Operation {
    /// For the log.
    pub job_id: JobId,
    /// The provider's name for it.
    pub name: String,
}

/// Something did not work, with what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the user is told if this is the end.
    pub error: JobError,
    /// Whether to try again.
    pub retry: Retry,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The provider took it and calls it so.
    Accepted(String),
    /// The provider did certainly not take it.
    Rejected(Failure),
    /// Nobody knows: no answer came, or one that says nothing (I16).
    Unknown {
        /// What happened instead, for the log.
        reason: String,
    },
    /// The provider answered that it was a success, but not with a name that can be asked for: it most probably took it
    /// and charges for it, so it must never be sent again.
    Lost {
        /// What is wrong with the answer, for the log.
        reason: String,
    },
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It is not finished.
    Pending {
        /// Per cent, if the provider says.
        progress: Option<i32>,
    },
    /// The video can be fetched from there.
    Finished(Source),
    /// The provider itself says that it came to nothing, or that a filter took it: it is not charged.
    Failed(Failure),
    /// The provider does not say that it failed, but there is nothing to fetch, and never will be. It may have been
    /// charged, so there is no other submission (I17): this is what the user is told.
    Lost(JobError),
    /// It could not be found out; asked again, it may be.
    Unclear {
        /// What happened instead, for the log.
        reason: String,
        /// How long the provider asks to be left alone.
        wait: Option<Duration>,
    },
    /// The provider does not let us ask. The operation itself may well stand.
    Refused(Failure),
}

/// Where a finished video is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It can be fetched from there.
    Url(Url),
    /// In the answer that says how the operation stands, in base64, at this [place](inline::pointer).
    Inline(String),
}

/// What became of the wish that an operation be given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The provider has given it up, or had ended it.
    Done,
    /// The provider knows no such thing, and was not asked.
    Impossible,
    /// Nobody knows.
    Unclear {
        /// What happened instead, for the log.
        reason: String,
    },
}

/// An API key: a text that can stand in a header, and is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Hidden);

impl ApiKey {
    /// A header's value that holds it after `prefix`, and is not shown either.
    fn header(&self, prefix: &str) -> Option<reqwest::header::HeaderValue> {
        // It is one: its form was checked when it was read.
        let mut value =
            reqwest::header::HeaderValue::from_str(&format!("{prefix}{}", self.0.reveal())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Setting for ApiKey {
    fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(Hidden::new(text)))
        } else {
            Err("must be plain characters without spaces".to_owned())
        }
    }
}

/// A service that makes videos. All methods may be dropped midway.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in commands and settings.
    fn name(&self) -> &'static str;

    /// How long a video usually takes, until the workflow has seen some.
    fn usual_latency(&self) -> Duration;

    /// Its own webhooks, if it is asked to send them.
    fn hook(&self) -> Option<&Hook> {
        None
    }

    /// Asks for a video: at most one request to the provider, whatever happens (I15).
    async fn submit(&self, submission: &Submission) -> Submitted;

    /// Asks how an operation stands: one request, and perhaps one that asks for the video's file.
    async fn poll(&self, operation: &Operation) -> Polled;

    /// Asks for an operation to be given up: at most one request, whose outcome nobody waits for.
    async fn cancel(&self, _operation: &Operation) -> Cancelled {
        Cancelled::Impossible
    }

    /// Fetches a finished video into a file: one request, and those that redirects lead to.
    async fn download(
        &self,
        operation: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError>;
}

/// How a provider is made from the variables.
type Make = fn(&Environment, &ProviderSettings) -> Result<Arc<dyn Provider>, SettingError>;

/// Every provider there is: its name, its variables, and how it is made.
const CATALOGUE: &[(&str, &[&[Variable]], Make)] = &[
    (veo3::NAME, veo3::VARIABLES, veo3::make),
    (omni::NAME, &[omni::Settings::VARIABLES, hook::OMNI], |environment, common| {
        let hook = Hook::omni(environment, common)?;
        Ok(Arc::new(omni::Omni::new(omni::Settings::read(environment)?, hook, common)))
    }),
    (generic::NAME, &[generic::Settings::VARIABLES, hook::GENERIC], |environment, common| {
        let hook = Hook::generic(environment, common)?;
        Ok(Arc::new(generic::Generic::new(generic::Settings::read(environment)?, hook, common)?))
    }),
];

/// The variables of all providers, for `--help`.
pub fn variables() -> impl Iterator<Item = &'static [Variable]> {
    let own = CATALOGUE.iter().flat_map(|(_, variables, _)| variables.iter().copied());
    std::iter::once(ProviderSettings::VARIABLES).chain(own)
}

/// The providers that are on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<&'static str, Arc<dyn Provider>>>);

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Providers {
    /// The providers that `PROVIDERS` names, each after its own variables; those of the others are not read.
    /// Speaks to nobody. Needs rustls's default provider to be installed.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let common = ProviderSettings::read(environment)?;
        let malformed = |reason: String| SettingError::Malformed { name: "PROVIDERS", reason };
        let mut providers = Vec::new();
        for wanted in &common.providers {
            let known = CATALOGUE.iter().find(|(name, ..)| name == wanted);
            let Some((_, _, make)) = known else {
                let names: Vec<_> = CATALOGUE.iter().map(|(name, ..)| *name).collect();
                return Err(malformed(format!("must be of: {}", names.join(", "))));
            };
            providers.push(make(environment, &common)?);
        }
        if providers.is_empty() {
            return Err(malformed("must name a provider".to_owned()));
        }
        Ok(Self::of(providers))
    }

    /// These providers.
    #[must_use]
    pub fn of(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        let watched = |provider: Arc<dyn Provider>| -> (_, Arc<dyn Provider>) {
            (provider.name(), Arc::new(Observed(provider)))
        };
        Self(Arc::new(providers.into_iter().map(watched).collect()))
    }

    /// The provider of this name, if it is on.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(name)
    }

    /// The names of those that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[(&str, &str)]) -> Result<Providers, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let map = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Providers::read(&Environment::from_map(map)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_named() {
        assert!(read(&[("PROVIDERS", "veo4")]).unwrap_err().contains("PROVIDERS is malformed"));
        assert!(read(&[]).unwrap_err().contains("VEO3_API_KEY is not set"));
        assert!(read(&[("VEO3_API_KEY", "kéy")]).unwrap_err().contains("VEO3_API_KEY is malformed"));
        let providers = read(&[("VEO3_API_KEY", "do-not-tell")]).unwrap();
        assert_eq!(providers.names().collect::<Vec<_>>(), ["veo3"]);
        assert!(providers.get("veo3").is_some() && providers.get("omni").is_none());
        let both = [("PROVIDERS", "veo3, omni"), ("VEO3_API_KEY", "a")];
        assert!(read(&both).unwrap_err().contains("OMNI_API_KEY is not set"));
        let both = [both[0], both[1], ("OMNI_API_KEY", "b")];
        assert_eq!(read(&both).unwrap().names().collect::<Vec<_>>(), ["omni", "veo3"]);
    }

    #[test]
    fn help_names_every_variable() {
        let names: Vec<_> = variables().flatten().map(|variable| variable.name).collect();
        for name in ["PROVIDERS", "VEO3_BASE_URL", "VEO3_API_KEY", "VEO3_MODEL", "OMNI_API_KEY"] {
            assert!(names.contains(&name), "{name}");
        }
    }
}
