//! The webhooks that a request asks for: what they hold, how they are signed, and that they come until they are taken.

use std::net::TcpListener as StdListener;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use contract::signing::{Secrets, SignedHeaders};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::program::{Program, in_time};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Somebody who takes webhooks, one connection each.
struct Receiver {
    listener: TcpListener,
    uri: String,
}

/// A webhook as it came.
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> String {
        let found = self
            .head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.unwrap().1.to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/hook", listener.local_addr().unwrap());
        Self { listener, uri }
    }

    /// Answers the next one with this status.
    async fn next(&self, status: u16) -> Received {
        in_time(async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            loop {
                stream.read_buf(&mut bytes).await.unwrap();
                let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let received = Received { head, body: bytes[end + 4..].to_vec() };
                if received.body.len() == received.header("content-length").parse::<usize>().unwrap() {
                    let answer =
                        format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    return received;
                }
            }
        })
        .await
    }
}

fn veo(prompt: &str, config: &Value) -> Value {
    json!({
        "instances": [{"prompt": prompt}], "parameters": {"durationSeconds": 4}, "webhookConfig": config,
    })
}

async fn told(program: &Program, count: usize) -> Vec<Value> {
    in_time(async {
        loop {
            let ledger = program.ledger().await;
            if ledger.iter().filter(|line| line["told"] == true).count() == count {
                return ledger;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn whoever_asks_is_told_by_a_token_until_it_is_taken() {
    let (program, receiver) =
        (Program::start(&["--latency", "100ms", "--render", "cached"]), Receiver::start().await);
    let config = json!({"uris": [receiver.uri], "user_metadata": {"attempt_id": "a-1"}});
    let accepted: Value = program.submit_body(&veo("a boat", &config)).await.json().await.unwrap();
    let (first, second) = (receiver.next(500).await, receiver.next(204).await);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    let body = second.json();
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!("video.generated"), &accepted["name"]));
    assert_eq!(body["user_metadata"], json!({"attempt_id": "a-1"}));

    let set: Value = program.get("/.well-known/jwks.json").await.json().await.unwrap();
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let coordinate = |name: &str| decode(set["keys"][0][name].as_str().unwrap());
    let token = second.header("webhook-signature");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    public.verify(signed.as_bytes(), &decode(signature)).unwrap();
    let claims: Value = serde_json::from_slice(&decode(signed.split('.').nth(1).unwrap())).unwrap();
    assert_eq!(claims["aud"], receiver.uri.as_str());
    let ledger = told(&program, 1).await;
    assert_eq!(ledger[0]["polls"], 0, "nobody has asked");
}

#[tokio::test]
async fn a_secret_signs_and_faults_drop_and_repeat() {
    let options = ["--latency", "0s", "--render", "cached", "--webhook-secret", SECRET];
    let (program, receiver) = (Program::start(&options), Receiver::start().await);
    let config = json!({"uris": [receiver.uri]});
    program.submit_body(&veo("nobody hears of it [sim:silent]", &config)).await;
    let interaction = json!({
        "model": "gemini-omni-1.1-flash", "input": "a boat [sim:fail] [sim:echo]", "background": true,
        "response_format": {"type": "video"}, "webhook_config": config,
    });
    let key = ("x-goog-api-key", "key");
    let created: Value =
        program.post_to("/v1beta/interactions", key, &interaction).await.json().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let received = receiver.next(204).await;
        let header = |name| received.header(name);
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        let headers = SignedHeaders { id, timestamp, signature: header("webhook-signature") };
        let now = contract::Timestamp::now();
        Secrets::parse(SECRET).unwrap().verify(&headers, &received.body, now).unwrap();
        let body = received.json();
        assert_eq!((&body["type"], &body["data"]["id"]), (&json!("interaction.failed"), &created["id"]));
        ids.push(headers.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "three times the same");
    let ledger = told(&program, 1).await;
    assert_eq!(ledger[0]["told"], false);
}

#[tokio::test]
async fn what_was_not_taken_is_told_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--latency", "0s", "--render", "cached", "--data-dir", directory.path().to_str().unwrap()];
    let port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::start(&options);
    let before: Value = program.get("/.well-known/jwks.json").await.json().await.unwrap();
    let config = json!({"uris": [format!("http://{port}/hook")]});
    program.submit_body(&veo("a boat", &config)).await;
    program.kill();
    let listener = TcpListener::bind(port).await.unwrap();
    let receiver = Receiver { listener, uri: String::new() };
    let program = Program::start(&options);
    let after: Value = program.get("/.well-known/jwks.json").await.json().await.unwrap();
    assert_eq!(before, after, "the key is kept");
    receiver.next(204).await;
    told(&program, 1).await;
}

#[tokio::test]
async fn who_asks_for_nonsense_is_told_so() {
    let program = Program::start(&["--latency", "0s", "--render", "cached"]);
    let good = json!({"uris": ["https://a.example/"]});
    for (config, status) in [
        (json!({"uris": ["no URL"]}), 400),
        (json!({"uris": ["https://a.example/"], "more": 1}), 400),
        (json!({"uris": []}), 200),
    ] {
        assert_eq!(
            program.submit_body(&veo("a boat [sim:silent]", &config)).await.status(),
            status,
            "{config}"
        );
    }
    let vertex =
        "/v1/projects/p/locations/l/publishers/google/models/veo-3.1-generate-001:predictLongRunning";
    let answer = program.post_to(vertex, ("x-goog-api-key", "key"), &veo("a boat", &good)).await;
    assert_eq!(answer.status(), 400, "Vertex knows no such thing");
}
