//! A worker without its queue, for tests of how a video is made.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    ConversationId, GenerationId, ImageInput, ImageRole, ImageType, JobStatus, Parameters, UploadId, UserId,
    WorkerId,
    worker_api::{Command, DesiredState},
};
use foundation::{s3::ObjectKey, settings::Environment, testing::TestDatabase};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;
use veo_simulator::{Options, Render, Simulator};
use worker_service::{
    bucket::Bucket,
    jobs::state::Rules,
    providers::Providers,
    queue::Lease,
    store::{Job, ObjectState, Store, Terms},
    uploads::service::Uploads,
    workflow::{Workflow, WorkflowSettings},
};

use crate::storage::Storage;

/// Whoever waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Variables besides those that every workflow here has.
pub(crate) type Changes = &'static [(&'static str, &'static str)];

/// A worker without its queue: database, provider, storage, and the workflow between them.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) worker: WorkerId,
    pub(crate) simulator: Simulator,
    pub(crate) storage: Storage,
    pub(crate) temporary: tempfile::TempDir,
    _database: TestDatabase,
}

impl Bench {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let storage = Storage::start().await;
        let terms = Terms {
            rules: Rules {
                deadline: Duration::from_mins(30),
                max_retries: 3,
                retry_delays: vec![Duration::from_millis(1)],
            },
            lease: Duration::from_mins(10),
            webhook_lifetime: Duration::from_hours(1),
            queue_depth: 100,
        };
        let store = Store::open(database.settings(), terms).await.unwrap();
        let worker = store.register_worker("the bench").await.unwrap();
        let options = Options {
            bind: "127.0.0.1:0".parse().unwrap(),
            latency: Duration::from_millis(50),
            render: Render::Cached,
            api_key: Some("the-key".to_owned()),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let temporary = tempfile::tempdir().unwrap();
        Self { store, worker, simulator, storage, temporary, _database: database }
    }

    pub(crate) fn provider(&self) -> Url {
        self.simulator.base_url().parse().unwrap()
    }

    /// A workflow that reaches provider and storage directly.
    pub(crate) fn workflow(&self, changes: &[(&str, &str)]) -> Workflow {
        self.workflow_through(&self.provider(), Arc::new(self.storage.bucket()), changes)
    }

    pub(crate) fn workflow_through(
        &self,
        provider: &Url,
        bucket: Arc<dyn Bucket>,
        changes: &[(&str, &str)],
    ) -> Workflow {
        let temporary = self.temporary.path().to_str().unwrap();
        let variables = [
            ("PROVIDERS", "veo3,omni"),
            ("VEO3_BASE_URL", provider.as_str()),
            ("VEO3_API_KEY", "the-key"),
            ("OMNI_BASE_URL", provider.as_str()),
            ("OMNI_API_KEY", "the-key"),
            ("POLL_INTERVAL", "20ms"),
            ("POLL_INTERVAL_LONGEST", "100ms"),
            ("SUBMISSION_GRACE", "10ms"),
            ("WORKER_TEMP_DIR", temporary),
        ];
        let entries = variables.iter().chain(changes);
        let environment = Environment::from_map(
            entries.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        );
        let settings = WorkflowSettings::read(&environment).unwrap();
        let providers = Providers::read(&environment).unwrap();
        let kept = Duration::from_hours(1);
        let uploads = Uploads::new(self.store.clone(), Arc::clone(&bucket), kept);
        Workflow::new(settings, providers, bucket, uploads, &self.storage.settings).unwrap()
    }

    /// Keeps a picture, as a user would have uploaded it.
    pub(crate) async fn picture(&self) -> UploadId {
        let (id, bucket) = (UploadId::new(), Arc::new(self.storage.bucket()));
        let uploads = Uploads::new(self.store.clone(), bucket, Duration::from_hours(1));
        let picture = Bytes::from_static(b"\xff\xd8\xff which nobody looks into");
        let nonce = uuid::Uuid::now_v7().simple().to_string();
        uploads.keep(&id, ImageType::Jpeg, picture, &nonce).await.unwrap();
        id
    }

    /// Puts a job for four seconds of video in the queue.
    pub(crate) async fn queued(&self, prompt: &str) -> GenerationId {
        self.queued_for("veo3", "veo-3.1-fast-generate-001", prompt).await
    }

    pub(crate) async fn queued_for(&self, provider: &str, model: &str, prompt: &str) -> GenerationId {
        let command = Self::command(provider, model, prompt);
        self.take(&command).await
    }

    pub(crate) async fn take(&self, command: &Command) -> GenerationId {
        let nonce = uuid::Uuid::now_v7().simple().to_string();
        self.store.take_command(command, &nonce).await.unwrap().job.generation_id
    }

    /// Puts a job in the queue for a video that is made from these pictures.
    pub(crate) async fn queued_from(&self, prompt: &str, images: &[(&UploadId, ImageRole)]) -> GenerationId {
        let images = images.iter().map(|(id, role)| ImageInput { upload_id: (*id).clone(), role: *role });
        let mut command = Self::command("veo3", "veo-3.1-fast-generate-001", prompt);
        command.parameters.images = images.collect();
        self.take(&command).await
    }

    pub(crate) fn command(provider: &str, model: &str, prompt: &str) -> Command {
        Command {
            generation_id: GenerationId::new(),
            user_id: UserId::new(),
            conversation_id: ConversationId::new(),
            revision: 1,
            state: DesiredState::Confirmed,
            provider: provider.to_owned(),
            model: model.to_owned(),
            prompt: prompt.to_owned(),
            parameters: Parameters { duration: Some(4), ..Parameters::default() },
            priority: 0,
            traceparent: None,
        }
    }

    pub(crate) async fn job(&self, generation: &GenerationId) -> Job {
        self.store.job(generation).await.unwrap().unwrap()
    }

    /// Claims the one job there is as soon as it may be.
    pub(crate) async fn claim(&self, stopping: &CancellationToken) -> Lease {
        in_time(async {
            loop {
                if let Some(claimed) = self.store.claim(&self.worker, 1, 10).await.unwrap().pop() {
                    let lost = CancellationToken::new();
                    let store = self.store.clone();
                    return Lease::new(claimed.job, claimed.attempts, store, lost, stopping.clone());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
    }

    /// Runs a job, with its retries, to its end.
    pub(crate) async fn run(&self, workflow: &Workflow, generation: &GenerationId) -> Job {
        loop {
            let lease = self.claim(&CancellationToken::new()).await;
            in_time(workflow.run(lease)).await.unwrap();
            let job = self.job(generation).await;
            if job.life.status.is_terminal() {
                return job;
            }
        }
    }

    /// Whether the provider may charge for a job that has ended.
    pub(crate) async fn is_billable(&self, job: &Job) -> bool {
        self.store.billable(std::slice::from_ref(job)).await.unwrap().contains(&job.id)
    }

    /// How many submissions the provider has accepted.
    pub(crate) async fn submissions(&self) -> usize {
        self.ledger().await.len()
    }

    /// What has become of each submission that the provider has accepted.
    pub(crate) async fn ledger(&self) -> Vec<String> {
        let state = |submission: &Value| submission["state"].as_str().unwrap().to_owned();
        self.submitted().await.iter().map(state).collect()
    }

    /// Every submission that the provider has accepted.
    pub(crate) async fn submitted(&self) -> Vec<Value> {
        let ledger: Value = reqwest::get(format!("{}/ledger", self.simulator.base_url()))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        ledger["submissions"].as_array().unwrap().clone()
    }

    /// What lies in the folder for temporary files, without the marks of living processes.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path());
        let files = folders.flat_map(|folder| {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        });
        files.filter(|path| path.file_name().is_some_and(|name| name != "lock")).collect()
    }

    pub(crate) async fn assert_stored(&self, job: &Job) {
        assert_eq!(job.life.status, JobStatus::Completed, "{:?}", job.life.error);
        let result = job.life.result.as_ref().unwrap();
        assert_eq!((result.resolution.as_str(), result.format.as_str()), ("1280x720", "mp4"));
        assert!((result.duration - 4.0).abs() < 0.1, "{}", result.duration);
        let bucket = self.storage.bucket();
        let video = bucket.head(&result.video_key.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(video.size, u64::try_from(result.file_size).unwrap());
        assert_eq!(video.sha256.as_ref(), Some(&result.sha256));
        let thumbnail = bucket.head(&result.thumbnail_key.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(thumbnail.content_type.as_deref(), Some("image/jpeg"));
        let sizes = result.posters.iter().map(|poster| (poster.width, poster.height)).collect::<Vec<_>>();
        assert_eq!(sizes, [(320, 180), (640, 360), (1280, 720)]);
        for poster in &result.posters {
            let key: ObjectKey = poster.key.parse().unwrap();
            assert!(poster.key.ends_with(&format!("/poster-{}.jpg", poster.width)), "{}", poster.key);
            assert!(
                poster.url.ends_with(&poster.key) && !poster.url.contains('?'),
                "unsigned: {}",
                poster.url
            );
            let stored = bucket.head(&key).await.unwrap().unwrap();
            assert_eq!(stored.content_type.as_deref(), Some("image/jpeg"));
            let jpeg = bucket.get(&key, 4 * 1024 * 1024).await.unwrap().unwrap();
            let decoded = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (poster.width, poster.height));
        }
        let live = self.store.objects(&job.id).await.unwrap();
        let live = live.iter().filter(|object| object.state == ObjectState::Live);
        assert_eq!(live.count(), 2 + result.posters.len());
        assert_eq!(self.leftovers(), Vec::<PathBuf>::new());
    }
}

pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap()
}
