//! The four parts of the system, where each listens, and the environment that each is given. Pure: nothing here
//! starts, opens or asks anything.

use std::{fmt, net::SocketAddr, path::PathBuf};

use foundation::settings::{Environment, SettingError};
use url::Url;

use crate::{providers::Providers, secrets::Secrets};

/// One process of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Api,
    Worker,
    Provider,
    S3,
}

impl Part {
    /// In the order in which they are stopped, the services at once: first whoever takes work in, last who is
    /// needed to end it.
    pub(crate) const ALL: [Self; 4] = [Self::Api, Self::Worker, Self::Provider, Self::S3];

    /// Whether it is one of ours that finishes what it is at, rather than something that these stand on.
    pub(crate) fn is_service(self) -> bool {
        matches!(self, Self::Api | Self::Worker)
    }

    /// The word for it on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Provider => "provider",
            Self::S3 => "s3",
        }
    }

    /// What it is, for a person.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Api => "api-service",
            Self::Worker => "worker-service",
            Self::Provider => "the simulated provider",
            Self::S3 => "the object storage",
        }
    }

    /// The setting that says where it listens.
    pub(crate) fn bind_setting(self) -> &'static str {
        match self {
            Self::Api => "API_BIND",
            Self::Worker => "WORKER_BIND",
            Self::Provider => "SIMULATOR_BIND",
            Self::S3 => "S3_BIND",
        }
    }

    /// The port that it has unless another is asked for.
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Api => 8080,
            Self::Worker => 8081,
            Self::Provider => 8082,
            Self::S3 => 8083,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Where each part is.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) api: SocketAddr,
    pub(crate) worker: SocketAddr,
    pub(crate) provider: Place,
    pub(crate) s3: Place,
}

/// Where a part is that may be somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A child of ours listens here.
    Ours(SocketAddr),
    /// It is somebody else's, there if that is known.
    Elsewhere(Option<Url>),
}

impl Places {
    /// Where a part of ours listens.
    pub(crate) fn of(&self, part: Part) -> Option<SocketAddr> {
        let ours = |place: &Place| match place {
            Place::Ours(address) => Some(*address),
            Place::Elsewhere(_) => None,
        };
        match part {
            Part::Api => Some(self.api),
            Part::Worker => Some(self.worker),
            Part::Provider => ours(&self.provider),
            Part::S3 => ours(&self.s3),
        }
    }
}

impl Place {
    /// Its address as others on this machine reach it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Ours(address) => url(*address),
            Self::Elsewhere(url) => url.as_ref().map_or("", Url::as_str).trim_end_matches('/').to_owned(),
        }
    }
}

/// The base URL of whoever listens on `address`, as it is reached from this machine.
pub(crate) fn url(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}", v6.port()),
        other => format!("http://{other}"),
    }
}

/// All that the environments of the parts follow from.
pub(crate) struct Plan<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) places: &'a Places,
    pub(crate) providers: &'a Providers,
    pub(crate) secrets: &'a Secrets,
    pub(crate) data_dir: PathBuf,
    /// PostgreSQL, if SQLite files are not wanted.
    pub(crate) database_url: Option<String>,
}

/// Variables that no part inherits: the database is the launcher's to choose, and each part has its own.
pub(crate) const NOT_INHERITED: &[&str] = &["DATABASE_URL", "DATABASE_URL_FILE"];

/// The bucket that the embedded storage has.
pub(crate) const BUCKET: &str = "reelay";

impl Plan<'_> {
    /// The variables that a part is given on top of the inherited ones. What the environment says already is not
    /// among them, except where the launcher has the last word: addresses and the database.
    pub(crate) fn variables(&self, part: Part) -> Result<Vec<(&'static str, String)>, SettingError> {
        let Places { api, worker, provider, s3 } = self.places;
        let mut own = Variables { environment: self.environment, list: Vec::new() };
        if let Some(address) = self.places.of(part) {
            own.set(part.bind_setting(), address.to_string());
        }
        own.set("NO_PROXY", self.without_proxy()?);
        match part {
            Part::Api => {
                own.set("DATABASE_URL", self.database(part));
                own.set("PROVIDERS", self.providers.setting());
                own.choose("WORKER_URL", url(*worker))?;
                own.choose("PUBLIC_URL", url(*api))?;
                own.set("ALLOWED_ORIGINS", self.origins()?);
                self.choose_secrets(&mut own)?;
                self.choose_storage(&mut own)?;
            }
            Part::Worker => {
                own.set("DATABASE_URL", self.database(part));
                // One address is not for two: the worker has its metrics beside its API.
                own.set("METRICS_BIND", String::new());
                own.set("METRICS_BIND_FILE", String::new());
                own.choose("WORKER_NAME", self.secrets.worker_name.clone())?;
                own.choose("WEBHOOK_URL", format!("{}/api/webhooks/worker", url(*api)))?;
                self.choose_secrets(&mut own)?;
                self.choose_storage(&mut own)?;
                own.set("PROVIDERS", self.providers.setting());
                for (name, value) in self.providers.variables(&provider.url()) {
                    own.choose(name, value)?;
                }
                // The simulator tells when a video is done. A real provider reaches nothing on this machine, and is
                // asked for no webhooks unless it is set up for them.
                let is_near = worker.ip().is_loopback() || worker.ip().is_unspecified();
                if self.providers.some_simulated() && is_near {
                    own.choose("PROVIDER_WEBHOOK_URL", url(*worker))?;
                }
            }
            Part::Provider => {
                own.choose("SIMULATOR_DATA_DIR", self.folder("provider"))?;
            }
            Part::S3 => {
                own.choose("S3_DATA_DIR", self.folder("objects"))?;
                self.choose_storage(&mut own)?;
            }
        }
        debug_assert!(matches!(s3, Place::Ours(_)) || part != Part::S3, "not ours to start");
        Ok(own.list)
    }

    fn choose_secrets(&self, own: &mut Variables<'_>) -> Result<(), SettingError> {
        own.choose("WORKER_API_SECRETS", self.secrets.worker_api_secret.clone())?;
        own.choose("WEBHOOK_SECRETS", self.secrets.webhook_secret.clone())
    }

    /// How to reach the embedded storage. Another one is described by the environment alone.
    fn choose_storage(&self, own: &mut Variables<'_>) -> Result<(), SettingError> {
        if matches!(self.places.s3, Place::Ours(_)) {
            own.set("S3_ENDPOINT", self.places.s3.url());
            own.choose("S3_REGION", "us-east-1".to_owned())?;
            own.choose("S3_BUCKET", BUCKET.to_owned())?;
            own.choose("S3_ACCESS_KEY_ID", self.secrets.s3_access_key_id.clone())?;
            own.choose("S3_SECRET_ACCESS_KEY", self.secrets.s3_secret_access_key.clone())?;
        }
        Ok(())
    }

    fn database(&self, part: Part) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.folder(&format!("{}.sqlite", part.name()))),
        }
    }

    fn folder(&self, name: &str) -> String {
        self.data_dir.join(name).display().to_string()
    }

    /// The page may be opened under either name of this machine.
    fn origins(&self) -> Result<String, SettingError> {
        let port = self.places.api.port();
        let given = self.environment.text("ALLOWED_ORIGINS")?;
        let own = [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")];
        Ok(given.into_iter().chain(own).collect::<Vec<_>>().join(","))
    }

    /// The parts speak to each other directly, however this machine reaches the world.
    fn without_proxy(&self) -> Result<String, SettingError> {
        let given = match self.environment.text("NO_PROXY")? {
            Some(given) => Some(given),
            None => self.environment.text("no_proxy")?,
        };
        let own = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        Ok(given.into_iter().chain(own).collect::<Vec<_>>().join(","))
    }
}

struct Variables<'a> {
    environment: &'a Environment,
    list: Vec<(&'static str, String)>,
}

impl Variables<'_> {
    /// The launcher has the last word.
    fn set(&mut self, name: &'static str, value: String) {
        self.list.push((name, value));
    }

    /// The environment, or a file that it names, has the last word.
    fn choose(&mut self, name: &'static str, value: String) -> Result<(), SettingError> {
        if self.environment.text(name)?.is_none() {
            self.list.push((name, value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn variables(
        part: Part,
        environment: &[(&str, &str)],
        database: Option<&str>,
    ) -> HashMap<&'static str, String> {
        let environment = Environment::from_map(
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        );
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let s3 = environment.optional::<Url>("S3_ENDPOINT").unwrap();
        let providers = Providers::read(&environment).unwrap();
        let ours = Place::Ours(address(3));
        let places = Places {
            api: address(1),
            worker: address(2),
            provider: if providers.some_simulated() { ours } else { Place::Elsewhere(None) },
            s3: s3.map_or(Place::Ours(address(4)), |url| Place::Elsewhere(Some(url))),
        };
        let secrets = Secrets::new();
        let plan = Plan {
            environment: &environment,
            places: &places,
            providers: &providers,
            secrets: &secrets,
            data_dir: PathBuf::from("/data"),
            database_url: database.map(str::to_owned),
        };
        plan.variables(part).unwrap().into_iter().collect()
    }

    #[test]
    fn each_service_has_its_own_file_or_both_share_a_database() {
        assert_eq!(variables(Part::Api, &[], None)["DATABASE_URL"], "sqlite:///data/api.sqlite");
        assert_eq!(variables(Part::Worker, &[], None)["DATABASE_URL"], "sqlite:///data/worker.sqlite");
        let shared = Some("postgres://db/reelay");
        for part in [Part::Api, Part::Worker] {
            let inherited = variables(part, &[("DATABASE_URL", "postgres://other/db")], shared);
            assert_eq!(inherited["DATABASE_URL"], "postgres://db/reelay");
        }
        assert!(!variables(Part::S3, &[], shared).contains_key("DATABASE_URL"));
    }

    #[test]
    fn the_parts_know_each_others_addresses() {
        let api = variables(Part::Api, &[], None);
        assert_eq!(api["API_BIND"], "127.0.0.1:1");
        assert_eq!(api["WORKER_URL"], "http://127.0.0.1:2");
        assert_eq!(api["ALLOWED_ORIGINS"], "http://localhost:1,http://127.0.0.1:1");
        let worker = variables(Part::Worker, &[], None);
        assert_eq!(worker["WEBHOOK_URL"], "http://127.0.0.1:1/api/webhooks/worker");
        assert_eq!(worker["VEO3_BASE_URL"], "http://127.0.0.1:3");
        assert_eq!(worker["OMNI_BASE_URL"], "http://127.0.0.1:3");
        assert_eq!(worker["PROVIDER_WEBHOOK_URL"], "http://127.0.0.1:2");
        assert_eq!(worker["VEO3_WEBHOOK_JWKS_URL"], "http://127.0.0.1:3/.well-known/jwks.json");
        assert_eq!(
            (&worker["PROVIDERS"], &api["PROVIDERS"]),
            (&"veo3,omni".to_owned(), &"veo3,omni".to_owned())
        );
        assert_eq!(worker["S3_ENDPOINT"], "http://127.0.0.1:4");
    }

    #[test]
    fn a_real_provider_is_asked_for_no_webhooks_by_the_launcher() {
        let worker = variables(Part::Worker, &[("OMNI_API_KEY", "k")], None);
        for name in ["PROVIDER_WEBHOOK_URL", "OMNI_WEBHOOK_JWKS_URL", "VEO3_WEBHOOK_JWKS_URL"] {
            assert!(!worker.contains_key(name), "{name}");
        }
        let given = [("PROVIDER_WEBHOOK_URL", "https://worker.example")];
        assert!(!variables(Part::Worker, &given, None).contains_key("PROVIDER_WEBHOOK_URL"));
    }

    #[test]
    fn the_environment_wins() {
        let api = variables(
            Part::Api,
            &[
                ("PUBLIC_URL", "https://reelay.example"),
                ("ALLOWED_ORIGINS", "https://a.example"),
                ("S3_BUCKET", "b"),
            ],
            None,
        );
        assert!(!api.contains_key("PUBLIC_URL") && !api.contains_key("S3_BUCKET"));
        assert_eq!(api["ALLOWED_ORIGINS"], "https://a.example,http://localhost:1,http://127.0.0.1:1");
    }

    #[test]
    fn the_address_of_metrics_is_the_apis_alone() {
        let given = [("METRICS_BIND", "127.0.0.1:9"), ("METRICS_BIND_FILE", "/run/metrics")];
        let worker = variables(Part::Worker, &given, None);
        assert_eq!((worker["METRICS_BIND"].as_str(), worker["METRICS_BIND_FILE"].as_str()), ("", ""));
        assert!(!variables(Part::Api, &given, None).contains_key("METRICS_BIND"), "inherited as it is");
    }

    #[test]
    fn another_provider_or_storage_is_described_by_the_environment_alone() {
        let environment =
            [("VEO3_BASE_URL", "https://provider.example"), ("S3_ENDPOINT", "https://s3.example")];
        let worker = variables(Part::Worker, &environment, None);
        for name in
            ["VEO3_BASE_URL", "VEO3_API_KEY", "S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY_ID"]
        {
            assert!(!worker.contains_key(name), "{name}");
        }
    }

    #[test]
    fn an_address_for_everybody_is_reached_on_this_machine() {
        assert_eq!(url("0.0.0.0:8080".parse().unwrap()), "http://127.0.0.1:8080");
        assert_eq!(url("[::]:8080".parse().unwrap()), "http://[::1]:8080");
        assert_eq!(url("127.0.0.1:80".parse().unwrap()), "http://127.0.0.1:80");
    }
}
