//! Event streams and WebSockets as a browser speaks them, byte for byte.

use std::{net::SocketAddr, time::Duration};

use contract::JobStatus;
use foundation::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::{
    generations::{id, path, queued, start},
    test_app::{Caller, TestApp, on_both_databases},
    worker::{FakeWorker, tell},
};

/// No test waits so long for what has to come.
const SOON: Duration = Duration::from_secs(20);

/// An open event stream.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(caller: &Caller, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = caller.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("content-encoding", "identity"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        Self { response, text: String::new() }
    }

    /// The next block, without its blank line; nothing once the stream has ended.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event: its cursor, its name and its data. Comments and bare cursors are passed over.
    async fn event(&mut self) -> (i64, String, Value) {
        loop {
            let block = self.block().await.unwrap();
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            if let (Some(id), Some(event), Some(data)) = (field("id"), field("event"), field("data")) {
                return (id.parse().unwrap(), event.to_owned(), serde_json::from_str(data).unwrap());
            }
        }
    }

    /// Asserts that nothing more comes.
    async fn ends(mut self) {
        assert_eq!(self.block().await, None);
    }
}

/// An open WebSocket (RFC 6455), as plain as can be.
struct Socket {
    stream: TcpStream,
}

/// What a socket brings.
#[derive(Debug, PartialEq)]
enum Frame {
    Json(Value),
    Ping,
    Pong,
    Closed(u16),
}

impl Socket {
    /// Shakes hands; the status instead if the service refuses.
    async fn open(app: &TestApp, headers: &str) -> Result<Self, u16> {
        let address = app.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /api/ws HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 101 { Ok(Self { stream }) } else { Err(status) }
    }

    async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 + length),
            _ => {
                frame.push(0x80 + 126);
                frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        // A mask of zeros leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn say(&mut self, value: &Value) {
        self.frame(1, value.to_string().as_bytes()).await;
    }

    /// Waits until everything that was said has been taken in: frames are answered in order.
    async fn settle(&mut self) {
        self.frame(9, b"").await;
        assert_eq!(self.next().await, Frame::Pong);
    }

    async fn next(&mut self) -> Frame {
        tokio::time::timeout(SOON, self.read()).await.unwrap()
    }

    async fn read(&mut self) -> Frame {
        let Ok(first) = self.stream.read_u8().await else { return Frame::Closed(0) };
        let mut length = u64::from(self.stream.read_u8().await.unwrap());
        if length == 126 {
            length = self.stream.read_u16().await.unwrap().into();
        } else if length == 127 {
            length = self.stream.read_u64().await.unwrap();
        }
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await.unwrap();
        match first & 0x0f {
            1 => Frame::Json(serde_json::from_slice(&payload).unwrap()),
            8 => Frame::Closed(u16::from_be_bytes([payload[0], payload[1]])),
            9 => Frame::Ping,
            10 => Frame::Pong,
            other => unreachable!("opcode {other}"),
        }
    }

    /// The code of the error that comes next.
    async fn error(&mut self) -> String {
        let Frame::Json(frame) = self.next().await else { unreachable!("no error") };
        assert!(!frame["error"]["detail"].as_str().unwrap().is_empty());
        frame["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// Opens an event stream, takes its beginning and nothing more.
async fn deaf(app: &TestApp, caller: &Caller, path: &str) -> TcpStream {
    let address: SocketAddr = app.url.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    // The less is taken for it by the system, the sooner nothing is.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{}\r\n", cookie(caller));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begun = Vec::new();
    while !begun.ends_with(b"\nid: 0\n\n") {
        begun.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// Says as much as a message may hold: written as JSON it is six times as long.
async fn say_much(caller: &Caller, conversation: &str) {
    let said = json!({"content": "\u{1}".repeat(8192)});
    let answer = caller.post(&format!("/api/conversations/{conversation}/messages"), &said).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body["detail"]);
}

fn cookie(caller: &Caller) -> String {
    format!("cookie: reelay_session={}\r\n", caller.token.as_deref().unwrap())
}

on_both_databases! {
    async fn a_stream_tells_where_it_begins_and_that_it_lives(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_HEARTBEAT", "50ms")]).await;
        let ada = app.user().await;
        let path = format!("/api/conversations/{}/events", ada.conversation().await);
        let mut stream = Stream::open(&ada, &path, None).await;
        assert_eq!(stream.block().await.unwrap(), "retry: 2000\nid: 0");
        for _ in 0..2 {
            assert!(stream.block().await.unwrap().starts_with(':'));
        }
        drop(stream);
        app.stop().await;
    }

    async fn an_impossible_cursor_gets_a_resync_and_the_header_counts_first(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let ada = app.user().await;
        let conversation = ada.conversation().await;
        let path = format!("/api/conversations/{conversation}/events");
        let resync = format!("id: 0\nevent: resync\ndata: {}", json!({"conversationId": conversation}));
        for (path, header) in
            [(format!("{path}?after=7"), None), (path.clone(), Some("7")), (format!("{path}?after=0"), Some("x"))]
        {
            let mut stream = Stream::open(&ada, &path, header).await;
            assert_eq!(stream.block().await.unwrap(), "retry: 2000\nid: 0");
            assert_eq!(stream.block().await.unwrap(), resync, "{path} {header:?}");
        }
        app.stop().await;
    }

    async fn what_happens_is_told_by_every_road_in_its_get_form(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let ada = app.user().await;
        let conversation = ada.conversation().await;
        let path = format!("/api/conversations/{conversation}");
        let mut stream = Stream::open(&ada, &format!("{path}/events"), None).await;
        stream.block().await.unwrap();
        let mut socket = Socket::open(&app, &cookie(&ada)).await.unwrap();
        socket.say(&json!({"subscribe": conversation})).await;
        socket.settle().await;
        let said = json!({"content": "Make a 4 second 16:9 video of a paper boat"});
        let answer = ada.post(&format!("{path}/messages"), &said).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let generation = answer.body["generation"]["id"].as_str().unwrap();
        let shown = ada.get(&format!("/api/generations/{generation}")).await.body;

        let mut events = Vec::new();
        while events.last().is_none_or(|(_, _, data): &(i64, String, Value)| {
            data["generation"]["status"] != "pending_confirmation"
        }) {
            events.push(stream.event().await);
            let (id, name, data) = events.last().unwrap();
            let frame = json!({"id": id.to_string(), "event": name, "data": data});
            assert_eq!(socket.next().await, Frame::Json(frame));
        }
        let cursors: Vec<_> = events.iter().map(|(cursor, ..)| *cursor).collect();
        assert_eq!(cursors, (1..=cursors.len() as i64).collect::<Vec<_>>());
        let messages: Vec<_> =
            events.iter().filter(|(_, name, _)| name == "message.created").map(|(_, _, data)| data).collect();
        let told = |message: &Value| json!({"conversationId": conversation, "message": message});
        assert_eq!(messages, [&told(&answer.body["message"]), &told(&answer.body["reply"])]);
        let (last, name, data) = events.last().unwrap();
        assert_eq!((name.as_str(), &data["conversationId"]), ("generation.updated", &json!(conversation)));
        let without_cursor = |mut generation: Value| {
            generation.as_object_mut().unwrap().remove("eventsCursor").unwrap();
            generation
        };
        assert_eq!(without_cursor(data["generation"].clone()), without_cursor(shown));

        // The generation's own stream has what is about it and none of the rest, under the same cursors.
        let own = format!("/api/generations/{generation}/events?after=0");
        let mut own = Stream::open(&ada, &own, None).await;
        own.block().await.unwrap();
        let expected: Vec<_> = events
            .iter()
            .filter(|(_, _, data)| {
                data["generation"]["id"] == generation || data["message"]["generationId"] == generation
            })
            .collect();
        for event in expected {
            assert_eq!(own.event().await, *event);
        }
        // A cancel is pushed to whoever listens, and the end of the conversation ends its streams.
        ada.post(&format!("/api/generations/{generation}/cancel"), &json!({})).await;
        loop {
            let (cursor, _, data) = own.event().await;
            assert!(cursor > *last);
            if data["generation"]["status"] == "cancelled" {
                break;
            }
        }
        ada.delete(&path).await;
        while stream.block().await.is_some() {}
        while own.block().await.is_some() {}
        loop {
            let Frame::Json(frame) = socket.next().await else { unreachable!("the socket ended") };
            if !frame["error"].is_null() {
                break assert_eq!(frame["error"]["conversationId"], conversation.as_str());
            }
        }
        socket.settle().await;
        app.stop().await;
    }

    /// Whoever is pushed to does not poll, so the time that is left has to come along.
    async fn the_time_that_is_left_is_pushed_as_it_is_read(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let ada = app.user().await;
        let generation = queued(&ada).await;
        let mut stream = Stream::open(&ada, &format!("{}/events", path(&generation)), None).await;
        stream.block().await.unwrap();
        let says = |sequence, eta_seconds| {
            let mut snapshot = worker.snapshot(&id(&generation), JobStatus::Active, sequence);
            snapshot.eta_seconds = eta_seconds;
            snapshot
        };
        for (snapshot, left) in [
            (says(2, Some(40)), json!(40)),
            // Of a video that is late the worker says none, and what it said before that comes too late itself.
            (says(4, None), Value::Null),
            (says(3, Some(20)), Value::Null),
            (says(5, Some(3)), json!(3)),
            (worker.snapshot(&id(&generation), JobStatus::Completed, 6), Value::Null),
        ] {
            let sequence = snapshot.sequence;
            tell(&app, snapshot).await;
            let read = ada.get(&path(&generation)).await.body;
            assert_eq!(read["etaSeconds"], left, "read after {sequence}");
            assert!(read.as_object().unwrap().contains_key("etaSeconds"));
            let status = ada.get(&format!("{}/status", path(&generation))).await.body;
            assert_eq!(status["etaSeconds"], left, "polled after {sequence}");
        }
        let mut pushed = Vec::new();
        while pushed.len() < 4 {
            let (_, name, data) = stream.event().await;
            if name == "generation.updated" {
                pushed.push(data["generation"]["etaSeconds"].clone());
            }
        }
        assert_eq!(pushed, [json!(40), Value::Null, json!(3), Value::Null]);
        app.stop().await;
    }

    async fn nobody_listens_to_what_is_not_theirs(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let (ada, eve) = (app.user().await, app.user().await);
        let conversation = ada.conversation().await;
        let unknown = "conv_0192f0c1d2e37a4b8c5d6e7f80912a3b";
        for id in [conversation.as_str(), unknown, "nonsense"] {
            eve.get(&format!("/api/conversations/{id}/events")).await.is_problem(404, "not_found");
        }
        for id in ["gen_0192f0c1d2e37a4b8c5d6e7f80912a3b", "nonsense"] {
            eve.get(&format!("/api/generations/{id}/events")).await.is_problem(404, "not_found");
        }
        let path = format!("/api/conversations/{conversation}/events");
        app.nobody().get(&path).await.is_problem(401, "unauthenticated");
        let mut socket = Socket::open(&app, &cookie(&eve)).await.unwrap();
        for id in [conversation.as_str(), unknown, "nonsense"] {
            socket.say(&json!({"subscribe": id})).await;
            assert_eq!(socket.error().await, "not_found");
        }
        app.stop().await;
    }

    async fn logging_out_ends_what_the_session_opened(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_SWEEP", "1h")]).await;
        let ada = app.user().await;
        let path = format!("/api/conversations/{}/events", ada.conversation().await);
        let mut stream = Stream::open(&ada, &path, None).await;
        stream.block().await.unwrap();
        let mut socket = Socket::open(&app, &cookie(&ada)).await.unwrap();
        socket.settle().await;
        ada.post("/api/auth/logout", &json!({})).await;
        stream.ends().await;
        assert_eq!(socket.error().await, "unauthenticated");
        assert_eq!(socket.next().await, Frame::Closed(1008));
        app.stop().await;
    }

    async fn a_stop_tells_clients_to_come_back_and_is_not_held(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let ada = app.user().await;
        let path = format!("/api/conversations/{}/events", ada.conversation().await);
        let mut stream = Stream::open(&ada, &path, None).await;
        stream.block().await.unwrap();
        let mut socket = Socket::open(&app, &cookie(&ada)).await.unwrap();
        socket.settle().await;
        let stopped = tokio::spawn(app.stop());
        let goodbye = stream.block().await.unwrap();
        assert!(goodbye.contains("retry: "), "{goodbye}");
        stream.ends().await;
        assert_eq!(socket.next().await, Frame::Closed(1012));
        drop(socket);
        tokio::time::timeout(SOON, stopped).await.unwrap().unwrap();
    }

    async fn a_socket_without_a_cookie_says_its_token_first(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_AUTHENTICATION", "2s")]).await;
        let ada = app.user().await;
        let conversation = ada.conversation().await;
        let mut socket = Socket::open(&app, "").await.unwrap();
        socket.say(&json!({"auth": ada.token})).await;
        socket.say(&json!({"subscribe": conversation, "after": "9"})).await;
        let data = json!({"conversationId": conversation});
        assert_eq!(socket.next().await, Frame::Json(json!({"id": "0", "event": "resync", "data": data})));
        // A cookie that is no good is as good as none, and neither is any other first frame.
        for (headers, frame) in [
            ("", Some(json!({"auth": "wrong"}))),
            ("", Some(json!({"subscribe": conversation}))),
            ("cookie: reelay_session=wrong\r\n", Some(json!({"subscribe": conversation}))),
            ("", None),
        ] {
            let mut socket = Socket::open(&app, headers).await.unwrap();
            if let Some(frame) = &frame {
                socket.say(frame).await;
            }
            assert_eq!(socket.error().await, "unauthenticated", "{frame:?}");
            assert_eq!(socket.next().await, Frame::Closed(1008));
        }
        app.stop().await;
    }

    async fn a_socket_refuses_what_it_does_not_understand_and_lives_on(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_SUBSCRIPTIONS", "1")]).await;
        let ada = app.user().await;
        let (first, second) = (ada.conversation().await, ada.conversation().await);
        let mut socket = Socket::open(&app, &cookie(&ada)).await.unwrap();
        for text in ["", "hello", "{}", "{\"subscribe\":7}"] {
            socket.frame(1, text.as_bytes()).await;
            assert_eq!(socket.error().await, "malformed_frame", "{text}");
        }
        socket.frame(2, b"binary").await;
        assert_eq!(socket.error().await, "malformed_frame");
        socket.say(&json!({"subscribe": first})).await;
        socket.say(&json!({"subscribe": second})).await;
        assert_eq!(socket.error().await, "too_many_listeners");
        socket.say(&json!({"unsubscribe": first})).await;
        socket.say(&json!({"subscribe": second})).await;
        socket.say(&json!({"auth": ada.token})).await;
        socket.settle().await;
        let long = json!({"subscribe": "x".repeat(20_000)});
        socket.say(&long).await;
        assert_eq!(socket.next().await, Frame::Closed(1009));
        app.stop().await;
    }

    async fn a_socket_is_pinged_and_dropped_if_it_does_not_answer(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_HEARTBEAT", "400ms")]).await;
        let ada = app.user().await;
        let mut socket = Socket::open(&app, &cookie(&ada)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(socket.next().await, Frame::Ping);
            socket.frame(10, b"").await;
        }
        loop {
            match socket.next().await {
                Frame::Ping => {}
                other => break assert_eq!(other, Frame::Closed(1008)),
            }
        }
        app.stop().await;
    }

    async fn listeners_of_one_user_are_bounded(database: TestDatabase) {
        let app = TestApp::start_with(database, &[("PUSH_LISTENERS_PER_USER", "1")]).await;
        let (ada, bob) = (app.user().await, app.user().await);
        let path = format!("/api/conversations/{}/events", ada.conversation().await);
        let mut stream = Stream::open(&ada, &path, None).await;
        stream.block().await.unwrap();
        ada.get(&path).await.is_problem(429, "too_many_listeners");
        assert_eq!(Socket::open(&app, &cookie(&ada)).await.err(), Some(429));
        assert!(Socket::open(&app, &cookie(&bob)).await.is_ok());
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_elsewhere_opens_no_socket() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let ada = app.user().await;
    for (origin, status) in
        [(app.url.as_str(), None), ("https://evil.example", Some(403)), ("null", Some(403))]
    {
        let opened = Socket::open(&app, &format!("{}origin: {origin}\r\n", cookie(&ada))).await;
        assert_eq!(opened.err(), status, "{origin}");
    }
    ada.get("/api/ws").await.is_problem(400, "no_websocket");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_reading_loses_its_place() {
    let settings = [
        ("PUSH_LISTENERS_PER_USER", "1"),
        ("PUSH_PATIENCE", "200ms"),
        ("RATE_MESSAGES_PER_MINUTE", "1000000"),
    ];
    let app = TestApp::start_with(TestDatabase::sqlite(), &settings).await;
    let ada = app.user().await;
    let conversation = ada.conversation().await;
    let path = format!("/api/conversations/{conversation}/events");
    let mut deaf = deaf(&app, &ada, &path).await;
    ada.get(&path).await.is_problem(429, "too_many_listeners");
    let freed = async {
        loop {
            say_much(&ada, &conversation).await;
            let answer = ada.request(Method::GET, &path).send().await.unwrap();
            if answer.status() == 200 {
                break;
            }
            assert_eq!(answer.status(), 429);
        }
    };
    assert!(tokio::time::timeout(SOON * 3, freed).await.is_ok(), "the place is kept");
    // What was on its way comes still, then the end: in order or by a reset, which the system decides.
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SOON, deaf.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is kept");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_reading_does_not_hold_a_stop() {
    /// More than the systems of both sides take for a reader who does not read.
    const MUCH: usize = 120;
    let settings =
        [("PUSH_PATIENCE", "1h"), ("SHUTDOWN_TIMEOUT", "2m"), ("RATE_MESSAGES_PER_MINUTE", "1000000")];
    let app = TestApp::start_with(TestDatabase::sqlite(), &settings).await;
    let ada = app.user().await;
    let conversation = ada.conversation().await;
    let deaf = deaf(&app, &ada, &format!("/api/conversations/{conversation}/events")).await;
    for _ in 0..MUCH {
        say_much(&ada, &conversation).await;
    }
    assert!(tokio::time::timeout(SOON, app.stop()).await.is_ok(), "the stop is held");
    drop(deaf);
}
