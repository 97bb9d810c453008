//! The providers that make videos: what is asked of each ([`Provider`]), which of them are on, and their
//! settings. A provider knows its wire protocol and nothing of jobs, leases or storage; it tells what happened
//! in our terms, and the [workflow](crate::workflow) decides what follows from it.
//!
//! Another provider is one file beside `veo3/` and one line in [`CATALOGUE`].

mod fetch;
pub mod google;
pub mod guard;
pub mod veo3;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use contract::{JobId, Parameters, worker_api::JobError};
use foundation::settings::{Environment, SettingError, Variable};
use url::Url;

pub use self::veo3::{Settings as Veo3Settings, Veo3};
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
    /// The provider says that it came to nothing.
    Failed(Failure),
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
pub struct Source(pub Url);

/// A service that makes videos. All methods may be dropped midway.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in commands and settings.
    fn name(&self) -> &'static str;

    /// How long a video usually takes, until the workflow has seen some.
    fn usual_latency(&self) -> Duration;

    /// Asks for a video: at most one request to the provider, whatever happens (I15).
    async fn submit(&self, submission: &Submission) -> Submitted;

    /// Asks how an operation stands: one request.
    async fn poll(&self, operation: &Operation) -> Polled;

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
const CATALOGUE: &[(&str, &[Variable], Make)] =
    &[(veo3::NAME, Veo3Settings::VARIABLES, |environment, common| {
        Ok(Arc::new(Veo3::new(Veo3Settings::read(environment)?, common)))
    })];

/// The variables of all providers, for `--help`.
pub fn variables() -> impl Iterator<Item = &'static [Variable]> {
    let own = CATALOGUE.iter().map(|(_, variables, _)| *variables);
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
        let named = providers.into_iter().map(|provider| (provider.name(), provider));
        Self(Arc::new(named.collect()))
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
    }

    #[test]
    fn help_names_every_variable() {
        let names: Vec<_> = variables().flatten().map(|variable| variable.name).collect();
        for name in ["PROVIDERS", "VEO3_BASE_URL", "VEO3_API_KEY", "VEO3_MODEL"] {
            assert!(names.contains(&name), "{name}");
        }
    }
}
