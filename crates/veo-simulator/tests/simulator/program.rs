//! A simulator in a process of its own, on a free port.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Response};
use serde_json::{Value, json};

/// Whoever waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running simulator. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    base: String,
    client: Client,
}

impl Program {
    pub(crate) fn start(options: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = Command::new(env!("CARGO_BIN_EXE_veo-simulator"))
            .args(["--bind", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Self { child, base: base.trim().to_owned(), client: Client::new() }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).header("x-goog-api-key", "key").send().await.unwrap()
    }

    /// Asks for four seconds of video.
    pub(crate) async fn submit(&self, prompt: &str) -> Response {
        self.submit_within(prompt, PATIENCE).await.unwrap()
    }

    pub(crate) async fn submit_within(&self, prompt: &str, time: Duration) -> reqwest::Result<Response> {
        let body = json!({"instances": [{"prompt": prompt}], "parameters": {"durationSeconds": 4}});
        self.post(&body).timeout(time).send().await
    }

    pub(crate) async fn submit_body(&self, body: &Value) -> Response {
        self.post(body).send().await.unwrap()
    }

    fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        let url = self.url("/v1beta/models/veo-3.1-generate-001:predictLongRunning");
        self.client.post(url).header("x-goog-api-key", "key").json(body)
    }

    /// Posts to any path, with a header that lets in or not.
    pub(crate) async fn post_to(&self, path: &str, header: (&str, &str), body: &Value) -> Response {
        let request = self.client.post(self.url(path)).header(header.0, header.1);
        request.json(body).send().await.unwrap()
    }

    pub(crate) async fn ledger(&self) -> Vec<Value> {
        let ledger: Value = self.get("/ledger").await.json().await.unwrap();
        ledger["submissions"].as_array().unwrap().clone()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that must come.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap()
}
