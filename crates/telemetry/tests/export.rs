//! The way of a span to a collector: over HTTP, complete at shutdown, without secrets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use telemetry::{Options, Output, testing::Capture};

/// Reads one OTLP request: its path and body.
fn receive(stream: TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut stream = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    for (index, line) in stream.by_ref().lines().enumerate() {
        let line = line?.to_lowercase();
        if index == 0 {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().map_err(std::io::Error::other)?;
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok((path, body))
}

#[tokio::test]
async fn shutdown_exports_what_is_left() {
    // What every binary does first. The exporter's client asks for a provider where others bring TLS into the build.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, collected) = mpsc::channel();
    std::thread::spawn(move || sender.send(listener.accept().and_then(|(stream, _)| receive(stream))));
    let settings = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| endpoint.clone());
    let options = Options::from_settings("export-test", settings).unwrap();
    let capture = Capture::default();
    let guard = telemetry::init(Options { output: Output::Capture(capture.clone()), ..options }).unwrap();

    let span = tracing::info_span!("making a video", jobId = "job_exported", apiKey = "leaked-1");
    span.in_scope(|| telemetry::event!(INFO, SERVICE_STOPPING, reason = "refused whsec_leaked2"));
    drop(span);
    guard.shutdown().await;

    let (path, body) = collected.recv_timeout(Duration::from_secs(10)).unwrap().unwrap();
    assert_eq!(path, "/v1/traces");
    let body = String::from_utf8_lossy(&body);
    for expected in ["export-test", "making a video", "job_exported", "[SERVICE] Stopping", "[redacted]"] {
        assert!(body.contains(expected), "{expected} is not in {body}");
    }
    assert!(!body.contains("leaked"), "{body}");
}
