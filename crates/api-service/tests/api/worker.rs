//! A worker that does nothing but take commands, remember them, and answer what a test tells it to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use contract::{
    EventId, GenerationId, JobId, JobStatus, Timestamp,
    events::{Event, EventType},
    images::UploadAnswer,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, SignedHeaders, TIMESTAMP_HEADER},
    worker_api::{
        Command, CommandAnswer, DesiredState, JobError, JobResult, JobSnapshot, Poster, StatusAnswer,
        StatusRequest,
    },
};
use reqwest::Method;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::test_app::{Answer, TestApp, WEBHOOK_SECRET, WORKER_API_SECRET, send};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the handlers share.
struct Shared {
    commands: mpsc::UnboundedSender<(String, Command)>,
    /// The status of every answer to a command; 200 takes it.
    answer: Mutex<u16>,
    /// Commands are answered while it is open.
    gate: watch::Sender<bool>,
    jobs: Mutex<HashMap<GenerationId, JobId>>,
    snapshots: Mutex<HashMap<GenerationId, JobSnapshot>>,
    /// The request ids that commands came with.
    requests: Mutex<HashMap<(GenerationId, i64), String>>,
    /// How often it was asked about each.
    asked: Mutex<HashMap<GenerationId, usize>>,
    pictures: Mutex<HashMap<String, web::Bytes>>,
    /// How long pictures are kept.
    kept: Mutex<Duration>,
}

/// A running worker. It ends with the test's runtime.
pub(crate) struct FakeWorker {
    pub(crate) url: String,
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<(String, Command)>,
}

impl FakeWorker {
    pub(crate) fn start() -> Self {
        let (sender, commands) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            commands: sender,
            answer: Mutex::new(200),
            gate: watch::Sender::new(true),
            jobs: Mutex::default(),
            snapshots: Mutex::default(),
            requests: Mutex::default(),
            asked: Mutex::default(),
            pictures: Mutex::default(),
            kept: Mutex::new(Duration::from_secs(30 * 86_400)),
        });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(32 * 1024 * 1024))
                .route("/api/uploads/{id}", web::put().to(picture))
                .route("/api/generations/status", web::post().to(statuses))
                .route("/api/generations/{id}/status", web::get().to(status))
                .default_service(web::post().to(command))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, shared, commands }
    }

    /// The next command that arrives, and the path that it came by.
    pub(crate) async fn next(&mut self) -> (String, Command) {
        tokio::time::timeout(PATIENCE, self.commands.recv()).await.unwrap().unwrap()
    }

    /// The next command that wants this state.
    pub(crate) async fn next_that_wants(&mut self, state: DesiredState) -> (String, Command) {
        loop {
            let (path, command) = self.next().await;
            if command.state == state {
                return (path, command);
            }
        }
    }

    /// The commands that have arrived and that nobody has looked at.
    pub(crate) fn others(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.commands.try_recv().ok()).map(|(_, command)| command).collect()
    }

    /// The picture that was sent under this id.
    pub(crate) fn picture(&self, id: &str) -> Option<web::Bytes> {
        self.shared.pictures.lock().unwrap().get(id).cloned()
    }

    /// How many pictures were sent.
    pub(crate) fn pictures(&self) -> usize {
        self.shared.pictures.lock().unwrap().len()
    }

    /// From now on pictures are kept for so long.
    pub(crate) fn keeps_pictures_for(&self, span: Duration) {
        *self.shared.kept.lock().unwrap() = span;
    }

    /// From now on commands and pictures are answered with this status.
    pub(crate) fn answers(&self, status: u16) {
        *self.shared.answer.lock().unwrap() = status;
    }

    /// From now on commands are not answered until [`Self::lets_go`].
    pub(crate) fn holds(&self) {
        self.shared.gate.send_replace(false);
    }

    pub(crate) fn lets_go(&self) {
        self.shared.gate.send_replace(true);
    }

    /// What the worker says when it is asked about this generation.
    pub(crate) fn knows(&self, snapshot: JobSnapshot) {
        self.shared.snapshots.lock().unwrap().insert(snapshot.generation_id.clone(), snapshot);
    }

    /// The request id that a command came with, told once.
    pub(crate) fn request_of(&self, command: &Command) -> Option<String> {
        let key = (command.generation_id.clone(), command.revision);
        self.shared.requests.lock().unwrap().remove(&key)
    }

    /// How often it was asked about this generation alone.
    pub(crate) fn asked(&self, id: &GenerationId) -> usize {
        self.shared.asked.lock().unwrap().get(id).copied().unwrap_or_default()
    }

    /// The job of a generation that it has taken a command for.
    pub(crate) fn job(&self, id: &GenerationId) -> JobId {
        self.shared.jobs.lock().unwrap().entry(id.clone()).or_insert_with(JobId::new).clone()
    }

    /// A snapshot of a generation's job.
    pub(crate) fn snapshot(&self, id: &GenerationId, status: JobStatus, sequence: i64) -> JobSnapshot {
        let now = Timestamp::now();
        JobSnapshot {
            generation_id: id.clone(),
            job_id: self.job(id),
            status,
            sequence,
            attempt: 1,
            stage: None,
            progress: i32::try_from(sequence * 10).unwrap().min(99),
            eta_seconds: Some(9),
            queue_position: None,
            provider: "veo3".to_owned(),
            model: "veo-3.1-generate-001".to_owned(),
            retry_count: 0,
            max_retries: 3,
            created_at: now,
            updated_at: now,
            started_at: Some(now),
            completed_at: status.is_terminal().then_some(now),
            result: (status == JobStatus::Completed).then(|| result(id)),
            error: (status == JobStatus::Failed).then(|| {
                JobError::new(contract::ErrorCode::ContentFiltered, "The safety filter refused it.", false)
            }),
            billable: status == JobStatus::Completed,
        }
    }
}

fn poster(id: &GenerationId, width: u32, height: u32) -> Poster {
    let key = format!("generations/{id}/1-1/poster-{width}.jpg");
    Poster { width, height, url: format!("http://127.0.0.1:9/reelay/{key}"), key }
}

fn result(id: &GenerationId) -> JobResult {
    JobResult {
        video_url: format!("http://127.0.0.1:9/reelay/generations/{id}/1-1/video.mp4"),
        thumbnail_url: format!("http://127.0.0.1:9/reelay/generations/{id}/1-1/thumbnail.jpg"),
        video_key: format!("generations/{id}/1-1/video.mp4"),
        thumbnail_key: format!("generations/{id}/1-1/thumbnail.jpg"),
        duration: 8.0,
        file_size: 123_456,
        resolution: "1280x720".to_owned(),
        format: "mp4".to_owned(),
        sha256: "ab".repeat(32),
        processing_time: 4.5,
        posters: [(320, 180), (640, 360), (1280, 720)]
            .map(|(width, height)| poster(id, width, height))
            .to_vec(),
    }
}

fn is_signed(request: &HttpRequest, body: &[u8]) -> bool {
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let headers = SignedHeaders {
        id: header(ID_HEADER),
        timestamp: header(TIMESTAMP_HEADER),
        signature: header(SIGNATURE_HEADER),
    };
    let target = request.uri().path_and_query().unwrap().as_str();
    let secrets = Secrets::parse(WORKER_API_SECRET).unwrap();
    secrets.verify_request(&headers, request.method().as_str(), target, body, Timestamp::now()).is_ok()
}

async fn command(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    if !is_signed(&request, &body) {
        return HttpResponse::Unauthorized().finish();
    }
    assert!(request.headers().contains_key("traceparent"));
    let command: Command = serde_json::from_slice(&body).unwrap();
    let id = command.generation_id.clone();
    let revision = command.revision;
    let wants = command.state;
    if let Some(request_id) = request.headers().get("x-request-id") {
        let request_id = request_id.to_str().unwrap().to_owned();
        shared.requests.lock().unwrap().insert((id.clone(), revision), request_id);
    }
    let _ = shared.commands.send((request.path().to_owned(), command));
    shared.gate.subscribe().wait_for(|open| *open).await.unwrap();
    let status = *shared.answer.lock().unwrap();
    if status != 200 {
        return HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish();
    }
    let job_id = shared.jobs.lock().unwrap().entry(id.clone()).or_insert_with(JobId::new).clone();
    HttpResponse::Ok().json(CommandAnswer {
        generation_id: id,
        job_id,
        status: match wants {
            DesiredState::Pending => JobStatus::Pending,
            DesiredState::PendingConfirmation => JobStatus::PendingConfirmation,
            DesiredState::Confirmed => JobStatus::Confirmed,
            DesiredState::Cancelled => JobStatus::Cancelled,
        },
        queue_position: (wants == DesiredState::Confirmed).then_some(1),
        revision,
    })
}

async fn picture(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    assert!(is_signed(&request, &body));
    let id = request.match_info().get("id").unwrap().to_owned();
    let status = *shared.answer.lock().unwrap();
    if status != 200 {
        return HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish();
    }
    let answer = UploadAnswer {
        upload_id: id.parse().unwrap(),
        key: format!("uploads/{id}"),
        kept_until: Timestamp::now() + *shared.kept.lock().unwrap(),
    };
    shared.pictures.lock().unwrap().insert(id, body);
    HttpResponse::Created().json(answer)
}

async fn statuses(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    assert!(is_signed(&request, &body));
    let asked: StatusRequest = serde_json::from_slice(&body).unwrap();
    let known = shared.snapshots.lock().unwrap();
    HttpResponse::Ok()
        .json(StatusAnswer { items: asked.ids.iter().filter_map(|id| known.get(id).cloned()).collect() })
}

async fn status(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    assert!(is_signed(&request, b""));
    let id: GenerationId = request.match_info().get("id").unwrap().parse().unwrap();
    *shared.asked.lock().unwrap().entry(id.clone()).or_default() += 1;
    match shared.snapshots.lock().unwrap().get(&id) {
        Some(snapshot) => HttpResponse::Ok().json(snapshot),
        None => HttpResponse::NotFound().finish(),
    }
}

/// The event that tells a snapshot.
pub(crate) fn event(snapshot: JobSnapshot) -> Event {
    let kind = match snapshot.status {
        JobStatus::Completed => EventType::Completed,
        JobStatus::Failed => EventType::Failed,
        JobStatus::Cancelled => EventType::Cancelled,
        _ if snapshot.sequence <= 1 => EventType::Started,
        _ => EventType::Progress,
    };
    Event { kind, timestamp: snapshot.updated_at, data: snapshot }
}

/// Delivers a webhook under this id.
pub(crate) async fn deliver(app: &TestApp, id: &str, body: &[u8]) -> Answer {
    deliver_signed(app, id, body, WEBHOOK_SECRET).await
}

/// The same, signed with these secrets.
pub(crate) async fn deliver_signed(app: &TestApp, id: &str, body: &[u8], secrets: &str) -> Answer {
    let signed = Secrets::parse(secrets).unwrap().sign(id, Timestamp::now(), body);
    let request = app.nobody().request(Method::POST, "/api/webhooks/worker");
    let request = request
        .header("content-type", "application/json")
        .header(ID_HEADER, signed.id)
        .header(TIMESTAMP_HEADER, signed.timestamp)
        .header(SIGNATURE_HEADER, signed.signature);
    send(request.body(body.to_vec())).await
}

/// Delivers a snapshot by a webhook of its own.
pub(crate) async fn tell(app: &TestApp, snapshot: JobSnapshot) {
    let body = serde_json::to_vec(&event(snapshot)).unwrap();
    assert_eq!(deliver(app, EventId::new().as_str(), &body).await.status, 204);
}

/// Asks until the answer is as it must become.
pub(crate) async fn until(ask: impl AsyncFn() -> Value, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let asking = async {
        loop {
            last = ask().await;
            if is_so(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, asking).await;
    assert!(in_time.is_ok(), "it never came to be: {last}");
    last
}
