//! Where a service listens, its server with what every request goes through, and the HTTP side of a stop in order.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, Error, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{self, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::header,
    middleware::from_fn,
    web::{self, Data},
};
use foundation::tasks::Tasks;
use futures_util::future::{join_all, select_all};
use telemetry::{Metrics, event};
use tokio::{
    net::TcpSocket,
    task::{JoinError, JoinHandle},
    time::{Instant, timeout},
};
use tracing_actix_web::TracingLogger;
use utoipa::openapi::OpenApi;

use crate::{
    AppError, AppResult, connection,
    directory::{Directory, unrouted},
    head::answer_head,
    observe::{RequestSpan, observe},
};

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Where the metrics are, if they have an address of their own.
const METRICS_PATH: &str = "/metrics";
/// The media type of Prometheus' exposition format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why a service cannot serve.
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
    /// There are no metrics.
    #[error(transparent)]
    Telemetry(#[from] telemetry::InitError),
}

/// Why a service stopped though nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// One of its servers ended first.
    #[error("a server ended by itself: {0}")]
    Server(String),
}

/// The addresses of a service, taken but not yet answered at.
pub struct Listeners {
    address: SocketAddr,
    service: TcpListener,
    elsewhere: Option<(SocketAddr, TcpListener)>,
    metrics: Metrics,
    own_metrics: OwnMetrics,
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How a service serves.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    /// Threads that answer requests; one a core if it is not said.
    pub threads: Option<usize>,
    /// How long requests in flight may take to end at a stop, in whole seconds.
    pub shutdown: Duration,
}

impl Listeners {
    /// Takes the service's address, and that of its metrics if they shall have one of their own: by default they
    /// are served on the service's if that is loopback, else nowhere.
    pub fn take(bind: SocketAddr, metrics_bind: Option<SocketAddr>) -> Result<Self, StartError> {
        let service = listen(bind)?;
        let address = service.local_addr().map_err(|error| refused(bind, &error))?;
        // The service's own address may be named as well as left out.
        let elsewhere = metrics_bind.filter(|metrics_bind| *metrics_bind != bind);
        let elsewhere = elsewhere.map(|bind| listen(bind).map(|listener| (bind, listener))).transpose()?;
        let metrics = telemetry::install_metrics()?;
        let is_here = elsewhere.is_none() && (address.ip().is_loopback() || metrics_bind.is_some());
        let own_metrics = OwnMetrics(is_here.then(|| metrics.clone()));
        Ok(Self { address, service, elsewhere, metrics, own_metrics })
    }

    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The metrics, if they are served on the service's own address.
    pub fn own_metrics(&self) -> OwnMetrics {
        self.own_metrics.clone()
    }

    /// Makes the server of an application, whose routes the document describes. What every request goes through
    /// is wrapped around it, and what meets no route is answered.
    pub fn serve<T, B>(
        self,
        Serving { threads, shutdown }: Serving,
        document: &OpenApi,
        application: impl Fn() -> App<T> + Clone + Send + 'static,
    ) -> Result<Server, StartError>
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let directory = Data::new(Directory::new(document));
        let server = HttpServer::new(move || {
            let paths =
                web::PathConfig::default().error_handler(|_, _| AppError::not_found("address").into());
            application()
                .app_data(directory.clone())
                .app_data(paths)
                .default_service(web::to(unrouted))
                .wrap(from_fn(answer_head))
                .wrap(from_fn(observe))
                .wrap(TracingLogger::<RequestSpan>::new())
        });
        let server = match threads {
            Some(threads) => server.workers(threads),
            None => server,
        };
        let server = server
            .disable_signals()
            .on_connect(connection::keep)
            .client_request_timeout(HEAD_TIMEOUT)
            .shutdown_timeout(shutdown.as_secs().max(1))
            .listen(self.service)
            .map_err(|error| refused(self.address, &error))?;
        let mut parts = vec![server.run()];
        if let Some((bind, listener)) = self.elsewhere {
            parts.push(serve_metrics(bind, listener, self.metrics)?);
        }
        Ok(Server { address: self.address, parts })
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
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

/// Serves the metrics alone, with what every request goes through here, too.
fn serve_metrics(
    bind: SocketAddr,
    listener: TcpListener,
    metrics: Metrics,
) -> Result<dev::Server, StartError> {
    let directory = Data::new(Directory::only(METRICS_PATH));
    let server = HttpServer::new(move || {
        let metrics = metrics.clone();
        let answer = move || std::future::ready(exposition(&metrics));
        App::new()
            .app_data(directory.clone())
            .service(web::resource(METRICS_PATH).guard(guard::Get()).to(answer))
            .default_service(web::to(unrouted))
            .wrap(from_fn(answer_head))
            .wrap(from_fn(observe))
            .wrap(TracingLogger::<RequestSpan>::new())
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

fn exposition(metrics: &Metrics) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, METRICS_TYPE)).body(metrics.render())
}

/// The metrics, if they are served on the service's own address.
#[derive(Clone)]
pub struct OwnMetrics(Option<Metrics>);

impl fmt::Debug for OwnMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Metrics" } else { "None" })
    }
}

impl OwnMetrics {
    /// What `GET /metrics` answers: 404 if they are served elsewhere or nowhere.
    pub fn answer(&self) -> AppResult<HttpResponse> {
        self.0.as_ref().map(exposition).ok_or_else(|| AppError::not_found("address"))
    }
}

/// A service that listens and is ready to run.
pub struct Server {
    address: SocketAddr,
    parts: Vec<dev::Server>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` says why it shall not. Requests are answered still, until
    /// the stop that has begun ends them; `whole` is how long all of it may take.
    pub async fn run_until(self, shutdown: impl Future<Output = &'static str>, whole: Duration) -> Stopping {
        let handles = self.parts.iter().map(dev::Server::handle).collect();
        let mut serving: Vec<JoinHandle<io::Result<()>>> = self.parts.into_iter().map(tokio::spawn).collect();
        event!(INFO, SERVICE_LISTENING, address = %self.address);
        let (reason, failure) = tokio::select! {
            reason = shutdown => (reason, None),
            (ended, ..) = select_all(&mut serving) => {
                let failure = RunError::Server(cause(ended));
                event!(ERROR, SERVICE_TASK_FAILED, task = "server", error = %failure);
                ("a failure", Some(failure))
            }
        };
        event!(INFO, SERVICE_STOPPING, reason);
        Stopping { handles, began: Instant::now(), whole, failure }
    }
}

/// Why a server ended that nobody has stopped.
fn cause(ended: Result<io::Result<()>, JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "no cause was given".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A stop that has begun: what is left of the service is ended step by step.
pub struct Stopping {
    handles: Vec<ServerHandle>,
    began: Instant,
    whole: Duration,
    failure: Option<RunError>,
}

impl fmt::Debug for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopping").field("began", &self.began).finish_non_exhaustive()
    }
}

impl Stopping {
    /// When the whole stop shall be over.
    pub fn deadline(&self) -> Instant {
        self.began + self.whole
    }

    /// How long a stage may take that may take `most` by its own nature: no longer than what is left of the whole.
    pub fn left(&self, most: Duration) -> Duration {
        most.min(self.whole.saturating_sub(self.began.elapsed()))
    }

    /// Takes no new requests, and waits for those in flight, at most for `limit`.
    pub async fn end_requests(&self, limit: Duration) {
        let stopped = join_all(self.handles.iter().map(|handle| handle.stop(true)));
        if timeout(limit, stopped).await.is_err() {
            tracing::warn!("Requests that were still being answered have been cut off");
        }
    }

    /// Ends background tasks, at most within `limit`.
    pub async fn end_tasks(&self, tasks: Tasks, limit: Duration) {
        for task in tasks.stop(limit).await {
            event!(ERROR, SERVICE_TASK_FAILED, task, error = "did not stop in time");
        }
    }

    /// Says that the service has stopped, and whether it was to.
    pub fn end(self) -> Result<(), RunError> {
        event!(INFO, SERVICE_STOPPED, durationMs = self.began.elapsed().as_millis() as u64);
        self.failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
