//! What it costs to listen: the memory that idle listeners take, and that each of them hears what happens.

use std::{fs, time::Duration};

use reqwest::Url;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Backend, Build, Client, LIMIT, client::id};

/// What an idle listener may cost at most, in KiB of the API's memory.
const MOST_EACH: u64 = 40;
/// How many listen in a run of all tests; `cargo xtask listeners` sets it higher.
const COUNT: usize = 300;
/// Opened before the first look, so that what the process needs once is not counted.
const WARM: usize = 50;
const MANY_CONVERSATIONS: usize = 10;

/// How many listen.
fn count() -> usize {
    std::env::var("LISTENERS").map_or(COUNT, |count| count.parse().expect("LISTENERS is a number"))
}

/// A client's connection, read as bytes: a library's own buffers are not what is measured.
struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    async fn open(api: &Url, token: &str, path: &str, headers: &str) -> Self {
        let host = format!("{}:{}", api.host_str().unwrap(), api.port().unwrap());
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Reads on until these bytes have come.
    async fn until(&mut self, expected: &[u8]) {
        let reading = async {
            while !self.read.windows(expected.len()).any(|window| window == expected) {
                let read = self.stream.read_buf(&mut self.read).await.unwrap();
                assert!(read > 0, "closed after {}", String::from_utf8_lossy(&self.read));
            }
        };
        let shown = String::from_utf8_lossy(expected).into_owned();
        timeout(LIMIT, reading).await.unwrap_or_else(|_| panic!("{shown:?} did not come"));
        self.read = Vec::new();
    }

    async fn by_stream(api: &Url, token: &str, conversation: &str) -> Self {
        let mut wire = Self::open(api, token, &format!("/api/conversations/{conversation}/events"), "").await;
        wire.until(b"retry: ").await;
        wire
    }

    /// RFC 6455: the frames of a client are masked, here with zeros.
    async fn by_socket(api: &Url, token: &str, conversation: &str) -> Self {
        let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        let mut wire = Self::open(api, token, "/api/ws", headers).await;
        wire.until(b"\r\n\r\n").await;
        let wish = json!({"subscribe": conversation}).to_string();
        let length = u8::try_from(wish.len()).unwrap();
        let text = [&[0x81, 0x80 | length, 0, 0, 0, 0], wish.as_bytes()].concat();
        // The pong comes after the wish was taken, since frames are read in their order.
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        wire.stream.write_all(&[&text[..], &ping].concat()).await.unwrap();
        wire.until(&[0x8a, 0]).await;
        wire
    }
}

/// KiB that a process has in memory.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

async fn idle_listeners_are_cheap(socket: bool) {
    let count = count();
    let most = (count + WARM).to_string();
    let settings = [("PUSH_LISTENERS", most.as_str()), ("PUSH_LISTENERS_PER_USER", most.as_str())];
    let system = Build::on(Backend::Sqlite).quick(&settings).start().await;
    let user = Client::registered(&system.api).await;
    let (api, token) = (Url::parse(&system.api).unwrap(), user.token.clone().unwrap());
    let pid = system.processes["api"].pid();
    let mut conversations = Vec::new();
    for _ in 0..MANY_CONVERSATIONS {
        let conversation = user.post("/api/conversations", &json!({})).await.expect(201);
        conversations.push(id(&conversation).to_owned());
    }
    let mut wires = Vec::with_capacity(count + WARM);
    let mut before = 0;
    for number in 0..count + WARM {
        if number == WARM {
            before = memory(pid);
        }
        let conversation = &conversations[number % MANY_CONVERSATIONS];
        wires.push(if socket {
            Wire::by_socket(&api, &token, conversation).await
        } else {
            Wire::by_stream(&api, &token, conversation).await
        });
    }
    let taken = memory(pid).saturating_sub(before);
    let how = if socket { "WebSocket" } else { "SSE" };
    println!(
        "{count} idle listeners by {how}: {taken} KiB in all, {:.1} KiB each",
        taken as f64 / count as f64
    );
    assert!(taken <= MOST_EACH * count as u64, "{taken} KiB for {count} listeners");

    let begun = tokio::time::Instant::now();
    for conversation in &conversations {
        let path = format!("/api/conversations/{conversation}/messages");
        user.post(&path, &json!({"content": "Hello!"})).await.expect(201);
    }
    for wire in &mut wires {
        wire.until(b"message.created").await;
    }
    let waited: Duration = begun.elapsed();
    println!("each of them heard a message, the last one after {} ms", waited.as_millis());
}

#[tokio::test]
async fn idle_streams_are_cheap_and_all_hear() {
    idle_listeners_are_cheap(false).await;
}

#[tokio::test]
async fn idle_sockets_are_cheap_and_all_hear() {
    idle_listeners_are_cheap(true).await;
}
