//! The system under test: started by the launcher, or as separate processes with their own settings.

use std::{collections::BTreeMap, path::Path};

use foundation::testing::{PostgresServer, TestDatabase};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use super::{
    Client, Process,
    balancer::Balancer,
    disk::Disk,
    eventually,
    log::LogFile,
    ports::Port,
    process::{Recipe, is_alive},
    proxy::Proxy,
};

/// The secrets of docker-compose.yml, known to everybody.
pub(crate) const WORKER_API_SECRET: &str = "whsec_cmVlbGF5LWRldmVsb3BtZW50LW9ubHktYXBpLXNlY3JldA==";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_cmVlbGF5LWRldmVsb3BtZW50LW9ubHktd2ViaG9vay1zZWNyZXQ=";

/// What the provider's webhooks may be signed with, beside the simulator's own key.
pub(crate) const PROVIDER_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The bucket, and the secret of its key.
pub(crate) const BUCKET: &str = "reelay";
pub(crate) const STORAGE_SECRET: &str = "reelay-development-only";

/// Which database the services keep their data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A running system. Dropping it ends all of its processes and removes its data.
pub(crate) struct System {
    pub(crate) api: String,
    pub(crate) worker: String,
    pub(crate) provider: String,
    pub(crate) webhook_secret: String,
    pub(crate) worker_api_secret: String,
    /// By name; the launcher's own are its business.
    pub(crate) processes: BTreeMap<&'static str, Process>,
    /// The line of `--json`, if the launcher started it.
    pub(crate) facts: Value,
    /// Whether one of them has died at its start, as it was asked to, and was started again.
    pub(crate) crashed: bool,
    logs: Vec<LogFile>,
    wires: BTreeMap<&'static str, Proxy>,
    _balancers: BTreeMap<&'static str, Balancer>,
    _ports: Vec<Port>,
    // In this order: the processes are gone before their data is.
    pub(crate) database: Option<TestDatabase>,
    pub(crate) server: Option<PostgresServer>,
    pub(crate) folder: TempDir,
    pub(crate) disk: Option<Disk>,
}

/// What stands between those who speak to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Nothing,
    /// Wires that a test can cut.
    Wires,
    /// A balancer before the replicas of each service.
    Balancers,
}

/// How a system of separate processes is put together.
pub(crate) struct Build {
    pub(crate) backend: Backend,
    /// Of each service.
    pub(crate) replicas: usize,
    /// Settings that every process is given.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Settings, or other variables, that one process is given besides, by its name.
    pub(crate) own: Vec<(&'static str, &'static str, String)>,
    /// The services are programs of their own, as in a deployment, rather than parts of the launcher.
    pub(crate) own_programs: bool,
    /// The worker takes the storage for one at Cloudflare, by its address; a proxy brings it to ours.
    pub(crate) on_r2: bool,
    /// Veo tells the worker by itself when a video is done; otherwise it is only polled.
    pub(crate) hints: bool,
    /// What stands between the parties.
    pub(crate) between: Between,
    /// A PostgreSQL server of its own, in place of the one that all tests share.
    pub(crate) server: Option<PostgresServer>,
    /// The disk that all of it lies on, if it is not the machine's.
    pub(crate) disk: Option<Disk>,
    /// Ports that others than its processes listen on.
    pub(crate) ports: Vec<Port>,
}

/// The names of the wires between the parties, from who speaks to who listens.
pub(crate) mod wire {
    pub(crate) const USER_TO_API: &str = "user-api";
    pub(crate) const API_TO_WORKER: &str = "api-worker";
    pub(crate) const WORKER_TO_API: &str = "worker-api";
    pub(crate) const WORKER_TO_PROVIDER: &str = "worker-provider";
    pub(crate) const WORKER_TO_STORAGE: &str = "worker-storage";
    /// Only where there are hints.
    pub(crate) const PROVIDER_TO_WORKER: &str = "provider-worker";
    pub(crate) const API_TO_DATABASE: &str = "api-database";
    pub(crate) const WORKER_TO_DATABASE: &str = "worker-database";
}

impl Build {
    pub(crate) fn on(backend: Backend) -> Self {
        Self {
            backend,
            replicas: 1,
            settings: Vec::new(),
            own: Vec::new(),
            own_programs: false,
            on_r2: false,
            hints: false,
            between: Between::Nothing,
            server: None,
            disk: None,
            ports: Vec::new(),
        }
    }

    /// The same with the settings that make timers fit a test, and some more.
    pub(crate) fn quick(self, settings: &[(&'static str, &str)]) -> Self {
        let all = QUICK.iter().chain(settings).map(|(name, value)| (*name, (*value).to_owned()));
        Self { settings: all.collect(), ..self }
    }

    /// Starts everything and waits until all of it is ready.
    pub(crate) async fn start(self) -> System {
        let folder = match &self.disk {
            Some(disk) => tempfile::tempdir_in(disk.path()),
            None => tempfile::tempdir(),
        };
        let folder = folder.unwrap();
        let database = match (self.backend, &self.server) {
            (Backend::Sqlite, _) => None,
            (Backend::Postgres, None) => Some(TestDatabase::postgres().await),
            (Backend::Postgres, Some(server)) => Some(TestDatabase::on(&server.url()).await),
        };
        let ports: Vec<Port> = (0..2 + 2 * self.replicas).map(|_| Port::take()).collect();
        let (storage, simulator) = (&ports[0], &ports[1]);
        let (apis, workers) = ports[2..].split_at(self.replicas);

        let mut wires = BTreeMap::new();
        if self.between == Between::Wires {
            let ends = [
                (wire::USER_TO_API, apis[0].bind()),
                (wire::API_TO_WORKER, workers[0].bind()),
                (wire::WORKER_TO_API, apis[0].bind()),
                (wire::WORKER_TO_PROVIDER, simulator.bind()),
                (wire::WORKER_TO_STORAGE, storage.bind()),
            ];
            let hints = self.hints.then(|| (wire::PROVIDER_TO_WORKER, workers[0].bind()));
            for (name, end) in ends.into_iter().chain(hints) {
                wires.insert(name, Proxy::to(end.parse().unwrap()).await);
            }
            if let Some(database) = &database {
                let url = Url::parse(&database.url()).unwrap();
                let end = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
                for name in [wire::API_TO_DATABASE, wire::WORKER_TO_DATABASE] {
                    wires.insert(name, Proxy::to(end.parse().unwrap()).await);
                }
            }
        }
        let mut balancers = BTreeMap::new();
        if self.between == Between::Balancers {
            for (name, replicas) in [(wire::USER_TO_API, apis), (wire::API_TO_WORKER, workers)] {
                let addresses = replicas.iter().map(|port| port.bind().parse().unwrap());
                balancers.insert(name, Balancer::before(addresses).await);
            }
        }
        let reached = |name: &str, port: &Port| {
            let balanced = match name {
                wire::WORKER_TO_API => balancers.get(wire::USER_TO_API),
                wire::PROVIDER_TO_WORKER => balancers.get(wire::API_TO_WORKER),
                name => balancers.get(name),
            };
            let wired = || wires.get(name).map_or_else(|| port.url(), Proxy::url);
            balanced.map_or_else(wired, Balancer::url)
        };
        let database_url = |file: &str, name: &str| match (&database, wires.get(name)) {
            (None, _) => format!("sqlite://{}", folder.path().join(file).display()),
            (Some(database), None) => database.url(),
            (Some(database), Some(proxy)) => {
                let mut url = Url::parse(&database.url()).unwrap();
                let address: std::net::SocketAddr = proxy.address().parse().unwrap();
                url.set_host(Some(&address.ip().to_string())).unwrap();
                url.set_port(Some(address.port())).unwrap();
                url.into()
            }
        };

        let s3 = |endpoint: String| {
            [
                ("S3_ENDPOINT", endpoint),
                ("S3_REGION", "us-east-1".to_owned()),
                ("S3_BUCKET", BUCKET.to_owned()),
                ("S3_ACCESS_KEY_ID", "reelay".to_owned()),
                ("S3_SECRET_ACCESS_KEY", STORAGE_SECRET.to_owned()),
                ("S3_PUBLIC_ENDPOINT", storage.url()),
            ]
        };
        let shared = [("WORKER_API_SECRETS", WORKER_API_SECRET), ("WEBHOOK_SECRETS", WEBHOOK_SECRET)];
        let with_settings = |recipe: Recipe, name: &'static str| {
            let own = self.own.iter().filter(|(whose, ..)| *whose == name);
            recipe
                .with(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
                .with(own.map(|(_, name, value)| (*name, value.as_str())))
        };
        let log = |name: &str| folder.path().join(format!("{name}.log"));
        let part = |part: &str, name: &'static str| {
            with_settings(Recipe::new(&["run", part, "--end-with-parent"], &log(name)), name)
        };
        let service = |kind: &str, name: &'static str, port: &Port| {
            if !self.own_programs {
                return part(kind, name);
            }
            with_settings(Recipe::service(&format!("{kind}-service"), port.url(), &log(name)), name)
        };
        let mut recipes = vec![
            (
                "simulator",
                part("provider", "simulator").with([
                    ("SIMULATOR_BIND", simulator.bind()),
                    ("SIMULATOR_DATA_DIR", folder.path().join("simulator").display().to_string()),
                ]),
            ),
            (
                "storage",
                part("s3", "storage").with(s3(storage.url())).with([
                    ("S3_BIND", storage.bind()),
                    ("S3_DATA_DIR", folder.path().join("objects").display().to_string()),
                ]),
            ),
        ];
        for ((index, api), worker) in apis.iter().enumerate().zip(workers) {
            let (api_name, worker_name) = (["api", "api-2"][index], ["worker", "worker-2"][index]);
            let api_recipe = service("api", api_name, api).with(s3(storage.url())).with(shared).with([
                ("API_BIND", api.bind()),
                ("DATABASE_URL", database_url("api.sqlite", wire::API_TO_DATABASE)),
                ("PUBLIC_URL", api.url()),
                ("WORKER_URL", reached(wire::API_TO_WORKER, worker)),
            ]);
            let temporary = folder.path().join(format!("{worker_name}-tmp"));
            std::fs::create_dir(&temporary).unwrap();
            let storage = reached(wire::WORKER_TO_STORAGE, storage);
            let at_cloudflare = [
                ("S3_ENDPOINT", "http://account.r2.cloudflarestorage.com".to_owned()),
                ("HTTP_PROXY", storage.clone()),
                ("NO_PROXY", "127.0.0.1".to_owned()),
            ];
            let provider = reached(wire::WORKER_TO_PROVIDER, simulator);
            let hinted = [
                ("PROVIDER_WEBHOOK_URL", reached(wire::PROVIDER_TO_WORKER, worker)),
                ("VEO3_WEBHOOK_JWKS_URL", format!("{provider}/.well-known/jwks.json")),
                ("VEO3_WEBHOOK_SECRETS", PROVIDER_SECRET.to_owned()),
            ];
            let worker_recipe = service("worker", worker_name, worker)
                .with(s3(storage))
                .with(shared)
                .with(at_cloudflare.into_iter().filter(|_| self.on_r2))
                .with(hinted.into_iter().filter(|_| self.hints))
                .with([
                    ("WORKER_BIND", worker.bind()),
                    ("DATABASE_URL", database_url("worker.sqlite", wire::WORKER_TO_DATABASE)),
                    ("WEBHOOK_URL", format!("{}/api/webhooks/worker", reached(wire::WORKER_TO_API, api))),
                    ("WORKER_TEMP_DIR", temporary.display().to_string()),
                    ("PROVIDERS", "veo3,omni".to_owned()),
                    ("VEO3_BASE_URL", provider.clone()),
                    ("VEO3_API_KEY", "simulator".to_owned()),
                    ("VEO3_USUAL_LATENCY", "2s".to_owned()),
                    ("OMNI_BASE_URL", provider),
                    ("OMNI_API_KEY", "simulator".to_owned()),
                    ("OMNI_USUAL_LATENCY", "2s".to_owned()),
                ]);
            recipes.push((api_name, api_recipe));
            recipes.push((worker_name, worker_recipe));
        }
        let mut crashed = false;
        let starting = recipes.iter().map(|(_, recipe)| recipe.try_to_start());
        let mut processes = BTreeMap::new();
        for ((name, recipe), process) in recipes.iter().zip(futures_util::future::join_all(starting).await) {
            let process = match process {
                Some(process) => process,
                // The point at which it was to die lies before that at which it is ready.
                None if recipe.environment.contains_key("CRASH_AT") => {
                    crashed = true;
                    let mut harmless = recipe.clone();
                    harmless.environment.remove("CRASH_AT");
                    harmless.start().await
                }
                None => panic!("{name} ended before it was ready:\n{}", recipe.log().tail()),
            };
            processes.insert(*name, process);
        }
        let logs = recipes.iter().map(|(_, recipe)| recipe.log());
        System {
            crashed,
            api: reached(wire::USER_TO_API, &apis[0]),
            worker: workers[0].url(),
            provider: simulator.url(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            worker_api_secret: WORKER_API_SECRET.to_owned(),
            processes,
            facts: Value::Null,
            logs: logs.collect(),
            wires,
            _balancers: balancers,
            _ports: ports.into_iter().chain(self.ports).collect(),
            database,
            server: self.server,
            folder,
            disk: self.disk,
        }
    }
}

/// Settings that make the services' timers fit a test, but change nothing of what they do.
pub(crate) const QUICK: &[(&str, &str)] = &[
    ("LOG_FORMAT", "json"),
    ("RUST_LOG", "info,reelay=debug,actix_server=warn"),
    ("SIMULATOR_LATENCY", "2s"),
    ("JOB_RETRY_DELAYS", "500ms"),
    ("RECONCILE_EVERY", "2s"),
    ("RECONCILE_SILENCE", "5s"),
];

impl System {
    /// Starts the launcher on free ports, with additional settings in its environment.
    pub(crate) async fn launched(backend: Backend, settings: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(TestDatabase::postgres().await),
        };
        let recipe = launcher(folder.path(), database.as_ref()).with(settings.iter().copied());
        let launcher = recipe.start().await;
        let facts: Value = serde_json::from_str(&launcher.line).unwrap();
        let text =
            |name: &str| facts[name].as_str().unwrap_or_else(|| panic!("no {name} in {facts}")).to_owned();
        Self {
            api: text("api"),
            worker: text("worker"),
            provider: text("provider"),
            webhook_secret: text("webhookSecret"),
            worker_api_secret: text("workerApiSecret"),
            logs: vec![launcher.log()],
            processes: [("launcher", launcher)].into(),
            facts,
            crashed: false,
            wires: BTreeMap::new(),
            _balancers: BTreeMap::new(),
            _ports: Vec::new(),
            database,
            server: None,
            folder,
            disk: None,
        }
    }

    /// Starts each part by itself, with the settings of docker-compose.yml.
    pub(crate) async fn separate(backend: Backend, settings: &[(&'static str, &str)]) -> Self {
        Self::replicated(backend, 1, settings).await
    }

    /// The same with several replicas of each service, all started at once; `api` is the first replica's.
    pub(crate) async fn replicated(
        backend: Backend,
        replicas: usize,
        settings: &[(&'static str, &str)],
    ) -> Self {
        Build { replicas, ..Build::on(backend) }.quick(settings).start().await
    }

    /// What each of its processes logs.
    pub(crate) fn logs(&self) -> &[LogFile] {
        &self.logs
    }

    /// Keeps its logs where they outlive it, and says where.
    pub(crate) fn keep_logs(&self) {
        for log in &self.logs {
            eprintln!("--- {}", log.kept().display());
        }
    }

    /// The names of its wires.
    pub(crate) fn wires(&self) -> impl Iterator<Item = &'static str> {
        self.wires.keys().copied()
    }

    /// One of its wires.
    pub(crate) fn wire(&self, name: &str) -> &Proxy {
        &self.wires[name]
    }

    /// The names of a service's replicas that are there.
    pub(crate) fn replicas(&self, service: &str) -> Vec<&'static str> {
        self.processes.keys().copied().filter(|name| name.split('-').next() == Some(service)).collect()
    }

    /// One of its processes.
    pub(crate) fn process(&mut self, name: &str) -> &mut Process {
        self.processes.get_mut(name).unwrap()
    }

    /// Somebody with a new account.
    pub(crate) async fn user(&self) -> Client {
        Client::registered(&self.api).await
    }

    /// The submissions that the provider accepted of a prompt with this in it.
    pub(crate) async fn submissions(&self, prompt: &str) -> usize {
        use sha2::{Digest, Sha256};
        let wanted =
            Sha256::digest(prompt).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let all = self.ledger().await;
        all.iter().filter(|submission| submission["promptSha256"] == wanted.as_str()).count()
    }

    /// Every submission that the provider accepted.
    pub(crate) async fn ledger(&self) -> Vec<Value> {
        let ledger: Value =
            reqwest::get(format!("{}/ledger", self.provider)).await.unwrap().json().await.unwrap();
        ledger["submissions"].as_array().unwrap().clone()
    }

    /// An event with this message, if there is one.
    pub(crate) fn logged(&self, message: &str) -> Option<Value> {
        self.events().into_iter().find(|event| event["message"] == message)
    }

    /// Waits for such an event.
    pub(crate) async fn until_logged(&self, message: &str) {
        eventually(&format!("{message} is logged"), async || self.logged(message)).await;
    }

    /// Every event that any of its processes logged.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.logs.iter().flat_map(LogFile::events).collect()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in &self.logs {
                eprintln!("--- {}\n{}", log.kept().display(), log.tail());
            }
        }
        // The launcher's children end with it, but not before it; their data must not be taken from under them.
        let children: Vec<u32> = self.children();
        self.processes.clear();
        let begun = std::time::Instant::now();
        while children.iter().any(|pid| is_alive(*pid)) && begun.elapsed() < super::LIMIT {
            std::thread::sleep(super::LOOK);
        }
    }
}

impl System {
    /// The ids of the launcher's children as they were at its start.
    pub(crate) fn children(&self) -> Vec<u32> {
        let pids = self.facts["pids"].as_object();
        pids.into_iter()
            .flat_map(|pids| pids.values())
            .filter_map(|pid| pid.as_u64()?.try_into().ok())
            .collect()
    }

    /// Waits until none of the launcher's first children is left.
    pub(crate) async fn children_are_gone(&self) {
        let children = self.children();
        assert!(!children.is_empty());
        eventually("the children have ended", async || {
            (!children.iter().any(|pid| is_alive(*pid))).then_some(())
        })
        .await;
    }
}

/// The launcher on free ports and a folder.
pub(crate) fn launcher(folder: &Path, database: Option<&TestDatabase>) -> Recipe {
    let data = folder.join("data").display().to_string();
    let mut arguments = vec!["up", "--json", "--data-dir", &data];
    for option in ["--api-port", "--worker-port", "--s3-port", "--provider-port"] {
        arguments.extend([option, "0"]);
    }
    let url = database.map(TestDatabase::url);
    if let Some(url) = &url {
        arguments.extend(["--database-url", url]);
    }
    Recipe::new(&arguments, &folder.join("launcher.log")).with(QUICK.iter().copied())
}
