//! A frontend as the tests play it: JSON requests, polling, and server-sent events.

use std::{sync::Once, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{LIMIT, eventually};

/// Somebody who uses the API.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// Checks that this is a problem of the contract's form, with this status and code.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &json!(code)), "{:#}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["requestId"], self.headers["x-request-id"].to_str().unwrap());
        for field in ["type", "title", "detail"] {
            assert!(self.body[field].is_string(), "{field} of {:#}", self.body);
        }
        self.body
    }
}

impl Client {
    /// Nobody in particular.
    pub(crate) fn anonymous(base: &str) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { http: http.build().unwrap(), base: base.to_owned(), token: None }
    }

    /// Somebody with a new account.
    pub(crate) async fn registered(base: &str) -> Self {
        let client = Self::anonymous(base);
        let email = format!("{}@example.com", uuid::Uuid::now_v7().simple());
        let body = json!({"email": email, "password": "correct horse battery", "name": "A Tester"});
        let answer = client.post("/api/auth/register", &body).await.expect(201);
        client.with_token(answer["token"].as_str().unwrap())
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same person with a new connection for each request, which a balancer can bring to any replica.
    pub(crate) fn without_keeping_connections(&self) -> Self {
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        Self { http: http.build().unwrap(), ..self.clone() }
    }

    /// The same person at another replica.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let answer = timeout(LIMIT, request.send()).await.expect("an answer in time").unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Reply { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Uploads a picture.
    pub(crate) async fn upload(&self, content_type: &str, picture: Vec<u8>) -> Reply {
        let request = self.request(Method::POST, "/api/uploads").header("content-type", content_type);
        self.send(request.body(picture)).await
    }

    /// Fetches what a link leads to, as a `<video>` would: without a token.
    pub(crate) async fn download(&self, link: &str) -> Vec<u8> {
        let answer = self.http.get(link).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{link}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// Starts a conversation and asks for something in it. Returns the answer to the message.
    pub(crate) async fn say(&self, content: &str) -> Value {
        let conversation = self.post("/api/conversations", &json!({})).await.expect(201);
        let path = format!("/api/conversations/{}/messages", conversation["id"].as_str().unwrap());
        self.post(&path, &json!({"content": content})).await.expect(201)
    }

    /// Asks for a video of which everything is said, and says yes. Returns the confirmed generation.
    pub(crate) async fn order(&self, prompt: &str) -> Value {
        let parameters = json!({"duration": 4, "aspectRatio": "16:9", "resolution": "720p"});
        let body = json!({"prompt": prompt, "parameters": parameters});
        let generation = self.post("/api/generations", &body).await.expect(201);
        assert_eq!(generation["status"], "pending_confirmation", "{generation:#}");
        self.act(&generation, "confirm", &json!({})).await.expect(200)
    }

    /// Acts on a generation.
    pub(crate) async fn act(&self, generation: &Value, action: &str, body: &Value) -> Reply {
        self.post(&format!("/api/generations/{}/{action}", id(generation)), body).await
    }

    /// The generation as it is now.
    pub(crate) async fn generation(&self, generation: &Value) -> Value {
        self.get(&format!("/api/generations/{}", id(generation))).await.expect(200)
    }

    /// Waits until the generation has this status.
    pub(crate) async fn until(&self, generation: &Value, status: &str) -> Value {
        eventually(&format!("the generation is {status}"), async || {
            // The API may be down for a while; that is what some tests are about.
            let request = self.request(Method::GET, &format!("/api/generations/{}", id(generation)));
            let now: Value = request.send().await.ok()?.json().await.ok()?;
            let over = ["completed", "failed", "cancelled"].contains(&now["status"].as_str()?);
            assert!(!over || now["status"] == status, "not {status}: {now:#}");
            (now["status"] == status).then_some(now)
        })
        .await
    }

    /// All messages of a generation's conversation, oldest first.
    pub(crate) async fn messages(&self, generation: &Value) -> Vec<Value> {
        let conversation = generation["conversationId"].as_str().unwrap();
        let page =
            self.get(&format!("/api/conversations/{conversation}/messages?limit=100")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// The assistant's messages of this type about a generation.
    pub(crate) async fn told(&self, generation: &Value, kinds: &[&str]) -> Vec<Value> {
        let tells = |message: &Value| {
            message["role"] == "assistant"
                && message["generationId"] == generation["id"]
                && kinds.contains(&message["type"].as_str().unwrap())
        };
        self.messages(generation).await.into_iter().filter(tells).collect()
    }

    /// Checks that a completed generation has what its answer says: a video that plays, and one message (I3, I18).
    pub(crate) async fn check_video(&self, generation: &Value, width: u16, height: u16, seconds: f64) {
        assert_eq!(generation["status"], "completed", "{generation:#}");
        let bytes = self.download(generation["resultUrl"].as_str().unwrap()).await;
        let video = super::video::parse(&bytes);
        assert_eq!((video.width, video.height), (width, height));
        assert!((video.duration - seconds).abs() < 0.25, "{video:?}");
        assert!(video.frames as f64 >= seconds * 10.0, "{video:?}");
        assert_eq!(generation["fileSize"], bytes.len());
        assert_eq!(generation["resolution"], format!("{width}x{height}"));
        assert_eq!(generation["format"], "mp4");
        assert!((generation["duration"].as_f64().unwrap() - video.duration).abs() < 0.1, "{generation:#}");
        let thumbnail = self.download(generation["thumbnailUrl"].as_str().unwrap()).await;
        assert!(thumbnail.starts_with(&[0xff, 0xd8, 0xff]), "a JPEG");
        let posters = generation["posters"].as_array().unwrap();
        let largest = posters.last().map(|poster| (poster["width"].as_u64(), poster["height"].as_u64()));
        assert_eq!(largest, Some((Some(width.into()), Some(height.into()))), "{posters:#?}");
        for poster in posters {
            let jpeg = self.download(poster["url"].as_str().unwrap()).await;
            assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]) && jpeg.ends_with(&[0xff, 0xd9]), "{poster:#}");
        }
        let told = self.told(generation, &["generation_result", "error"]).await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0]["type"], "generation_result");
    }

    /// Listens to events, from after `cursor` on or from now.
    pub(crate) async fn listen(&self, path: &str, cursor: Option<&str>) -> Events {
        let mut request = self.request(Method::GET, path);
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let response = timeout(LIMIT, request.send()).await.expect("an answer in time").unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        Events { response, text: String::new(), said_goodbye: false }
    }

    /// The same where the API may be away: `None` if it does not answer in time, or not with a stream.
    pub(crate) async fn try_listen(&self, path: &str, cursor: &str, patience: Duration) -> Option<Events> {
        let request = self.request(Method::GET, path).header("last-event-id", cursor);
        let response = timeout(patience, request.send()).await.ok()?.ok()?;
        response.status().is_success().then(|| Events { response, text: String::new(), said_goodbye: false })
    }
}

/// The id of an object.
pub(crate) fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// A stream of server-sent events.
pub(crate) struct Events {
    response: reqwest::Response,
    text: String,
    /// Whether the server has said that it ends the stream, and when to come back.
    pub(crate) said_goodbye: bool,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Events {
    /// The next event; comments are passed over. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        timeout(LIMIT, self.try_next()).await.expect("an event in time")
    }

    /// The same, however long it takes.
    pub(crate) async fn try_next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                self.said_goodbye |= block.contains(": goodbye") && block.contains("retry:");
                if let Some(event) = Event::parse(&block) {
                    return Some(event);
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("whole characters").replace('\r', "").as_str());
        }
    }
}

impl Event {
    fn parse(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let lines = block.lines().filter_map(|line| line.split_once(':'));
            let mut values = lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_start());
            values.next().map(str::to_owned)
        };
        let data = serde_json::from_str(&field("data")?).unwrap();
        Some(Self { id: field("id").unwrap_or_default(), name: field("event").unwrap_or_default(), data })
    }
}
