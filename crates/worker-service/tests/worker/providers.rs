//! Veo's client against servers that answer as no simulator does: what counts as refused and what as unknown,
//! and where the key goes.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use contract::{JobId, Parameters};
use foundation::settings::Environment;
use hyper::{
    Request, Response, body::Incoming, http::request::Parts, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use telemetry::{catalogue, testing::Capture};
use tokio::{net::TcpListener, sync::Notify};
use url::Url;
use worker_service::{
    jobs::state::Retry,
    media::DownloadError,
    providers::{Operation, Polled, Provider, Providers, Source, Submission, Submitted},
};

use crate::fixture::in_time;

const KEY: &str = "the-key";

/// A server that answers by a script and remembers what it was asked. It ends with the test's runtime.
struct Scripted {
    address: Url,
    seen: Arc<Mutex<Vec<Parts>>>,
}

type Answer = Response<s3s::Body>;

impl Scripted {
    async fn start(answer: impl Fn(&Parts) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (seen, answer) = (Arc::<Mutex<Vec<Parts>>>::default(), Arc::new(answer));
        let remembered = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, answer) = (Arc::clone(&remembered), Arc::clone(&answer));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (head, _) = request.into_parts();
                    let given = answer(&head);
                    seen.lock().unwrap().push(head);
                    async move { Ok::<_, std::convert::Infallible>(given) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, seen }
    }

    /// The paths that were asked for, each with the key that came along.
    fn seen(&self) -> Vec<(String, Option<String>)> {
        let key =
            |head: &Parts| head.headers.get("x-goog-api-key").map(|key| key.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().iter().map(|head| (head.uri.path().to_owned(), key(head))).collect()
    }
}

fn answer(status: u16, body: impl Into<String>) -> Answer {
    Response::builder().status(status).body(s3s::Body::from(body.into())).unwrap()
}

fn redirect(to: &str) -> Answer {
    Response::builder().status(302).header("location", to).body(s3s::Body::empty()).unwrap()
}

fn veo(base: &Url) -> Arc<dyn Provider> {
    provider(&[("VEO3_BASE_URL", base.as_str()), ("VEO3_API_KEY", KEY)])
}

/// Veo after these variables.
fn provider(variables: &[(&str, &str)]) -> Arc<dyn Provider> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arc::clone(Providers::read(&Environment::from_map(map)).unwrap().get("veo3").unwrap())
}

fn submission() -> Submission {
    Submission {
        job_id: JobId::new(),
        attempt: 1,
        model: "veo-3.1-generate-001".to_owned(),
        prompt: "a paper boat".to_owned(),
        parameters: Parameters::default(),
        images: Vec::new(),
    }
}

fn operation() -> Operation {
    Operation { job_id: JobId::new(), name: "models/m/operations/o".to_owned() }
}

#[tokio::test]
async fn refusals_are_known_and_everything_else_is_not() {
    let own = json!([{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}]).to_string();
    let cases = [
        (200, json!({"name": "models/m/operations/o"}).to_string(), "accepted"),
        // The provider took it and cannot be asked for it: it is never sent again.
        (200, "{}".to_owned(), "lost"),
        (201, json!({"name": ""}).to_string(), "lost"),
        (200, json!({"name": "models/m/operations/../../files/x"}).to_string(), "lost"),
        // Somebody else may have said that.
        (200, String::new(), "unknown"),
        (200, "<html>Sign in to this network</html>".to_owned(), "unknown"),
        (302, String::new(), "rejected"),
        (400, "{}".to_owned(), "rejected"),
        (429, "slow down".to_owned(), "rejected"),
        (500, own.clone(), "unknown"),
        (502, "<html>".to_owned(), "unknown"),
        (503, "<html>".to_owned(), "unknown"),
        (503, own, "rejected"),
    ];
    for (status, body, expected) in cases {
        let given = body.clone();
        let server = Scripted::start(move |_| answer(status, given.clone())).await;
        let outcome = match veo(&server.address).submit(&submission()).await {
            Submitted::Accepted(_) => "accepted",
            Submitted::Rejected(_) => "rejected",
            Submitted::Unknown { .. } => "unknown",
            Submitted::Lost { .. } => "lost",
        };
        assert_eq!(outcome, expected, "{status} {body}");
        let path = "/v1beta/models/veo-3.1-generate-001:predictLongRunning".to_owned();
        assert_eq!(server.seen(), [(path, Some(KEY.to_owned()))], "one request, whatever the answer");
    }
}

/// Not only to those who look for details.
#[tokio::test]
async fn each_poll_is_told() {
    let logged = Capture::install().unwrap();
    let pending = json!({"name": "models/m/operations/o", "done": false}).to_string();
    let server = Scripted::start(move |_| answer(200, pending.clone())).await;
    let operation = operation();
    let polled = veo(&server.address).poll(&operation).await;
    assert!(matches!(polled, Polled::Pending { .. }), "{polled:?}");
    let lines = logged.named(catalogue::VEO3_SERVICE_POLLING);
    let ours = lines.iter().filter(|line| line.text("jobId") == Some(operation.job_id.as_str()));
    assert_eq!(ours.map(|line| line.level.as_str()).collect::<Vec<_>>(), ["INFO"]);
}

#[tokio::test]
async fn a_refused_connection_is_known_and_a_broken_one_is_not() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let breaking = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        drop(stream);
        // Nobody listens from here on.
        drop(listener);
    });
    let outcome = veo(&address).submit(&submission()).await;
    assert!(matches!(outcome, Submitted::Unknown { .. }), "{outcome:?}");
    breaking.await.unwrap();
    let outcome = veo(&address).submit(&submission()).await;
    let Submitted::Rejected(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.retry, Retry::OnSchedule);
}

#[tokio::test]
async fn the_key_goes_to_the_base_alone() {
    let elsewhere = Scripted::start(|_| answer(200, "content")).await;
    let target = elsewhere.address.join("v1beta/files/abc:download").unwrap().to_string();
    let away = target.clone();
    let base = Scripted::start(move |head| match head.uri.path() {
        "/v1beta/files/here:download" => redirect("/moved"),
        "/moved" => answer(200, "content"),
        _ => redirect(&away),
    })
    .await;
    let veo = veo(&base.address);
    let file = tempfile::NamedTempFile::new().unwrap();
    let source = |url: &str| Source::Url(base.address.join(url).unwrap());

    let downloaded = veo.download(&operation(), &source("/v1beta/files/here:download"), file.path()).await;
    assert_eq!(downloaded.unwrap().size, 7);
    assert_eq!(std::fs::read(file.path()).unwrap(), b"content");
    for (url, by_redirect) in [
        ("/v1beta/files/there:download", true),
        (target.as_str(), false),
        ("https://169.254.169.254/latest/meta-data", false),
    ] {
        let error = veo.download(&operation(), &source(url), file.path()).await.unwrap_err();
        let expected = match error {
            DownloadError::Redirected(_) => by_redirect,
            DownloadError::Forbidden(_) => !by_redirect,
            _ => false,
        };
        assert!(expected, "{url}: {error}");
    }
    assert_eq!(elsewhere.seen(), []);
    let key = Some(KEY.to_owned());
    let paths = ["/v1beta/files/here:download", "/moved", "/v1beta/files/there:download"];
    assert_eq!(base.seen(), paths.map(|path| (path.to_owned(), key.clone())));
}

#[tokio::test]
async fn a_poll_says_what_it_does_not_know() {
    let server = Scripted::start(|_| {
        Response::builder().status(503).header("retry-after", "7").body(s3s::Body::empty()).unwrap()
    })
    .await;
    let polled = veo(&server.address).poll(&operation()).await;
    assert!(
        matches!(polled, Polled::Unclear { wait: Some(wait), .. } if wait == Duration::from_secs(7)),
        "{polled:?}"
    );
}

#[tokio::test]
async fn a_download_ends_with_an_error_when_it_is_cut_off_or_too_large() {
    let server = Scripted::start(|head| match head.uri.path() {
        "/gone" => answer(404, ""),
        _ => answer(200, "x".repeat(1_000)),
    })
    .await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let variables = [
        ("VEO3_BASE_URL", server.address.as_str()),
        ("VEO3_API_KEY", KEY),
        ("PROVIDER_LARGEST_VIDEO", "999"),
    ];
    let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let providers = Providers::read(&Environment::from_map(map)).unwrap();
    let veo = providers.get("veo3").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let fetch = async |path: &str| {
        let source = Source::Url(server.address.join(path).unwrap());
        veo.download(&operation(), &source, file.path()).await.unwrap_err()
    };
    assert!(matches!(fetch("/large").await, DownloadError::TooLarge));
    assert!(matches!(fetch("/gone").await, DownloadError::Refused(404)));
}

/// How the body of a video goes wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// It has no length and no end.
    Endless,
    /// There is always a little more, and never much.
    Trickling,
    /// Nothing comes any more.
    Stalled,
    /// The connection breaks.
    Cut,
}

/// The server's side of a body; it tells when it is over.
struct Sending(Arc<Notify>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A body that begins so and goes wrong. What it consists of is base64, too.
fn going_wrong(wrong: Wrong, beginning: &'static str, over: &Arc<Notify>) -> Answer {
    let begin = (0, Sending(Arc::clone(over)));
    let body = futures_util::stream::unfold(begin, move |(piece, sending)| async move {
        let next = match (wrong, piece) {
            (_, 0) => Ok(Bytes::from_static(beginning.as_bytes())),
            (Wrong::Endless, _) => Ok(Bytes::from(vec![b'A'; 64 * 1024])),
            (Wrong::Trickling, _) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(Bytes::from_static(b"AAAA"))
            }
            (Wrong::Stalled | Wrong::Cut, 1) => Ok(Bytes::from_static(b"AAAA")),
            (Wrong::Stalled, _) => std::future::pending().await,
            (Wrong::Cut, _) => Err(std::io::Error::other("as told")),
        };
        Some((next, (piece + 1, sending)))
    });
    Response::new(s3s::Body::from(s3s::dto::StreamingBlob::wrap(body)))
}

/// By a link as well as inside of an answer.
#[tokio::test]
async fn a_download_that_goes_wrong_ends_within_its_bounds() {
    const LARGEST: u64 = 1_000_000;
    let inside = r#"{"done":true,"response":{"videos":[{"bytesBase64Encoded":""#;
    let name = "projects/p/locations/l/publishers/google/models/m/operations/o";
    let place = Source::Inline("/response/videos/0/bytesBase64Encoded".to_owned());
    // Only the bound in question is a short one.
    for (wrong, bound) in [
        (Wrong::Endless, ("PROVIDER_LARGEST_VIDEO", "1000000")),
        (Wrong::Trickling, ("PROVIDER_DOWNLOAD_TIMEOUT", "200ms")),
        (Wrong::Stalled, ("PROVIDER_STALL_TIMEOUT", "200ms")),
        (Wrong::Cut, ("PROVIDER_LARGEST_VIDEO", "1000000")),
    ] {
        for (is_inside, beginning) in [(false, "AAAA"), (true, inside)] {
            let over = Arc::<Notify>::default();
            let told = Arc::clone(&over);
            let server = Scripted::start(move |_| going_wrong(wrong, beginning, &told)).await;
            let base = server.address.as_str();
            let mut variables = vec![("VEO3_BASE_URL", base), ("VEO3_API_KEY", KEY), bound];
            variables.extend(is_inside.then_some(("VEO3_VERTEX_PROJECT", "p")));
            let (operation, source) = if is_inside {
                (Operation { name: name.to_owned(), ..operation() }, place.clone())
            } else {
                (operation(), Source::Url(server.address.join("/video").unwrap()))
            };
            let file = tempfile::NamedTempFile::new().unwrap();
            let provider = provider(&variables);
            let error = in_time(provider.download(&operation, &source, file.path())).await.unwrap_err();
            let expected = match wrong {
                Wrong::Endless => matches!(error, DownloadError::TooLarge),
                Wrong::Trickling | Wrong::Stalled => matches!(error, DownloadError::TooSlow),
                Wrong::Cut => matches!(error, DownloadError::Interrupted(_)),
            };
            assert!(expected, "{wrong:?}, inside: {is_inside}: {error}");
            assert!(file.path().metadata().unwrap().len() <= LARGEST, "{wrong:?}");
            // Nobody goes on to read it, so the connection is closed.
            in_time(over.notified()).await;
        }
    }
}

#[tokio::test]
async fn a_download_that_is_never_answered_ends_within_its_bounds() {
    // It takes the connection and nothing else.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let veo = provider(&[
        ("VEO3_BASE_URL", address.as_str()),
        ("VEO3_API_KEY", KEY),
        ("PROVIDER_STALL_TIMEOUT", "200ms"),
    ]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let source = Source::Url(address.join("/video").unwrap());
    let error = in_time(veo.download(&operation(), &source, file.path())).await.unwrap_err();
    assert!(matches!(error, DownloadError::TooSlow), "{error}");
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many() {
    let finished = json!({"name": "x", "done": false}).to_string();
    let server = Scripted::start(move |head| match head.uri.path() {
        "/token" => answer(200, json!({"access_token": "ya29.one", "expires_in": 3600}).to_string()),
        _ => answer(200, finished.clone()),
    })
    .await;
    let account = include_str!("service-account.json");
    let account =
        account.replace("http://127.0.0.1:8082/token", server.address.join("token").unwrap().as_str());
    let vertex = provider(&[
        ("VEO3_VERTEX_PROJECT", "p"),
        ("VEO3_VERTEX_CREDENTIALS", &account),
        ("VEO3_BASE_URL", server.address.as_str()),
    ]);
    let name = "projects/p/locations/l/publishers/google/models/m/operations/o".to_owned();
    let operation = Operation { job_id: JobId::new(), name };
    let polls = (0..20).map(|_| vertex.poll(&operation));
    for polled in futures_util::future::join_all(polls).await {
        assert_eq!(polled, Polled::Pending { progress: None });
    }
    let asked = server.seen().into_iter().filter(|(path, _)| path == "/token").count();
    assert_eq!(asked, 1);
    let heads = server.seen.lock().unwrap();
    let bearers = heads.iter().filter_map(|head| head.headers.get("authorization"));
    assert!(bearers.clone().all(|bearer| bearer == "Bearer ya29.one"));
    assert_eq!(bearers.count(), 20);
}

/// A body of this shape is never whole in memory, neither here nor in the client, which is what the other side shows:
/// it is not asked for more before what came is written.
#[tokio::test]
async fn a_video_inside_of_an_answer_is_taken_in_pieces_and_within_limits() {
    const PIECE: usize = 48 * 1024;
    const PIECES: usize = 1_000;
    let body = || {
        let name = r#"{"name":"x","done":true,"response":{"videos":[{"bytesBase64Encoded":""#;
        let piece =
            bytes::Bytes::from(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, vec![7; PIECE]));
        let pieces = futures_util::stream::iter(
            std::iter::once(bytes::Bytes::from(name))
                .chain(std::iter::repeat_n(piece, PIECES))
                .chain(std::iter::once(bytes::Bytes::from(r#"","mimeType":"video/mp4"}]}}"#)))
                .map(Ok::<_, std::io::Error>),
        );
        Response::new(s3s::Body::from(s3s::dto::StreamingBlob::wrap(pieces)))
    };
    let server = Scripted::start(move |_| body()).await;
    let settings =
        [("VEO3_VERTEX_PROJECT", "p"), ("VEO3_API_KEY", KEY), ("VEO3_BASE_URL", server.address.as_str())];
    let vertex = provider(&settings);
    let name = "projects/p/locations/l/publishers/google/models/m/operations/o".to_owned();
    let operation = Operation { job_id: JobId::new(), name };
    let Polled::Finished(source) = vertex.poll(&operation).await else { panic!("not finished") };
    let file = tempfile::NamedTempFile::new().unwrap();
    let downloaded = vertex.download(&operation, &source, file.path()).await.unwrap();
    assert_eq!(downloaded.size, (PIECE * PIECES) as u64);
    assert_eq!(file.path().metadata().unwrap().len(), downloaded.size);

    let limited = provider(&[settings[0], settings[1], settings[2], ("PROVIDER_LARGEST_VIDEO", "1000000")]);
    let error = limited.download(&operation, &source, file.path()).await.unwrap_err();
    assert!(matches!(error, DownloadError::TooLarge), "{error}");
}
