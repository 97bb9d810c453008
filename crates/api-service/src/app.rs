//! The service as one thing: built from settings, run until it is told to stop, and stopped in order.

pub mod body;
pub mod docs;
pub mod guard;
pub mod health;
pub mod limits;
pub mod openapi;
pub mod page;
pub mod proxies;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpRequest, middleware::from_fn, web::Data};
use foundation::{database::OpenError, settings::Environment, tasks::Tasks};
use platform::{Listeners, OwnMetrics, RunError, Server, Serving};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{
    docs::Documents,
    guard::{Origins, guard},
    health::Readiness,
    limits::Limits,
    proxies::Proxies,
};
use crate::{
    accounts::{Accounts, password::Passwords},
    auth::identify,
    error::AppResult,
    generations::Flow,
    intent::model::Analyst,
    push::{self, Hub},
    routes,
    settings::Settings,
    store::Store,
    uploads::service::Uploads,
};

/// How often the limits forget who has not asked for a while.
const TIDY: Duration = Duration::from_secs(60);

/// What all handlers share.
#[derive(Debug)]
pub struct State {
    home: Handle,
    store: Store,
    flow: Arc<Flow>,
    accounts: Accounts,
    uploads: Arc<Uploads>,
    hub: Hub,
    limits: Limits,
    proxies: Proxies,
    public_url: Url,
    stopping: CancellationToken,
    in_flight: Duration,
    pub(crate) origins: Origins,
    content_policy: String,
    documents: Documents,
    metrics: OwnMetrics,
    readiness: Readiness,
}

impl State {
    /// The state that a request's application has.
    pub fn of(request: &HttpRequest) -> AppResult<Data<Self>> {
        platform::state_of(request)
    }

    /// Runs work that writes, or that calls a remote, on the process's home runtime, to its end even if the
    /// client goes away.
    pub async fn at_home<T: Send + 'static>(
        &self,
        work: impl Future<Output = AppResult<T>> + Send + 'static,
    ) -> AppResult<T> {
        platform::at_home(&self.home, work).await
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

    /// The pictures that users upload. What of it writes or calls the worker is to run at home.
    pub const fn uploads(&self) -> &Arc<Uploads> {
        &self.uploads
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

    /// How long a claim of an idempotency key holds without an answer.
    pub const fn in_flight(&self) -> Duration {
        self.in_flight
    }

    /// Whether the service is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
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
    /// There can be no client of the worker.
    #[error(transparent)]
    Worker(#[from] crate::worker_client::Failure),
    /// There can be no client of the model that reads messages.
    #[error(transparent)]
    Intent(#[from] foundation::settings::SettingError),
}

/// The service, listening and ready to run.
#[derive(Debug)]
pub struct Application {
    state: Data<State>,
    server: Server,
    tasks: Tasks,
    patience: Duration,
    notice: Duration,
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
            intent,
            worker,
            secrets,
            flow,
            budget,
            catalogue,
            uploads,
            environment,
            ..
        } = settings;
        let last_requests = http.last_requests();
        let listeners = Listeners::take(http.bind, http.metrics_bind)?;
        let store = Store::open(&database).await?;
        let confirmation = flow.confirmation_period;
        let analyst = Analyst::new(&intent)?;
        let flow =
            Flow::new(store.clone(), &worker, secrets, &s3, catalogue, &budget, flow)?.read_by(analyst);
        let document = routes::document();
        let public_url = http.public_url.unwrap_or_else(|| own_url(listeners.address()));
        let passwords = Passwords::new(accounts.password_concurrency);
        let uploads = Uploads::new(store.clone(), flow.worker().clone(), uploads, confirmation);
        let flow = Arc::new(flow);
        let signing = Arc::clone(&flow);
        let sign: push::hub::Sign = Arc::new(move |payload| signing.media().sign_json(payload));
        let hub = Hub::new(store.clone(), listening, sign, Handle::current());
        let state = Data::new(State {
            home: Handle::current(),
            accounts: Accounts::new(store.clone(), passwords, accounts.session_lifetime),
            store,
            flow,
            uploads: Arc::new(uploads),
            hub,
            limits: Limits::new(&rates),
            proxies: Proxies::new(http.trusted_proxies),
            origins: Origins::new(&public_url, &http.allowed_origins),
            public_url,
            stopping: CancellationToken::new(),
            in_flight: http.in_flight,
            content_policy: page::content_policy(&media_origins(&s3)),
            documents: Documents::new(&document),
            metrics: listeners.own_metrics(),
            readiness: Readiness::default(),
        });

        let mut tasks = Tasks::new(Handle::current());
        supervise(&mut tasks, &state, environment);

        let serving =
            Serving { threads: (http.threads != 0).then_some(http.threads), shutdown: last_requests };
        let shared = state.clone();
        let server = listeners.serve(serving, &document, move || {
            let mounted = App::new().app_data(shared.clone()).configure(routes::mount);
            // The guard is around it: what it refuses costs no look at the database.
            mounted.wrap(from_fn(identify)).wrap(from_fn(guard))
        })?;
        let (patience, notice) = (http.shutdown_timeout, http.shutdown_notice);
        Ok(Self { state, server, tasks, patience, notice })
    }

    /// Where the service listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Serves until `shutdown` says why it shall not, then stops in order: not ready, no new requests and no
    /// open streams, no background work, no database. An error means that nobody asked for the stop.
    pub async fn run_until_stopped(
        self,
        shutdown: impl Future<Output = &'static str>,
    ) -> Result<(), RunError> {
        let Self { state, server, tasks, patience, notice } = self;
        let stopping = server.run_until(shutdown, patience).await;
        state.stopping.cancel();
        tokio::time::sleep(stopping.left(notice)).await;
        state.hub.close();
        stopping.end_requests(stopping.left(patience)).await;
        stopping.end_tasks(tasks, stopping.left(patience).max(Duration::from_secs(1))).await;
        state.store.close();
        stopping.end()
    }
}

/// The background work of the service.
fn supervise(tasks: &mut Tasks, state: &Data<State>, environment: Environment) {
    state.flow.supervise(tasks);
    tasks.supervise("settings", move |stop| platform::follow_files(environment.clone(), stop));
    push::tasks(&state.hub, tasks);
    let limits = state.clone();
    tasks.supervise("limits", move |stop| {
        let state = limits.clone();
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
                state.limits.tidy();
                state.uploads().tidy();
            }
        }
    });
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
