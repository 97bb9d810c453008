//! The service in this process, on a database of its own, and those who talk to it.

use std::collections::HashMap;

use api_service::{app::Application, settings::Settings};
use foundation::{settings::Environment, testing::TestDatabase};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Signs what the service tells the worker.
pub(crate) const WORKER_API_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Signs what the worker tells the service.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Runs a test on either database: `on_both_databases! { async fn name(database: TestDatabase) { … } }`.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn run($database: foundation::testing::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(foundation::testing::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(foundation::testing::TestDatabase::postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_databases;

/// A running service. Nobody is behind it: there is no worker and no storage, unless a test names some.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    stop: CancellationToken,
    running: JoinHandle<Result<(), platform::RunError>>,
    database: Option<TestDatabase>,
}

impl TestApp {
    /// Starts the service on this database.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// The same, with settings in place of a test's usual ones; an empty value takes one away.
    pub(crate) async fn start_with(database: TestDatabase, changes: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut variables: HashMap<String, String> = [
            ("API_BIND", "127.0.0.1:0"),
            ("API_THREADS", "2"),
            ("DATABASE_URL", &database.url()),
            // Nobody listens on the discard port.
            ("WORKER_URL", "http://127.0.0.1:9"),
            ("WORKER_API_SECRETS", WORKER_API_SECRET),
            ("WEBHOOK_SECRETS", WEBHOOK_SECRET),
            ("S3_ENDPOINT", "http://127.0.0.1:9"),
            ("S3_REGION", "auto"),
            ("S3_BUCKET", "reelay"),
            ("S3_ACCESS_KEY_ID", "test-key"),
            ("S3_SECRET_ACCESS_KEY", "test-secret"),
            ("DATABASE_POOL_SIZE", "4"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = Settings::read(&Environment::from_map(variables)).unwrap();
        let application = Application::build(settings).await.unwrap();
        let url = format!("http://{}", application.address());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let running = tokio::spawn(application.run_until_stopped(async move {
            stopped.await;
            "the test is over"
        }));
        Self { url, http: client(), stop, running, database: Some(database) }
    }

    /// Stops the service and gives back its database, on which another can be started.
    pub(crate) async fn stop(mut self) -> Option<TestDatabase> {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.database.take()
    }

    /// Takes the database away from the running service.
    pub(crate) fn lose_database(&mut self) {
        drop(self.database.take());
    }

    /// Somebody who is not signed in.
    pub(crate) fn nobody(&self) -> Caller {
        Caller { url: self.url.clone(), http: self.http.clone(), token: None, email: String::new() }
    }

    /// The holder of a token, such as one that another run of the service gave out.
    pub(crate) fn holder_of(&self, token: Option<String>) -> Caller {
        Caller { token, ..self.nobody() }
    }

    /// A new account, signed in.
    pub(crate) async fn user(&self) -> Caller {
        let email = format!("{}@example.com", contract::UserId::new());
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.nobody().post("/api/auth/register", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
        let token = answer.body["token"].as_str().unwrap().to_owned();
        Caller { token: Some(token), email, ..self.nobody() }
    }
}

/// The password of every test's account.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Somebody who calls the service.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    http: reqwest::Client,
    pub(crate) token: Option<String>,
    pub(crate) email: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, `null` if there is none; a text if it is not JSON.
    pub(crate) body: Value,
}

impl Caller {
    /// A request, to be completed and handed to [`send`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// The same, under an `Idempotency-Key`.
    pub(crate) async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> Answer {
        send(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Begins a conversation, and gives its id.
    pub(crate) async fn conversation(&self) -> String {
        let answer = self.post("/api/conversations", &json!({})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, headers, body }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts that this is an error answer in the contract's form, with this status and code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{:?}",
            self.body
        );
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["requestId"].as_str(), self.header("x-request-id"));
        for member in ["type", "title", "detail"] {
            assert!(
                self.body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {:?}",
                self.body
            );
        }
    }

    /// The fields that a 422 names.
    pub(crate) fn wrong_fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["field"].as_str()).collect()
    }
}
