//! Exchanges with the providers, as they are known to go, replayed through the clients: what is sent, to the byte
//! that matters, and what each answer is taken for. Each file in `exchanges/` is one provider in one setting; how it
//! is written, the first of them shows.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex},
};

use contract::{JobId, Parameters};
use foundation::settings::Environment;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use worker_service::{
    jobs::state::Retry,
    media::DownloadError,
    providers::{Cancelled, Failure, Operation, Polled, Provider, Providers, Source, Submission, Submitted},
};

/// A file of exchanges.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    /// Whose they are.
    about: String,
    provider: String,
    /// Variables; `{server}` is the address of the one who replays.
    settings: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    about: String,
    #[serde(flatten)]
    what: What,
    #[serde(default)]
    exchanges: VecDeque<Exchange>,
    /// What it is taken for, in the words of [`told`]; for a download, what the file holds.
    expect: String,
    /// What the user reads, in part.
    says: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum What {
    Submit {
        model: String,
        prompt: String,
        parameters: Parameters,
    },
    Poll(String),
    Cancel(String),
    /// The video of the operation that the step before found finished.
    Download(String),
}

/// A request that must come, and its answer.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// Method, path and query.
    request: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body, if it is JSON and of interest.
    body: Option<Value>,
    #[serde(default = "ok")]
    status: u16,
    answer: Value,
}

fn ok() -> u16 {
    200
}

/// Who replays. It ends with the test's runtime.
struct Replay {
    address: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    expected: VecDeque<Exchange>,
    wrong: Vec<String>,
}

impl Replay {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::<Mutex<Script>>::default();
        let accepting = Arc::clone(&script);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let script = Arc::clone(&accepting);
                let service = service_fn(move |request| answer(Arc::clone(&script), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, script }
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let mut body = s3s::Body::from(body);
    let body = body.store_all_limited(1024 * 1024).await.unwrap();
    let mut script = script.lock().unwrap();
    let line = format!("{} {}", head.method, head.uri);
    let Some(expected) = script.expected.pop_front() else {
        script.wrong.push(format!("{line} was not expected"));
        return Ok(Response::builder().status(418).body(s3s::Body::empty()).unwrap());
    };
    if line != expected.request {
        script.wrong.push(format!("{line} came in place of {}", expected.request));
    }
    for (name, value) in &expected.headers {
        let given = head.headers.get(name).and_then(|value| value.to_str().ok());
        if given != Some(value) {
            script.wrong.push(format!("{line} came with {name} {given:?}"));
        }
    }
    let given = serde_json::from_slice::<Value>(&body).ok();
    if expected.body.is_some() && given != expected.body {
        let given = given.unwrap_or_default();
        script.wrong.push(format!("{line} came with {given:#}"));
    }
    let answer = match &expected.answer {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(Response::builder().status(expected.status).body(s3s::Body::from(answer)).unwrap())
}

/// What is told, in words that a file can hold.
fn told(outcome: &Outcome, server: &str) -> String {
    let retry = |retry: Retry| match retry {
        Retry::Never => "never again".to_owned(),
        Retry::OnSchedule => "again on schedule".to_owned(),
        Retry::OnOwnSchedule { spent } => format!("again beside {spent}"),
        Retry::NotBefore(wait) => format!("again after {}s", wait.as_secs_f64()),
        Retry::Uncounted(wait) => format!("uncounted after {}s", wait.as_secs_f64()),
    };
    let failure = |Failure { error, retry: again }: &Failure| format!("{} {}", error.code, retry(*again));
    match outcome {
        Outcome::Submitted(Submitted::Accepted(name)) => format!("accepted {name}"),
        Outcome::Submitted(Submitted::Rejected(why)) => format!("rejected {}", failure(why)),
        Outcome::Submitted(Submitted::Unknown { .. }) => "unknown".to_owned(),
        Outcome::Submitted(Submitted::Lost { .. }) => "lost".to_owned(),
        Outcome::Polled(Polled::Pending { progress: None }) => "pending".to_owned(),
        Outcome::Polled(Polled::Pending { progress: Some(progress) }) => format!("pending {progress}"),
        Outcome::Polled(Polled::Finished(Source::Url(url))) => {
            format!("finished {}", url.as_str().trim_start_matches(server))
        }
        Outcome::Polled(Polled::Finished(Source::Inline(place))) => format!("finished inside at {place}"),
        Outcome::Polled(Polled::Failed(why)) => format!("failed {}", failure(why)),
        Outcome::Polled(Polled::Lost(error)) => format!("lost {}", error.code),
        Outcome::Polled(Polled::Refused(why)) => format!("refused {}", failure(why)),
        Outcome::Cancelled(Cancelled::Done) => "cancelled".to_owned(),
        Outcome::Cancelled(Cancelled::Impossible) => "impossible".to_owned(),
        Outcome::Polled(Polled::Unclear { .. }) | Outcome::Cancelled(Cancelled::Unclear { .. }) => {
            "unclear".to_owned()
        }
        Outcome::Downloaded(Ok(content)) => content.clone(),
        Outcome::Downloaded(Err(error)) => error.to_string(),
    }
}

enum Outcome {
    Submitted(Submitted),
    Polled(Polled),
    Cancelled(Cancelled),
    Downloaded(Result<String, DownloadError>),
}

fn message(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Submitted(Submitted::Rejected(failure))
        | Outcome::Polled(Polled::Failed(failure) | Polled::Refused(failure)) => Some(&failure.error.message),
        Outcome::Polled(Polled::Lost(error)) => Some(&error.message),
        _ => None,
    }
}

async fn replay(path: &Path) {
    let recorded: Recorded = serde_json::from_slice(&std::fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let server = Replay::start().await;
    let settings = recorded
        .settings
        .iter()
        .map(|(name, value)| (name.clone(), value.replace("{server}", &server.address)));
    let environment = Environment::from_map(settings.collect());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let providers =
        Providers::read(&environment).unwrap_or_else(|error| panic!("{}: {error}", recorded.about));
    let provider = Arc::clone(providers.get(&recorded.provider).unwrap());
    let mut source = None;
    for step in recorded.steps {
        let about = format!("{}: {}: {}", path.display(), recorded.about, step.about);
        server.script.lock().unwrap().expected = step.exchanges;
        let outcome = take(&*provider, step.what, &mut source).await;
        let script = std::mem::take(&mut *server.script.lock().unwrap());
        assert!(script.wrong.is_empty(), "{about}: {}", script.wrong.join("\n"));
        assert!(script.expected.is_empty(), "{about}: {} did not come", script.expected[0].request);
        assert_eq!(told(&outcome, &server.address), step.expect, "{about}");
        if let Some(says) = &step.says {
            let message = message(&outcome).unwrap_or_default();
            assert!(message.contains(says.as_str()), "{about}: {message}");
        }
    }
}

async fn take(provider: &dyn Provider, what: What, source: &mut Option<Source>) -> Outcome {
    let operation = |name| Operation { job_id: JobId::new(), name };
    match what {
        What::Submit { model, prompt, parameters } => {
            let images = Vec::new();
            let submission =
                Submission { job_id: JobId::new(), attempt: 1, model, prompt, parameters, images };
            Outcome::Submitted(provider.submit(&submission).await)
        }
        What::Poll(name) => {
            let polled = provider.poll(&operation(name)).await;
            if let Polled::Finished(found) = &polled {
                *source = Some(found.clone());
            }
            Outcome::Polled(polled)
        }
        What::Cancel(name) => Outcome::Cancelled(provider.cancel(&operation(name)).await),
        What::Download(name) => {
            let file = tempfile::NamedTempFile::new().unwrap();
            let downloaded = provider.download(&operation(name), source.as_ref().unwrap(), file.path()).await;
            Outcome::Downloaded(downloaded.map(|_| std::fs::read_to_string(file.path()).unwrap()))
        }
    }
}

#[tokio::test]
async fn every_recorded_exchange_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worker/exchanges");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        replay(&file).await;
    }
}
