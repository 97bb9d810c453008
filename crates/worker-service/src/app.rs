//! The service as one thing: built from settings, run until it is told to stop, and stopped in order.

pub mod body;
pub mod health;
pub mod observe;
pub mod openapi;

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    http::header,
    middleware::from_fn,
    web::{self, Data},
};
use contract::{WorkerId, signing::Secrets};
use foundation::{
    database::{DatabaseUrl, OpenError},
    settings::{Environment, Live},
    tasks::Tasks,
};
use futures_util::future::{BoxFuture, join_all, select_all};
use telemetry::{Metrics, event};
use tokio::{
    net::TcpSocket,
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use tracing_actix_web::TracingLogger;

use self::{
    health::Health,
    observe::{RequestSpan, observe},
};
use crate::{
    bucket::{Bucket, BucketError, Patience, S3Bucket},
    error::{AppError, AppResult},
    jobs::service::Jobs,
    queue::{self, Lease, Limits, Runner, Running},
    routes,
    settings::Settings,
    store::{self, Store},
    sweeper::Sweeper,
    webhooks::dispatcher::{Dispatcher, SetupError},
    workflow::Workflow,
};

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Threads that answer requests: they only pass work on to the home runtime.
const HTTP_THREADS: usize = 2;
/// How often files of settings are read again.
const REFRESH: Duration = Duration::from_secs(10);
/// How much longer than the time for their own shutdown tasks are waited for.
const SPARE: Duration = Duration::from_secs(5);

/// What all handlers share.
#[derive(Debug)]
pub struct State {
    home: Handle,
    store: Store,
    jobs: Jobs,
    dispatcher: Dispatcher,
    secrets: Live<Secrets>,
    health: Health,
    stopping: CancellationToken,
    document: String,
    metrics: Option<MetricsHere>,
}

/// The metrics, if they are served on the service's own address.
struct MetricsHere(Metrics);

impl fmt::Debug for MetricsHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl State {
    /// The state that a request's application has.
    pub fn of(request: &HttpRequest) -> AppResult<Data<Self>> {
        let state = request.app_data::<Data<Self>>();
        state.cloned().ok_or_else(|| AppError::internal("the application has no state"))
    }

    /// Runs work on the process's home runtime, to its end even if the client goes away.
    pub async fn at_home<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, store::Error>> + Send + 'static,
    ) -> AppResult<T> {
        let done = self.home.spawn(work.instrument(Span::current())).await;
        Ok(done.map_err(AppError::internal)??)
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The jobs.
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Who tells the API.
    pub const fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
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
    pub fn render_metrics(&self) -> Option<String> {
        self.metrics.as_ref().map(|metrics| metrics.0.render())
    }
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
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
    /// There are no metrics.
    #[error(transparent)]
    Telemetry(#[from] telemetry::InitError),
}

type Work = Box<dyn Fn(Lease) -> BoxFuture<'static, Result<(), store::Error>> + Send + Sync>;

/// The service, listening and ready to run.
pub struct Application {
    address: SocketAddr,
    worker: WorkerId,
    state: Data<State>,
    servers: Vec<Server>,
    runner: Arc<Runner<Work>>,
    dispatcher: Dispatcher,
    sweeper: Sweeper,
    bucket: Arc<dyn Bucket>,
    settings: Settings,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, worker, .. } = self;
        f.debug_struct("Application")
            .field("address", address)
            .field("worker", worker)
            .finish_non_exhaustive()
    }
}

impl Application {
    /// Takes the address, opens the database, takes back the jobs of this worker's former life, and makes
    /// everything ready. To be called on the home runtime, on which all background work will run.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        let listener = listen(settings.http.bind)?;
        let address = local(&listener, settings.http.bind)?;
        // Its own address may be named as well as left out.
        let elsewhere = settings.http.metrics_bind.filter(|bind| *bind != settings.http.bind);
        let metrics_listener = elsewhere.map(listen).transpose()?;
        let metrics = telemetry::install_metrics()?;
        let bucket: Arc<dyn Bucket> = Arc::new(S3Bucket::new(&settings.s3, Patience::default())?);
        let store = Store::open(&settings.database, settings.terms()).await?;
        let dispatcher = Dispatcher::new(store.clone(), &settings.webhooks)?;
        let sweeper =
            Sweeper::new(store.clone(), Arc::clone(&bucket), &settings.sweeper, settings.webhooks.kept);
        let workflow = {
            let (settings, bucket) = (settings.clone(), Arc::clone(&bucket));
            let opening = move || Workflow::new(settings.workflow, settings.providers, bucket, &settings.s3);
            let opened = tokio::task::spawn_blocking(opening).await;
            opened.map_err(io::Error::other).flatten().map_err(StartError::TemporaryFiles)?
        };
        let work: Work = Box::new(move |lease| {
            let workflow = workflow.clone();
            Box::pin(async move { workflow.run(lease).await })
        });
        let worker = queue::register(&store, &worker_name(&settings, address)).await?;
        let running = Running::default();
        let limits = Limits::from(&settings.queue);
        let runner = Runner::new(store.clone(), worker.clone(), running.clone(), limits, work);
        let health = Health::default();
        health.look(&store, &*bucket).await;

        let is_here = metrics_listener.is_none()
            && (address.ip().is_loopback() || settings.http.metrics_bind.is_some());
        let state = Data::new(State {
            home: Handle::current(),
            jobs: Jobs::new(store.clone(), running),
            dispatcher: dispatcher.clone(),
            store,
            secrets: settings.http.secrets.clone(),
            health,
            stopping: CancellationToken::new(),
            document: routes::document().to_json().unwrap_or_default(),
            metrics: is_here.then(|| MetricsHere(metrics.clone())),
        });
        let mut servers = vec![serve(listener, address, state.clone(), settings.http.shutdown)?];
        if let (Some(listener), Some(bind)) = (metrics_listener, elsewhere) {
            servers.push(serve_metrics(listener, bind, metrics)?);
        }
        Ok(Self { address, worker, state, servers, runner, dispatcher, sweeper, bucket, settings })
    }

    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The worker's id, new with every start.
    pub const fn worker(&self) -> &WorkerId {
        &self.worker
    }

    /// Serves until `shutdown` says why it shall not, then stops in order: not ready, no new requests, no new
    /// jobs, the running ones handed back, deliveries in flight ended, the rest, the database.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = &'static str>) {
        let Self { address, state, servers, runner, dispatcher, sweeper, bucket, settings, .. } = self;
        let home = Handle::current();
        let (mut claims, mut leases, mut deliveries, mut upkeep) =
            (Tasks::new(home.clone()), Tasks::new(home.clone()), Tasks::new(home.clone()), Tasks::new(home));
        let claimer = Arc::clone(&runner);
        claims.supervise("queue", move |stop| Arc::clone(&claimer).run(stop));
        let keeper = Arc::clone(&runner);
        leases.supervise("leases", move |stop| Arc::clone(&keeper).keep_alive(stop));
        deliveries.supervise("webhooks", move |stop| dispatcher.clone().run(stop));
        upkeep.supervise("sweeper", move |stop| sweeper.clone().run(stop));
        let environment = settings.environment.clone();
        upkeep.supervise("settings", move |stop| refresh(environment.clone(), stop));
        let (health, store) = (state.health.clone(), state.store.clone());
        upkeep
            .supervise("health", move |stop| health.clone().watch(store.clone(), Arc::clone(&bucket), stop));

        let handles: Vec<ServerHandle> = servers.iter().map(Server::handle).collect();
        let mut serving: Vec<JoinHandle<io::Result<()>>> = servers.into_iter().map(tokio::spawn).collect();
        event!(INFO, SERVICE_LISTENING, address = %address);
        let reason = tokio::select! {
            reason = shutdown => reason,
            _ = select_all(&mut serving) => "a server ended by itself",
        };

        event!(INFO, SERVICE_STOPPING, reason);
        let began = Instant::now();
        let end = began + settings.http.shutdown_timeout;
        // Each stage may take what is left of the whole, and what its own nature allows.
        let left = |most: Duration| most.min(end.saturating_duration_since(Instant::now()));
        runner.end_by(end - settings.http.shutdown_timeout / 4);
        state.stopping.cancel();
        let stopped = join_all(handles.iter().map(|handle| handle.stop(true)));
        if timeout(left(settings.http.shutdown + SPARE), stopped).await.is_err() {
            tracing::warn!("Requests that were still being answered have been cut off");
        }
        let mut late = claims.stop(left(Duration::MAX)).await;
        late.extend(leases.stop(left(SPARE)).await);
        late.extend(deliveries.stop(left(settings.webhooks.shutdown)).await);
        late.extend(upkeep.stop(left(SPARE)).await);
        for task in late {
            event!(WARN, SERVICE_TASK_FAILED, task, error = "did not stop in time");
        }
        state.store.close();
        event!(INFO, SERVICE_STOPPED, durationMs = began.elapsed().as_millis() as u64);
    }
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

/// Follows the files that settings come from.
async fn refresh(environment: Environment, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(REFRESH)).await.is_some() {
        let (changed, errors) = environment.refresh();
        if changed > 0 {
            tracing::info!(changed, "Settings were read again from their files");
        }
        for error in errors {
            tracing::warn!(%error, "A setting keeps its old value");
        }
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, StartError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    open().map_err(|error| refused(address, &error))
}

fn refused(address: SocketAddr, error: &io::Error) -> StartError {
    let reason = match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".to_owned(),
        _ => error.to_string(),
    };
    StartError::Listen { address, reason }
}

fn local(listener: &std::net::TcpListener, asked: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|error| refused(asked, &error))
}

fn serve(
    listener: std::net::TcpListener,
    address: SocketAddr,
    state: Data<State>,
    shutdown: Duration,
) -> Result<Server, StartError> {
    let server = HttpServer::new(move || {
        let queries = web::QueryConfig::default()
            .error_handler(|error, _| AppError::field("query", error.to_string()).into());
        App::new()
            .app_data(state.clone())
            .app_data(queries)
            .configure(routes::mount)
            .default_service(web::to(routes::unrouted))
            .wrap(from_fn(observe))
            .wrap(TracingLogger::<RequestSpan>::new())
    });
    let server = server
        .workers(HTTP_THREADS)
        .disable_signals()
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(shutdown.as_secs().max(1))
        .listen(listener)
        .map_err(|error| refused(address, &error))?;
    Ok(server.run())
}

fn serve_metrics(
    listener: std::net::TcpListener,
    bind: SocketAddr,
    metrics: Metrics,
) -> Result<Server, StartError> {
    let server = HttpServer::new(move || {
        let metrics = metrics.clone();
        let answer = move || {
            let text = metrics.render();
            async {
                HttpResponse::Ok().insert_header((header::CONTENT_TYPE, health::METRICS_TYPE)).body(text)
            }
        };
        App::new().route("/metrics", web::get().to(answer))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(1)
        .listen(listener)
        .map_err(|error| refused(bind, &error))?;
    Ok(server.run())
}
