//! The service as one thing: built from settings, run until it is told to stop, and stopped in order.

pub mod body;
pub mod docs;
pub mod guard;
pub mod health;
pub mod limits;
pub mod observe;
pub mod openapi;
pub mod page;
pub mod proxies;

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    http::header,
    middleware::from_fn,
    web::{self, Data},
};
use foundation::{database::OpenError, settings::Environment, tasks::Tasks};
use telemetry::Metrics;
use tokio::{net::TcpSocket, runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use tracing_actix_web::TracingLogger;
use url::Url;

use self::{
    docs::Documents,
    guard::{Origins, guard},
    limits::Limits,
    observe::{RequestSpan, observe},
    proxies::Proxies,
};
use crate::{
    accounts::{Accounts, password::Passwords},
    error::{AppError, AppResult},
    generations::Flow,
    push::{self, Hub},
    routes::{self, Directory},
    settings::Settings,
    store::Store,
};

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How often files of settings are read again.
const REFRESH: Duration = Duration::from_secs(10);
/// How often the limits forget who has not asked for a while.
const TIDY: Duration = Duration::from_secs(60);

/// What all handlers share.
#[derive(Debug)]
pub struct State {
    home: Handle,
    store: Store,
    flow: Arc<Flow>,
    accounts: Accounts,
    hub: Hub,
    limits: Limits,
    proxies: Proxies,
    public_url: Url,
    stopping: CancellationToken,
    pub(crate) origins: Origins,
    pub(crate) directory: Directory,
    content_policy: String,
    documents: Documents,
    metrics: Option<MetricsHere>,
}

/// The metrics, if they are served on the service's own address.
struct MetricsHere(Metrics);

impl fmt::Debug for MetricsHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl MetricsHere {
    fn render(&self) -> String {
        self.0.render()
    }
}

impl State {
    /// The state that a request's application has.
    pub fn of(request: &HttpRequest) -> AppResult<Data<Self>> {
        let state = request.app_data::<Data<Self>>();
        state.cloned().ok_or_else(|| AppError::internal("the application has no state"))
    }

    /// Runs work that writes, or that calls a remote, on the process's home runtime, to its end even if the
    /// client goes away.
    pub async fn at_home<T: Send + 'static>(
        &self,
        work: impl Future<Output = AppResult<T>> + Send + 'static,
    ) -> AppResult<T> {
        self.home.spawn(work.instrument(Span::current())).await.map_err(AppError::internal)?
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The services around generations. What of it writes or calls the worker is to run at home.
    pub const fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// The accounts.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Who listens.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// How often somebody may ask.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whose forwarded addresses count.
    pub const fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// Where a browser reaches the service.
    pub const fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Whether browsers reach the service over TLS.
    pub fn is_public_over_tls(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Cancelled when the service begins to stop: open streams end then, because each of them would hold the
    /// whole stop.
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Whether the service is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
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
    /// There can be no client of the worker.
    #[error(transparent)]
    Worker(#[from] crate::worker_client::Failure),
    /// There are no metrics.
    #[error(transparent)]
    Telemetry(#[from] telemetry::InitError),
}

/// The service, listening and ready to run.
pub struct Application {
    address: SocketAddr,
    state: Data<State>,
    servers: Vec<Server>,
    tasks: Tasks,
    patience: Duration,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// Opens the database, takes the address and makes everything ready. To be called on the home runtime, on
    /// which all background work will run.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        let Settings {
            http,
            database,
            s3,
            push: listening,
            rates,
            accounts,
            worker,
            secrets,
            flow,
            environment,
            ..
        } = settings;
        let listener = listen(http.bind)?;
        let address = local(&listener, http.bind)?;
        let metrics_listener = http.metrics_bind.map(listen).transpose()?;
        let metrics = telemetry::install_metrics()?;
        let store = Store::open(&database).await?;
        let flow = Flow::new(store.clone(), &worker, secrets.worker_api, secrets.webhooks, &s3, flow)?;
        let document = routes::document();
        let public_url = http.public_url.unwrap_or_else(|| own_url(address));
        let passwords = Passwords::new(accounts.password_concurrency);
        let flow = Arc::new(flow);
        let signing = Arc::clone(&flow);
        let sign: push::hub::Sign = Arc::new(move |payload| signing.media().sign_json(payload));
        let hub = Hub::new(store.clone(), listening, sign, Handle::current());
        let metrics_here = metrics_listener.is_none() && address.ip().is_loopback();
        let state = Data::new(State {
            home: Handle::current(),
            accounts: Accounts::new(store.clone(), passwords, accounts.session_lifetime),
            store,
            flow,
            hub,
            limits: Limits::new(&rates),
            proxies: Proxies::new(http.trusted_proxies),
            origins: Origins::new(&public_url, &http.allowed_origins),
            public_url,
            stopping: CancellationToken::new(),
            directory: Directory::new(&document),
            content_policy: page::content_policy(&media_origins(&s3)),
            documents: Documents::new(&document),
            metrics: metrics_here.then(|| MetricsHere(metrics.clone())),
        });

        let mut tasks = Tasks::new(Handle::current());
        supervise(&mut tasks, &state, environment);

        let threads = if http.threads == 0 { None } else { Some(http.threads) };
        let mut servers = vec![serve(listener, address, state.clone(), threads, http.shutdown_timeout)?];
        if let (Some(listener), Some(bind)) = (metrics_listener, http.metrics_bind) {
            servers.push(serve_metrics(listener, bind, metrics)?);
        }
        Ok(Self { address, state, servers, tasks, patience: http.shutdown_timeout })
    }

    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` says why it shall not, then stops in order: not ready, no new requests and no
    /// open streams, no background work, no database.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = &'static str>) {
        let Self { address, state, servers, tasks, patience } = self;
        let handles: Vec<ServerHandle> = servers.iter().map(Server::handle).collect();
        let mut running: Vec<JoinHandle<io::Result<()>>> = servers.into_iter().map(tokio::spawn).collect();
        telemetry::event!(INFO, SERVICE_LISTENING, address = %address);

        let ended = futures_util::future::select_all(&mut running);
        let reason = tokio::select! {
            reason = shutdown => reason,
            _ = ended => "a server ended by itself",
        };
        telemetry::event!(INFO, SERVICE_STOPPING, reason = reason);
        let began = Instant::now();
        state.stopping.cancel();
        state.hub.close();
        let stop = futures_util::future::join_all(handles.iter().map(|handle| handle.stop(true)));
        if tokio::time::timeout(patience, stop).await.is_err() {
            tracing::warn!("Requests that were still being answered have been cut off");
        }
        for name in tasks.stop(patience.saturating_sub(began.elapsed()).max(Duration::from_secs(1))).await {
            telemetry::event!(ERROR, SERVICE_TASK_FAILED, task = name, error = "did not stop in time");
        }
        state.store.close();
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        telemetry::event!(INFO, SERVICE_STOPPED, durationMs = took);
    }
}

/// The background work of the service.
fn supervise(tasks: &mut Tasks, state: &Data<State>, environment: Environment) {
    state.flow.supervise(tasks);
    tasks.supervise("settings", move |stop| refresh(environment.clone(), stop));
    push::tasks(&state.hub, tasks);
    let limits = state.clone();
    tasks.supervise("limits", move |stop| {
        let state = limits.clone();
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
                state.limits.tidy();
            }
        }
    });
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

#[expect(clippy::expect_used, reason = "an address and port always make a URL")]
fn own_url(address: SocketAddr) -> Url {
    format!("http://{address}").parse().expect("an address makes a URL")
}

/// The origins that a browser gets pictures and videos from.
fn media_origins(s3: &foundation::s3::S3Settings) -> Vec<String> {
    let url = s3.media_public_url.as_ref().or(s3.public_endpoint.as_ref()).cloned();
    let url = url.or_else(|| s3.endpoint_address().parse().ok());
    url.map(|url| url.origin().ascii_serialization()).into_iter().collect()
}

fn serve(
    listener: std::net::TcpListener,
    address: SocketAddr,
    state: Data<State>,
    threads: Option<usize>,
    patience: Duration,
) -> Result<Server, StartError> {
    let server = HttpServer::new(move || {
        let paths = web::PathConfig::default().error_handler(|_, _| AppError::not_found("address").into());
        let queries = web::QueryConfig::default()
            .error_handler(|error, _| AppError::field("query", error.to_string()).into());
        App::new()
            .app_data(state.clone())
            .app_data(paths)
            .app_data(queries)
            .configure(routes::mount)
            .default_service(web::to(unrouted))
            .wrap(from_fn(guard))
            .wrap(from_fn(observe))
            .wrap(TracingLogger::<RequestSpan>::new())
    });
    let server = match threads {
        Some(threads) => server.workers(threads),
        None => server,
    };
    let server = server
        .disable_signals()
        .client_request_timeout(HEAD_TIMEOUT)
        // A little less than the stop as a whole may take, so that the rest has its time, too.
        .shutdown_timeout(patience.as_secs().saturating_sub(2).max(1))
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
        App::new().route(
            "/metrics",
            web::get().to(move || {
                let text = metrics.render();
                async {
                    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, health::METRICS_TYPE)).body(text)
                }
            }),
        )
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

/// What meets no route: a wrong address, or a right one with the wrong method.
async fn unrouted(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let Some(methods) = state.directory.methods(request.path()) else {
        return HttpResponse::from_error(AppError::not_found("address"));
    };
    let mut response = HttpResponse::from_error(AppError::method_not_allowed());
    if let Ok(allow) = methods.join(", ").parse() {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
