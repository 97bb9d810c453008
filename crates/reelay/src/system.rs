//! The whole system: four parts as child processes, started together, kept alive, stopped in order.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use foundation::{
    database::DatabaseUrl,
    settings::{Environment, SettingError},
};
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    account,
    child::{Child, Log, Recipe, StartError, keep_alive},
    cli::UpOptions,
    data_dir::DataDir,
    part::{BUCKET, Part, Place, Plan},
    ports::{Chosen, is_taken},
    secrets::Secrets,
};

/// How much longer than they themselves allow the services may take to stop.
const STOP_SPARE: Duration = Duration::from_secs(2);
/// How long the parts may take that they stand on, one after the other: these have nothing to finish.
const PART_STOP: Duration = Duration::from_secs(3);
/// How often free ports are chosen anew because somebody else was faster.
const MOST_CHOICES: usize = 5;

/// A running system. Dropping it ends its processes at once; [`System::stop`] does it in order.
#[derive(Debug)]
pub(crate) struct System {
    data_dir: Arc<DataDir>,
    running: Vec<Running>,
    pids: Arc<Mutex<BTreeMap<Part, u32>>>,
    all_simulated: bool,
    facts: Facts,
}

#[derive(Debug)]
struct Running {
    part: Part,
    stop: CancellationToken,
    kept_alive: JoinHandle<()>,
}

/// What a script needs to know of a running system: the line of `--json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    pub(crate) api: String,
    worker: String,
    provider: String,
    s3: String,
    s3_access_key_id: String,
    s3_secret_access_key: String,
    s3_bucket: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
    webhook_secret: String,
    worker_api_secret: String,
    data_dir: String,
    pids: BTreeMap<&'static str, u32>,
}

impl System {
    /// Starts all parts on a data directory, waits until they are ready, and signs in the local account.
    pub(crate) async fn start(options: &UpOptions, directory: &Path, log: LogTo) -> Result<Self> {
        let environment = Environment::process();
        let services_stop = services_stop(&environment)?;
        let database_url = options.database_url.as_deref().map(postgres).transpose()?;
        let data_dir = Arc::new(DataDir::open(directory)?);
        let log = log.open(data_dir.path())?;
        data_dir.wait_for_leftovers().await?;
        let secrets = data_dir.secrets()?;

        let mut choices = 1;
        let (started, chosen) = loop {
            let chosen = Chosen::choose(options, &environment)?;
            let plan = Plan {
                environment: &environment,
                places: &chosen.places,
                providers: &chosen.providers,
                secrets: &secrets,
                data_dir: data_dir.path().to_owned(),
                database_url: database_url.clone(),
            };
            match start_all(&plan, &log, &data_dir).await {
                Ok(started) => break (started, chosen),
                Err(StartError::Ended(part, _)) if chosen.was_lost(part) && choices < MOST_CHOICES => {
                    choices += 1;
                }
                Err(error) => return Err(error.into()),
            }
        };

        let pids: BTreeMap<Part, u32> =
            started.iter().map(|(recipe, child)| (recipe.part, child.pid)).collect();
        let url = |part: Part| {
            started.iter().find(|(recipe, _)| recipe.part == part).map(|(_, child)| child.url.clone())
        };
        let setting = |name, ours: &str| {
            Ok::<_, anyhow::Error>(environment.text(name)?.unwrap_or_else(|| ours.to_owned()))
        };
        let elsewhere = |place: &Place| place.url();
        let mut facts = Facts {
            api: url(Part::Api).unwrap_or_default(),
            worker: url(Part::Worker).unwrap_or_default(),
            provider: url(Part::Provider).unwrap_or_else(|| elsewhere(&chosen.places.provider)),
            s3: url(Part::S3).unwrap_or_else(|| elsewhere(&chosen.places.s3)),
            s3_access_key_id: setting("S3_ACCESS_KEY_ID", &secrets.s3_access_key_id)?,
            s3_secret_access_key: setting("S3_SECRET_ACCESS_KEY", &secrets.s3_secret_access_key)?,
            s3_bucket: setting("S3_BUCKET", BUCKET)?,
            email: String::new(),
            password: String::new(),
            token: String::new(),
            webhook_secret: setting("WEBHOOK_SECRETS", &secrets.webhook_secret)?,
            worker_api_secret: setting("WORKER_API_SECRETS", &secrets.worker_api_secret)?,
            data_dir: data_dir.path().display().to_string(),
            pids: pids.iter().map(|(part, pid)| (part.name(), *pid)).collect(),
        };
        let mut system = Self {
            data_dir,
            running: Vec::new(),
            pids: Arc::new(Mutex::new(pids)),
            all_simulated: chosen.providers.all_simulated(),
            facts: facts.clone(),
        };
        system.keep_alive(started, services_stop);
        match account::sign_in(&facts.api, &secrets).await {
            Ok(signed_in) => {
                if signed_in != secrets {
                    system.data_dir.keep(&signed_in)?;
                }
                let Secrets { email, password, token, .. } = signed_in;
                facts = Facts { email, password, token: token.unwrap_or_default(), ..facts };
            }
            Err(error) => {
                system.stop().await;
                return Err(error.context("the local account cannot be used"));
            }
        }
        system.facts = facts;
        Ok(system)
    }

    fn keep_alive(&mut self, started: Vec<(Recipe, Child)>, services_stop: Duration) {
        for (recipe, child) in started {
            let (part, stop) = (recipe.part, CancellationToken::new());
            let (data_dir, pids) = (Arc::clone(&self.data_dir), Arc::clone(&self.pids));
            let changed = move |part, pid| {
                let mut pids = pids.lock().unwrap_or_else(PoisonError::into_inner);
                pids.insert(part, pid);
                record(&data_dir, pids.values().copied());
            };
            let limit = if part.is_service() { services_stop } else { PART_STOP };
            let kept_alive = tokio::spawn(keep_alive(child, recipe, stop.clone(), limit, changed));
            self.running.push(Running { part, stop, kept_alive });
        }
    }

    /// What a script needs to know.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether all providers are the simulator's, which charges nothing.
    pub(crate) fn provider_is_simulated(&self) -> bool {
        self.all_simulated
    }

    /// Stops all parts in order. Their data stays, and what was in flight goes on at the next start.
    pub(crate) async fn stop(mut self) {
        self.running.sort_by_key(|running| running.part);
        // The services at once, so that their deadlines do not add up.
        for running in self.running.iter().filter(|running| running.part.is_service()) {
            running.stop.cancel();
        }
        for running in self.running.drain(..) {
            running.stop.cancel();
            if let Err(error) = running.kept_alive.await {
                eprintln!("reelay: {} was not stopped in order: {error}", running.part);
            }
        }
        record(&self.data_dir, []);
    }
}

impl Drop for System {
    fn drop(&mut self) {
        for running in &self.running {
            // The child that it holds is ended with it.
            running.kept_alive.abort();
        }
    }
}

impl Chosen {
    /// Whether somebody took the port of `part` between our choice and its use.
    fn was_lost(&self, part: Part) -> bool {
        let lost =
            |address: std::net::SocketAddr| self.free_choice.contains(&address.port()) && is_taken(address);
        self.places.of(part).is_some_and(lost)
    }
}

impl Facts {
    /// The same for people, without what they do not need.
    pub(crate) fn for_people(&self) -> String {
        let Self { api, email, password, data_dir, .. } = self;
        format!(
            "\n  Reelay is ready: {api}\n\n  e-mail    {email}\n  password  {password}\n\n  Data lies in {data_dir}. Ctrl-C stops.\n"
        )
    }
}

/// Where the children's log lines shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogTo {
    /// Standard error.
    Terminal,
    /// The file [`LOG_FILE`] in the data directory.
    DataDir,
}

/// The name of that file.
pub(crate) const LOG_FILE: &str = "log.txt";

impl LogTo {
    fn open(self, directory: &Path) -> Result<Log> {
        if self == Self::Terminal {
            return Ok(Log::Inherited);
        }
        let path = directory.join(LOG_FILE);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        Ok(Log::File(Arc::new(file.with_context(|| format!("cannot write {}", path.display()))?)))
    }
}

/// Starts all parts that are ours at once. If one fails, the others are stopped again.
async fn start_all(
    plan: &Plan<'_>,
    log: &Log,
    data_dir: &DataDir,
) -> Result<Vec<(Recipe, Child)>, StartError> {
    let mut recipes = Vec::new();
    for part in Part::ALL.into_iter().filter(|part| plan.places.of(*part).is_some()) {
        let variables = plan.variables(part).map_err(|error| StartError::Setting(part, error))?;
        recipes.push(Recipe { part, variables, log: log.clone() });
    }
    let children = futures_util::future::try_join_all(recipes.iter().map(Child::start)).await?;
    record(data_dir, children.iter().map(|child| child.pid));
    Ok(recipes.into_iter().zip(children).collect())
}

/// How long the services may take to stop, both at once: a little longer than the slower one's own deadline.
fn services_stop(environment: &Environment) -> Result<Duration, SettingError> {
    const NAME: &str = "SHUTDOWN_TIMEOUT";
    let areas =
        [api_service::settings::HttpSettings::VARIABLES, worker_service::settings::HttpSettings::VARIABLES];
    let mut longest = Duration::ZERO;
    for variable in areas.into_iter().flatten().filter(|variable| variable.name == NAME) {
        let own = environment.or_default(NAME, variable.default.unwrap_or_default())?;
        longest = longest.max(own);
    }
    Ok(longest + STOP_SPARE)
}

/// That the next launcher may have to wait is no reason to end this one.
fn record(data_dir: &DataDir, children: impl IntoIterator<Item = u32>) {
    let children: Vec<u32> = children.into_iter().collect();
    let launcher = (!children.is_empty()).then(std::process::id);
    let pids: Vec<u32> = launcher.into_iter().chain(children).collect();
    if let Err(error) = data_dir.record(&pids) {
        eprintln!("reelay: cannot write to {}: {error}", data_dir.path().display());
    }
}

/// The URL of `--database-url`, if it is one that the launcher takes.
fn postgres(text: &str) -> Result<String> {
    match text.parse() {
        Ok(DatabaseUrl::Postgres(_)) => Ok(text.to_owned()),
        Ok(DatabaseUrl::Sqlite(_)) => bail!(
            "--database-url is for PostgreSQL; SQLite files lie in the data directory, which --data-dir chooses"
        ),
        Err(_) => bail!("--database-url must be postgres://user:password@host/database"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_have_as_long_to_stop_as_their_setting_says() {
        let stop = |entries: &[(&str, &str)]| {
            let map = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            services_stop(&Environment::from_map(map.collect()))
        };
        assert_eq!(stop(&[]), Ok(Duration::from_secs(22)), "the worker's default, which is the longer one");
        assert_eq!(stop(&[("SHUTDOWN_TIMEOUT", "90s")]), Ok(Duration::from_secs(92)));
        assert!(stop(&[("SHUTDOWN_TIMEOUT", "soon")]).is_err());
    }

    /// A picture that one service has received and examined finds its turn at the other.
    #[test]
    fn what_one_service_hands_over_the_other_takes() {
        let nothing = Environment::from_map(std::collections::HashMap::new());
        let theirs = api_service::uploads::UploadSettings::read(&nothing).unwrap();
        let ours = |name: &str| {
            let all = worker_service::settings::HttpSettings::VARIABLES;
            all.iter().find(|variable| variable.name == name).and_then(|variable| variable.default).unwrap()
        };
        assert!(ours("WORKER_UPLOADS").parse::<usize>().unwrap() >= theirs.concurrency);
        let wait: Duration = nothing.or_default("WORKER_UPLOAD_WAIT", ours("WORKER_UPLOAD_WAIT")).unwrap();
        assert!(wait * 2 <= theirs.timeout, "what is left is for storing it");
    }
}
