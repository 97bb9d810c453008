//! What a server leaves behind of a request that panics, what HEAD is answered, what it says when it ends unasked, and
//! that whoever takes nothing does not hold it.

use std::convert::Infallible;

use actix_web::{HttpRequest, http::header::HeaderName, middleware::Next, web::Bytes};
use futures_util::stream;
use telemetry::{catalogue, metric, testing::Capture};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, Info, PathItem, PathsBuilder, ResponseBuilder, path::OperationBuilder,
};

use super::*;
use crate::{Connection, to_its_end};

const WHOLE: Duration = Duration::from_secs(10);

async fn panics() -> HttpResponse {
    panic!("a fault of ours");
}

/// Has something to say for ever, on a connection that does not last so long.
async fn endless(request: HttpRequest) -> HttpResponse {
    let connection = Connection::of(&request).unwrap();
    tokio::spawn(async move { connection.end_within(Duration::from_millis(100)).await });
    let chunk = Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024]));
    HttpResponse::Ok().streaming(stream::repeat(chunk))
}

/// A middleware that has something to say on every answer.
async fn speaking<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let said = (HeaderName::from_static("x-said"), header::HeaderValue::from_static("by a middleware"));
    match to_its_end(request, next).await {
        Ok(mut response) => {
            response.headers_mut().insert(said.0, said.1);
            Ok(response)
        }
        Err(mut failure) => {
            failure.headers_mut().insert(said.0, said.1);
            Err(failure.into())
        }
    }
}

fn server() -> Server {
    let listeners = Listeners::take(([127, 0, 0, 1], 0).into(), None).unwrap();
    let metrics = listeners.own_metrics();
    let get = |content_type: &str| {
        let response = ResponseBuilder::new().content(content_type, ContentBuilder::new().build()).build();
        PathItem::new(HttpMethod::Get, OperationBuilder::new().response("200", response))
    };
    let paths =
        PathsBuilder::new().path("/metrics", get("text/plain")).path("/endless", get("text/event-stream"));
    let document = OpenApi::new(Info::new("", ""), paths);
    let application = move || {
        let metrics = metrics.clone();
        let answer = move || std::future::ready(metrics.answer());
        App::new()
            .route("/metrics", web::get().to(answer))
            .route("/panics", web::get().to(panics))
            .route("/endless", web::get().to(endless))
            .wrap(from_fn(speaking))
    };
    listeners.serve(Serving { threads: Some(1), shutdown: WHOLE }, &document, application).unwrap()
}

async fn get(address: SocketAddr, path: &str) -> String {
    ask(address, "GET", path).await
}

/// The whole answer, in small letters.
async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: sample\r\nx-request-id: my-id\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_leaves_what_every_request_does() {
    let log = Capture::install().unwrap();
    let server = server();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { stopped.await.unwrap() };
    let running = tokio::spawn(server.run_until(shutdown, WHOLE));

    let answer = get(address, "/panics").await;
    assert!(answer.starts_with("http/1.1 500 "), "{answer}");
    for part in [
        "\r\nx-request-id: my-id\r\n",
        "\r\nx-said: by a middleware\r\n",
        "\r\ncontent-type: application/problem+json\r\n",
        "\"requestid\":\"my-id\"",
    ] {
        assert_eq!(answer.matches(part).count(), 1, "{part}: {answer}");
    }
    assert!(!answer.contains("a fault of ours"), "{answer}");
    assert_eq!(log.named(catalogue::SERVICE_REQUEST_FAILED).len(), 1);
    let metrics = get(address, "/metrics").await;
    let counted = metrics.lines().any(|line| {
        line.starts_with(metric::HTTP_REQUESTS)
            && line.contains("route=\"/panics\"")
            && line.contains("status=\"500\"")
    });
    assert!(counted, "{metrics}");

    stop.send("the test is over").unwrap();
    let stopping = running.await.unwrap();
    stopping.end_requests(WHOLE).await;
    stopping.end().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_get_without_the_body() {
    let server = server();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(server.run_until(async move { stopped.await.unwrap() }, WHOLE));

    // The first request finds nothing counted yet.
    get(address, "/metrics").await;
    let answer = ask(address, "HEAD", "/metrics").await;
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\ncontent-type: text/plain") && head.contains("\r\nx-said: "), "{head}");
    let length = head.split("\r\ncontent-length: ").nth(1).unwrap().lines().next().unwrap();
    assert!(length.parse::<usize>().unwrap() > 0, "of what GET would answer: {head}");
    assert_eq!(body, "");
    // What has no end is not begun.
    let endless = ask(address, "HEAD", "/endless").await;
    assert!(endless.starts_with("http/1.1 405 "), "{endless}");
    let metrics = get(address, "/metrics").await;
    let is_counted = |line: &str| {
        line.starts_with(metric::HTTP_REQUESTS)
            && line.contains("method=\"head\"")
            && line.contains("route=\"/metrics\"")
    };
    assert!(metrics.lines().any(is_counted), "as it was sent: {metrics}");

    stop.send("the test is over").unwrap();
    let stopping = running.await.unwrap();
    stopping.end_requests(WHOLE).await;
    stopping.end().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_metrics_are_served_alone_errors_are_as_everywhere() {
    let bind = ([127, 0, 0, 1], 0).into();
    let listener = listen(bind).unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve_metrics(bind, listener, telemetry::install_metrics().unwrap()).unwrap();
    let handle = server.handle();
    let running = tokio::spawn(server);
    for (method, path, status) in
        [("GET", "/metrics", 200), ("HEAD", "/metrics", 200), ("GET", "/", 404), ("POST", "/metrics", 405)]
    {
        let answer = ask(address, method, path).await;
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{method} {path}: {answer}");
        assert!(answer.contains("\r\nx-request-id: my-id\r\n"), "{method} {path}: {answer}");
        let is_problem = answer.contains("\r\ncontent-type: application/problem+json\r\n");
        assert_eq!(is_problem, status >= 400, "{method} {path}: {answer}");
        assert_eq!(answer.contains("\r\nallow: get, head\r\n"), status == 405, "{method} {path}: {answer}");
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_nothing_can_be_cut_off() {
    let server = server();
    let mut deaf = TcpStream::connect(server.address()).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { stopped.await.unwrap() };
    let running = tokio::spawn(server.run_until(shutdown, WHOLE));
    deaf.write_all(b"GET /endless HTTP/1.1\r\nhost: sample\r\n\r\n").await.unwrap();
    // A byte says that it is answered, and so does the end.
    let _ = deaf.read_u8().await;
    stop.send("the test is over").unwrap();
    let stopping = running.await.unwrap();
    let ended = timeout(WHOLE / 2, stopping.end_requests(WHOLE)).await;
    assert!(ended.is_ok(), "an answer that nobody takes holds the stop");
    stopping.end().unwrap();
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_by_itself_is_a_failure() {
    let log = Capture::install().unwrap();
    let server = server();
    let handle = server.parts[0].handle();
    let running = tokio::spawn(server.run_until(std::future::pending(), WHOLE));
    handle.stop(false).await;
    let failure = running.await.unwrap().end().unwrap_err();
    assert!(matches!(failure, RunError::Server(_)), "{failure}");
    let lines = log.named(catalogue::SERVICE_TASK_FAILED);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].level, "ERROR");
    let gone = io::Error::other("the socket is gone");
    assert_eq!(cause(Ok(Err(gone))), "the socket is gone");
}
