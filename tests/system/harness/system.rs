//! The system under test: started by the launcher, or as separate processes with their own settings.

use std::{collections::BTreeMap, path::Path};

use foundation::testing::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    Client, Process, eventually,
    log::LogFile,
    ports::Port,
    process::{Recipe, is_alive},
};

/// The secrets of docker-compose.yml, known to everybody.
pub(crate) const WORKER_API_SECRET: &str = "whsec_cmVlbGF5LWRldmVsb3BtZW50LW9ubHktYXBpLXNlY3JldA==";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_cmVlbGF5LWRldmVsb3BtZW50LW9ubHktd2ViaG9vay1zZWNyZXQ=";

/// Which database the services keep their data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// How the parts are put together, where a test does not let the launcher do it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assembly<'a> {
    pub(crate) backend: Backend,
    /// Of each service.
    pub(crate) replicas: usize,
    /// For all parts.
    pub(crate) settings: &'a [(&'static str, &'a str)],
    /// The services are programs of their own, as in a deployment, rather than parts of the launcher.
    pub(crate) own_programs: bool,
    /// The worker takes the storage for one at Cloudflare, by its address; a proxy brings it to ours.
    pub(crate) on_r2: bool,
}

impl Assembly<'_> {
    pub(crate) const fn of(backend: Backend) -> Self {
        Self { backend, replicas: 1, settings: &[], own_programs: false, on_r2: false }
    }
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
    logs: Vec<LogFile>,
    _ports: Vec<Port>,
    // In this order: the processes are gone before their data is.
    _database: Option<TestDatabase>,
    pub(crate) folder: TempDir,
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
            _ports: Vec::new(),
            _database: database,
            folder,
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
        Self::assembled(Assembly { replicas, settings, ..Assembly::of(backend) }).await
    }

    pub(crate) async fn assembled(assembly: Assembly<'_>) -> Self {
        let Assembly { backend, replicas, settings, own_programs, on_r2 } = assembly;
        let folder = tempfile::tempdir().unwrap();
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(TestDatabase::postgres().await),
        };
        let url = |file: &str| match &database {
            Some(database) => database.url(),
            None => format!("sqlite://{}", folder.path().join(file).display()),
        };
        let ports: Vec<Port> = (0..2 + 2 * replicas).map(|_| Port::take()).collect();
        let (storage, simulator) = (&ports[0], &ports[1]);
        let (apis, workers) = ports[2..].split_at(replicas);

        let s3 = [
            ("S3_ENDPOINT", storage.url()),
            ("S3_REGION", "us-east-1".to_owned()),
            ("S3_BUCKET", "reelay".to_owned()),
            ("S3_ACCESS_KEY_ID", "reelay".to_owned()),
            ("S3_SECRET_ACCESS_KEY", "reelay-development-only".to_owned()),
            ("S3_PUBLIC_ENDPOINT", storage.url()),
        ];
        let shared = [("WORKER_API_SECRETS", WORKER_API_SECRET), ("WEBHOOK_SECRETS", WEBHOOK_SECRET)];
        let part = |name: &str, log: &str| {
            Recipe::new(&["run", name, "--end-with-parent"], &folder.path().join(log))
                .with(QUICK.iter().copied())
                .with(settings.iter().copied())
        };
        let service = |name: &str, log: &str, port: &Port| {
            if !own_programs {
                return part(name, log);
            }
            Recipe::service(&format!("{name}-service"), port.url(), &folder.path().join(log))
                .with(QUICK.iter().copied())
                .with(settings.iter().copied())
        };
        let mut recipes = vec![
            (
                "simulator",
                part("provider", "simulator.log").with([
                    ("SIMULATOR_BIND", simulator.bind()),
                    ("SIMULATOR_DATA_DIR", folder.path().join("simulator").display().to_string()),
                ]),
            ),
            (
                "storage",
                part("s3", "storage.log").with(s3.clone()).with([
                    ("S3_BIND", storage.bind()),
                    ("S3_DATA_DIR", folder.path().join("objects").display().to_string()),
                ]),
            ),
        ];
        for ((index, api), worker) in apis.iter().enumerate().zip(workers) {
            let api_recipe =
                service("api", ["api.log", "api-2.log"][index], api).with(s3.clone()).with(shared).with([
                    ("API_BIND", api.bind()),
                    ("DATABASE_URL", url("api.sqlite")),
                    ("PUBLIC_URL", api.url()),
                    ("WORKER_URL", worker.url()),
                ]);
            let at_cloudflare = [
                ("S3_ENDPOINT", "http://account.r2.cloudflarestorage.com".to_owned()),
                ("HTTP_PROXY", storage.url()),
                ("NO_PROXY", "127.0.0.1".to_owned()),
            ];
            let worker_s3 = s3.clone().into_iter().chain(at_cloudflare.into_iter().filter(|_| on_r2));
            let worker_recipe = service("worker", ["worker.log", "worker-2.log"][index], worker)
                .with(worker_s3)
                .with(shared)
                .with([
                    ("WORKER_BIND", worker.bind()),
                    ("DATABASE_URL", url("worker.sqlite")),
                    ("WEBHOOK_URL", format!("{}/api/webhooks/worker", api.url())),
                    ("PROVIDERS", "veo3".to_owned()),
                    ("VEO3_BASE_URL", simulator.url()),
                    ("VEO3_API_KEY", "simulator".to_owned()),
                ]);
            recipes.push((["api", "api-2"][index], api_recipe));
            recipes.push((["worker", "worker-2"][index], worker_recipe));
        }
        let started = futures_util::future::join_all(recipes.iter().map(|(_, recipe)| recipe.start())).await;
        let names = recipes.iter().map(|(name, _)| *name);
        let logs = recipes.iter().map(|(_, recipe)| recipe.log());
        Self {
            api: apis[0].url(),
            worker: workers[0].url(),
            provider: simulator.url(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            worker_api_secret: WORKER_API_SECRET.to_owned(),
            processes: names.zip(started).collect(),
            facts: Value::Null,
            logs: logs.collect(),
            _ports: ports,
            _database: database,
            folder,
        }
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
        let ledger: Value =
            reqwest::get(format!("{}/ledger", self.provider)).await.unwrap().json().await.unwrap();
        let wanted =
            Sha256::digest(prompt).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let all = ledger["submissions"].as_array().unwrap();
        all.iter().filter(|submission| submission["promptSha256"] == wanted.as_str()).count()
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
