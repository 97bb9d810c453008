//! The service as one thing: built from settings, run until it is told to stop, and stopped in order.

mod announce;
pub mod body;
pub mod health;
pub mod openapi;

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpRequest, middleware::from_fn, web::Data};
use contract::{WorkerId, signing::Secrets};
use foundation::{
    database::{DatabaseUrl, OpenError},
    settings::Live,
    tasks::Tasks,
};
use futures_util::future::BoxFuture;
use platform::{Listeners, OwnMetrics, RunError, Server, Serving};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::{announce::announce, health::Health};
use crate::{
    bucket::{Bucket, BucketError, Patience, S3Bucket},
    error::{AppError, AppResult},
    hints::service::Hints,
    jobs::service::Jobs,
    queue::{self, Lease, Limits, Runner, Running},
    routes,
    settings::Settings,
    store::{self, Store},
    sweeper::Sweeper,
    uploads::{places::Places, service::Uploads},
    webhooks::dispatcher::{Dispatcher, SetupError},
    workflow::{Workflow, cancels::Cancels},
};

/// Threads that answer requests: they only pass work on to the home runtime.
const HTTP_THREADS: usize = 2;
/// How much longer than the time for their own shutdown tasks are waited for.
const SPARE: Duration = Duration::from_secs(5);

/// What all handlers share.
#[derive(Debug)]
pub struct State {
    home: Handle,
    store: Store,
    jobs: Jobs,
    hints: Hints,
    dispatcher: Dispatcher,
    uploads: Uploads,
    places: Places,
    secrets: Live<Secrets>,
    health: Health,
    stopping: CancellationToken,
    document: String,
    metrics: OwnMetrics,
}

impl State {
    /// The state that a request's application has.
    pub fn of(request: &HttpRequest) -> AppResult<Data<Self>> {
        platform::state_of(request)
    }

    /// Runs work on the process's home runtime, to its end even if the client goes away.
    pub async fn at_home<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> AppResult<T>
    where
        AppError: From<E>,
    {
        platform::at_home(&self.home, work).await
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The jobs.
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What providers tell.
    pub const fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Who tells the API.
    pub const fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// The pictures that users have uploaded.
    pub const fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// The places for pictures on their way.
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Who may ask.
    pub const fn secrets(&self) -> &Live<Secrets> {
        &self.secrets
    }

    /// How the worker is.
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// Cancelled when the service begins to stop.
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// The OpenAPI document.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The metrics, if they are served here.
    pub const fn metrics(&self) -> &OwnMetrics {
        &self.metrics
    }
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The service cannot serve.
    #[error(transparent)]
    Platform(#[from] platform::StartError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The worker could not be put on the list.
    #[error("the worker cannot be registered: {0}")]
    Register(#[from] store::Error),
    /// The bucket's client cannot be set up.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The dispatcher's client cannot be set up.
    #[error(transparent)]
    Webhooks(#[from] SetupError),
    /// There can be no temporary files.
    #[error("the folder for temporary files (WORKER_TEMP_DIR) cannot be used: {0}")]
    TemporaryFiles(#[source] io::Error),
}

type Work = Box<dyn Fn(Lease) -> BoxFuture<'static, Result<(), store::Error>> + Send + Sync>;

/// The service, listening and ready to run.
pub struct Application {
    worker: WorkerId,
    state: Data<State>,
    server: Server,
    runner: Arc<Runner<Work>>,
    dispatcher: Dispatcher,
    sweeper: Sweeper,
    cancels: Cancels,
    bucket: Arc<dyn Bucket>,
    settings: Settings,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, worker, .. } = self;
        f.debug_struct("Application").field("server", server).field("worker", worker).finish_non_exhaustive()
    }
}

impl Application {
    /// Takes the address, opens the database, takes back the jobs of this worker's former life, and makes
    /// everything ready. To be called on the home runtime, on which all background work will run.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        let listeners = Listeners::take(settings.http.bind, settings.http.metrics_bind)?;
        let bucket: Arc<dyn Bucket> = Arc::new(S3Bucket::new(&settings.s3, Patience::default())?);
        let store = Store::open(&settings.database, settings.terms()).await?;
        let dispatcher = Dispatcher::new(store.clone(), &settings.webhooks)?;
        let sweeper =
            Sweeper::new(store.clone(), Arc::clone(&bucket), &settings.sweeper, settings.webhooks.kept);
        let cancels = Cancels::new(store.clone(), settings.providers.clone());
        let uploads = Uploads::new(store.clone(), Arc::clone(&bucket), settings.sweeper.uploads_kept);
        let workflow = {
            let (settings, bucket, uploads) = (settings.clone(), Arc::clone(&bucket), uploads.clone());
            let opening =
                move || Workflow::new(settings.workflow, settings.providers, bucket, uploads, &settings.s3);
            let opened = tokio::task::spawn_blocking(opening).await;
            opened.map_err(io::Error::other).flatten().map_err(StartError::TemporaryFiles)?
        };
        let work: Work = Box::new(move |lease| {
            let workflow = workflow.clone();
            Box::pin(async move { workflow.run(lease).await })
        });
        let worker = queue::register(&store, &worker_name(&settings, listeners.address())).await?;
        let running = Running::default();
        let limits = Limits::from(&settings.queue);
        let runner = Runner::new(store.clone(), worker.clone(), running.clone(), limits, work);
        let health = Health::default();
        health.look(&store, &*bucket).await;

        let document = routes::document();
        let state = Data::new(State {
            home: Handle::current(),
            jobs: Jobs::new(store.clone(), running.clone()),
            hints: Hints::new(store.clone(), running, settings.providers.clone()),
            dispatcher: dispatcher.clone(),
            uploads,
            places: Places::new(
                settings.http.uploads,
                settings.http.upload_wait,
                settings.http.upload_timeout,
            ),
            store,
            secrets: settings.http.secrets.clone(),
            health,
            stopping: CancellationToken::new(),
            document: document.to_json().unwrap_or_default(),
            metrics: listeners.own_metrics(),
        });
        let serving = Serving { threads: Some(HTTP_THREADS), shutdown: settings.http.shutdown };
        let shared = state.clone();
        let server = listeners.serve(serving, &document, move || {
            App::new().app_data(shared.clone()).configure(routes::mount).wrap(from_fn(announce))
        })?;
        Ok(Self { worker, state, server, runner, dispatcher, sweeper, cancels, bucket, settings })
    }

    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The worker's id, new with every start.
    pub const fn worker(&self) -> &WorkerId {
        &self.worker
    }

    /// Serves until `shutdown` says why it shall not, then stops in order: not ready, no new requests, no new
    /// jobs, the running ones handed back, deliveries in flight ended, the rest, the database. An error means
    /// that nobody asked for the stop.
    pub async fn run_until_stopped(
        self,
        shutdown: impl Future<Output = &'static str>,
    ) -> Result<(), RunError> {
        let Self { state, server, runner, dispatcher, sweeper, cancels, bucket, settings, .. } = self;
        let home = Handle::current();
        let (mut claims, mut leases, mut deliveries, mut upkeep) =
            (Tasks::new(home.clone()), Tasks::new(home.clone()), Tasks::new(home.clone()), Tasks::new(home));
        let claimer = Arc::clone(&runner);
        claims.supervise("queue", move |stop| Arc::clone(&claimer).run(stop));
        let keeper = Arc::clone(&runner);
        leases.supervise("leases", move |stop| Arc::clone(&keeper).keep_alive(stop));
        deliveries.supervise("webhooks", move |stop| dispatcher.clone().run(stop));
        upkeep.supervise("sweeper", move |stop| sweeper.clone().run(stop));
        upkeep.supervise("cancels", move |stop| cancels.clone().run(stop));
        let environment = settings.environment.clone();
        upkeep.supervise("settings", move |stop| platform::follow_files(environment.clone(), stop));
        let (health, store) = (state.health.clone(), state.store.clone());
        upkeep
            .supervise("health", move |stop| health.clone().watch(store.clone(), Arc::clone(&bucket), stop));

        let whole = settings.http.shutdown_timeout;
        let stopping = server.run_until(shutdown, whole).await;
        runner.end_by(stopping.deadline() - at_the_end(whole, settings.http.shutdown_notice));
        state.stopping.cancel();
        tokio::time::sleep(stopping.left(settings.http.shutdown_notice)).await;
        // Each stage may take what is left of the whole, and what its own nature allows.
        stopping.end_requests(stopping.left(settings.http.shutdown + SPARE)).await;
        stopping.end_tasks(claims, stopping.left(whole)).await;
        stopping.end_tasks(leases, stopping.left(SPARE)).await;
        stopping.end_tasks(deliveries, stopping.left(settings.webhooks.shutdown)).await;
        stopping.end_tasks(upkeep, stopping.left(SPARE)).await;
        state.store.close();
        stopping.end()
    }
}

/// What is kept of a shutdown for after the jobs: a quarter of the time after the notice, during which they
/// run on.
fn at_the_end(whole: Duration, notice: Duration) -> Duration {
    whole.saturating_sub(notice) / 4
}

/// A name that this worker has again after a restart, and no other worker has while it runs. On SQLite, where
/// a lock keeps others out, any name will do; on PostgreSQL, replicas on one host differ by their port, and
/// others by their host.
fn worker_name(settings: &Settings, address: SocketAddr) -> String {
    if let Some(name) = &settings.queue.name {
        return name.clone();
    }
    match settings.database.url {
        DatabaseUrl::Sqlite(_) => "the only worker".to_owned(),
        DatabaseUrl::Postgres(_) => {
            let host = nix::unistd::gethostname().unwrap_or_default();
            format!("{}:{}", host.to_string_lossy(), address.port())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_have_three_quarters_of_what_the_notice_leaves() {
        let seconds = Duration::from_secs;
        assert_eq!(at_the_end(seconds(20), Duration::ZERO), seconds(5));
        // Counted from the beginning of the stop, they would be cut off three seconds after the notice.
        assert_eq!(at_the_end(seconds(20), seconds(12)), seconds(2));
    }
}
