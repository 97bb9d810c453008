//! What a user does in a row, as a frontend that does not give up: every request has an idempotency key and is sent
//! again until it is answered; a listener comes back with its last cursor.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::harness::{Client, LIMIT, LOOK, client::id, eventually, picture};

/// What happens between a user and the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// A message, questions, answers, a yes, a video.
    Video,
    /// The same by a user who listens and never asks how it stands.
    Listens,
    /// The user calls it off while it is made.
    CalledOff,
    /// The provider fails every time.
    Fails,
    /// The provider finds the prompt indecent.
    Filtered,
    /// The provider asks to come again later, once.
    Throttled,
    /// The provider never comes to an end, and the job's time is over at last.
    NeverDone,
    /// The provider takes the submission and does not say how to ask for the video.
    Nameless,
    /// The provider takes the submission and does not answer, and what is of unknown fate is not to be repeated.
    Unanswered,
    /// The provider is done, has no video, and does not say that it failed.
    Empty,
    /// The provider tells by itself when the video is done.
    Hinted,
    /// The user sends a picture along.
    Picture,
    /// The user wants other words than those of the chat, and says yes to these.
    Reworded,
    /// The user says neither yes nor no.
    Forgotten,
    /// The user deletes the conversation once the video is there.
    Deleted,
}

/// What the user has seen.
pub(crate) struct Seen {
    pub(crate) user: Client,
    /// The generation as it was when the user turned away from it.
    pub(crate) generation: Value,
    /// The words that the user said yes to; none without a yes.
    pub(crate) agreed: Option<String>,
    /// What each request was answered first, to be sent again: path, key, body, answer.
    pub(crate) answered: Vec<Sent>,
    /// The picture that was sent along, by its id.
    pub(crate) picture: Option<String>,
    /// Every event that a listener heard, in order.
    pub(crate) heard: Vec<Heard>,
    /// Whether the conversation was deleted.
    pub(crate) deleted: bool,
    /// Answers that no fault excuses: 5xx other than 503, and a 404 on one's own.
    pub(crate) wrong: Vec<String>,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Body,
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

/// What a request brings.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Json(Value),
    Png(Vec<u8>),
}

/// An event that was heard.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) cursor: i64,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Story {
    /// What the simulator is told.
    const fn prompt(self) -> &'static str {
        match self {
            Self::Video
            | Self::Listens
            | Self::Deleted
            | Self::Forgotten
            | Self::Hinted
            | Self::Picture
            | Self::Reworded => "",
            Self::CalledOff => " [sim:latency=4s]",
            Self::Fails => " [sim:fail]",
            Self::Filtered => " [sim:filtered]",
            Self::Throttled => " [sim:429]",
            Self::NeverDone => " [sim:never]",
            Self::Nameless => " [sim:nameless]",
            Self::Unanswered => " [sim:lost]",
            Self::Empty => " [sim:empty]",
        }
    }

    /// Whether the provider is asked for webhooks of its own. In the other stories it is only polled.
    pub(crate) fn is_hinted(self) -> bool {
        self == Self::Hinted
    }

    /// Settings without which it would take too long, or come to another end.
    pub(crate) fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Fails => vec![("JOB_MAX_RETRIES", "1".to_owned())],
            Self::NeverDone => vec![("JOB_DEADLINE", "3s".to_owned())],
            Self::Unanswered => vec![("SUBMISSION_UNKNOWN", "fail".to_owned())],
            Self::Forgotten => {
                vec![("CONFIRMATION_PERIOD", "1s".to_owned()), ("HOUSEKEEP_EVERY", "500ms".to_owned())]
            }
            // A picture whose API has died before it could say so is nobody's until its time is over. The video must be
            // made before that, and what was broken off must be swept while the picture is still somebody's.
            Self::Picture => {
                vec![("UPLOADS_KEPT", "60s".to_owned()), ("SWEEP_GRACE", "5s".to_owned())]
            }
            _ => Vec::new(),
        }
    }

    /// The ends that it may come to: the status, and the error's code.
    pub(crate) const fn ends(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            Self::Video
            | Self::Listens
            | Self::Throttled
            | Self::Deleted
            | Self::Hinted
            | Self::Picture
            | Self::Reworded => &[("completed", None)],
            // A video that is faster than the user is a video.
            Self::CalledOff => &[("cancelled", None), ("completed", None)],
            Self::Fails | Self::Empty => &[("failed", Some("provider_error"))],
            Self::Filtered => &[("failed", Some("content_filtered"))],
            Self::NeverDone => &[("failed", Some("timeout"))],
            Self::Nameless | Self::Unanswered => &[("failed", Some("submission_unknown"))],
            Self::Forgotten => &[("cancelled", Some("expired"))],
        }
    }

    /// Plays it to its end, from before the first message.
    pub(crate) async fn play(self, api: String, name: String) -> Seen {
        let user = arrive(&api).await;
        let mut play = Play { user, answered: Vec::new(), wrong: std::sync::Mutex::default() };
        let conversation = play.post("/api/conversations", &json!({"title": "A test"})).await;
        let conversation = id(&conversation).to_owned();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(play.user.clone(), conversation.clone(), Arc::clone(&heard)));

        let picture = if self == Self::Picture {
            let picture = play.upload(picture::png()).await;
            Some(id(&picture).to_owned())
        } else {
            None
        };
        let content = format!("Please make a video of a paper boat by the name of {name}{}", self.prompt());
        let path = format!("/api/conversations/{conversation}/messages");
        let attachments: Vec<_> = picture.iter().map(|picture| json!({"uploadId": picture})).collect();
        let answer = play.post(&path, &json!({"content": content, "attachments": attachments})).await;
        let asked = answer["generation"].clone();
        assert_eq!(asked["status"], "pending_clarification", "{answer:#}");
        let of = |action: &str| format!("/api/generations/{}/{action}", id(&asked));
        let answers = json!({"responses": {"duration": 4, "aspect_ratio": "16:9"}});
        let priced = play.post(&of("clarify"), &answers).await;
        let other = (self == Self::Reworded).then(|| format!("A small boat, {name}, in the rain at dusk"));
        if let Some(words) = &other {
            let path = format!("/api/generations/{}", id(&asked));
            let reworded = play.ask(Method::PATCH, &path, &json!({"enhancedPrompt": words}), 0).await;
            assert_eq!(reworded["enhancedPrompt"], json!(words), "{reworded:#}");
        }
        let mut agreed = None;
        if self != Self::Forgotten {
            let yes = json!({"estimatedCost": priced["estimatedCost"]});
            let confirmed = play.post(&of("confirm"), &yes).await;
            agreed = other.or_else(|| confirmed["prompt"].as_str().map(str::to_owned));
        }
        if self == Self::CalledOff {
            play.until(&asked, &["processing", "completed"]).await;
            play.ask(Method::POST, &of("cancel"), &json!({}), 409).await;
        }
        if self != Self::Listens {
            play.until(&asked, &ENDS).await;
        }
        // Whatever a listener is told, it is told of the end as well.
        let ended = eventually("a listener hears of the end", async || {
            let heard = heard.lock().await;
            let is_end =
                |event: &Heard| ENDS.iter().any(|status| event.data["generation"]["status"] == *status);
            heard.iter().any(is_end).then(|| heard.clone())
        });
        let heard = ended.await;
        let over = play.until(&asked, &ENDS).await;
        let deleted = self == Self::Deleted;
        if deleted {
            play.delete(&format!("/api/conversations/{conversation}")).await;
        }
        listening.abort();
        let wrong = play.wrong.into_inner().unwrap();
        let (user, answered) = (play.user, play.answered);
        Seen { user, generation: over, agreed, answered, picture, heard, deleted, wrong }
    }
}

struct Play {
    user: Client,
    answered: Vec<Sent>,
    wrong: std::sync::Mutex<Vec<String>>,
}

/// A new account. The first answer may be lost, and then the account is there.
async fn arrive(api: &str) -> Client {
    let anonymous = Client::anonymous(api);
    let email = format!("{}@example.com", uuid::Uuid::now_v7().simple());
    let body = json!({"email": email, "password": "correct horse battery"});
    eventually("there is an account", async || {
        for path in ["/api/auth/register", "/api/auth/login"] {
            let request = anonymous.request(Method::POST, path).json(&body).timeout(PATIENCE);
            if let Ok(answer) = request.send().await
                && answer.status().is_success()
                && let Ok(body) = answer.json::<Value>().await
            {
                return Some(anonymous.with_token(body["token"].as_str()?));
            }
        }
        None
    })
    .await
}

/// The statuses that nothing follows.
const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

/// How long a frontend waits for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Play {
    async fn post(&mut self, path: &str, body: &Value) -> Value {
        self.ask(Method::POST, path, body, 0).await
    }

    /// The same with JSON. `refused` is a status that is an answer, too.
    async fn ask(&mut self, method: Method, path: &str, body: &Value, refused: u16) -> Value {
        self.insist(method, path, Body::Json(body.clone()), refused).await
    }

    /// Uploads a picture.
    async fn upload(&mut self, png: Vec<u8>) -> Value {
        self.insist(Method::POST, "/api/uploads", Body::Png(png), 0).await
    }

    /// Sends a request until it is answered.
    async fn insist(&mut self, method: Method, path: &str, body: Body, refused: u16) -> Value {
        let key = uuid::Uuid::now_v7().simple().to_string();
        let sent = eventually(&format!("{path} is answered"), async || {
            let (status, answer) = send(&self.user, &method, path, &key, &body).await?;
            let in_flight = status == 409 && answer["code"] == "idempotency_in_flight";
            if status >= 500 || status == 429 || in_flight {
                if status >= 500 && status != 503 {
                    self.wrong.lock().unwrap().push(format!("{path}: {status} {answer:#}"));
                }
                return None;
            }
            assert!(status < 300 || status == refused, "{path}: {status} {answer:#}");
            let (method, path, key) = (method.clone(), path.to_owned(), key.clone());
            Some(Sent { method, path, key, body: body.clone(), status, answer })
        })
        .await;
        self.answered.push(sent.clone());
        sent.answer
    }

    async fn delete(&self, path: &str) {
        eventually(&format!("{path} is deleted"), async || {
            let answer = self.user.request(Method::DELETE, path).timeout(PATIENCE).send().await.ok()?;
            // Gone, if the answer to an earlier try was lost.
            (answer.status().is_success() || answer.status() == 404).then_some(())
        })
        .await;
    }

    /// One try to read. `None` if there was no good answer.
    async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.user.request(Method::GET, path).timeout(PATIENCE).send().await.ok()?;
        let status = answer.status().as_u16();
        if status == 404 || (status >= 500 && status != 503) {
            self.wrong.lock().unwrap().push(format!("{path}: {status}"));
        }
        if status != 200 {
            return None;
        }
        answer.json().await.ok()
    }

    /// Polls as a page does, until the generation has one of these statuses; then reads it.
    async fn until(&self, generation: &Value, statuses: &[&str]) -> Value {
        let path = format!("/api/generations/{}", id(generation));
        eventually(&format!("{path} is one of {statuses:?}"), async || {
            let now = self.get(&format!("{path}/status")).await?;
            if !statuses.contains(&now["status"].as_str()?) {
                return None;
            }
            self.get(&path).await
        })
        .await
    }
}

/// One try to send a request. `None` if there was no answer.
pub(crate) async fn send(
    user: &Client,
    method: &Method,
    path: &str,
    key: &str,
    body: &Body,
) -> Option<(u16, Value)> {
    let request = user.request(method.clone(), path).header("idempotency-key", key);
    let request = match body {
        Body::Json(body) => request.json(body),
        Body::Png(png) => request.header("content-type", "image/png").body(png.clone()),
    };
    let answer = request.timeout(PATIENCE).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

/// Listens to a conversation from its beginning, and comes back whenever the stream breaks.
async fn listen(user: Client, conversation: String, heard: Arc<Mutex<Vec<Heard>>>) {
    let path = format!("/api/conversations/{conversation}/events");
    loop {
        let last = heard.lock().await.last().map_or(0, |event| event.cursor);
        if let Some(mut events) = user.try_listen(&path, &last.to_string(), PATIENCE).await {
            while let Ok(Some(event)) = tokio::time::timeout(LIMIT, events.try_next()).await {
                if let Ok(cursor) = event.id.parse() {
                    heard.lock().await.push(Heard { cursor, name: event.name, data: event.data });
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
