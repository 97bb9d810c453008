//! Providers' own webhooks, over real HTTP: a genuine one has its job asked after at once, and whatever else comes
//! costs a question at the most.

use std::{net::TcpListener, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use contract::{
    JobId, Parameters, Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
    worker_api::{Command, DesiredState},
};
use foundation::{settings::Environment, testing::TestDatabase};
use reqwest::{Response, StatusCode};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use veo_simulator::{Options, Render, Simulator};
use worker_service::{
    hints::{
        hint::{self, Hint},
        service::{Hints, Outcome},
    },
    jobs::state::Retry,
    providers::{Providers, google},
    queue::{Lease, Limits, Runner, Running},
    store::{AttemptState, Error},
};

use crate::{
    fixture::{command, eventually, in_time, on_both_databases, open, queued, terms},
    gate::{Fate, Gate},
    routes::{Service, refused},
};

on_both_databases! {
    a_genuine_hint_has_the_job_asked_after_at_once,
    a_provider_that_tells_by_itself_is_asked_once,
    another_replicas_hint_comes_with_the_heartbeat,
    a_hint_is_about_its_own_providers_attempt,
    a_hint_reaches_the_runner_that_has_taken_the_job_over,
}

pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const HOOK: &str = "/api/providers/veo3/webhook";
/// So usual that nobody asks by himself while a test runs.
const NEVER_BY_ITSELF: (&str, &str) = ("VEO3_USUAL_LATENCY", "600s");

/// One job at a time, whose lease needs no heartbeat while a test runs.
const LIMITS: Limits = Limits {
    running: 1,
    per_user: 1,
    heartbeat: Duration::from_secs(600),
    lease: Duration::from_secs(600),
    deadline: Duration::from_secs(600),
    shutdown: Duration::from_secs(1),
};
/// A heartbeat that comes while a test waits for it.
const OFTEN: Duration = Duration::from_millis(50);

/// A worker with a simulated provider that takes its time to tell.
pub(crate) struct Scene {
    simulator: Simulator,
    pub(crate) service: Service,
}

impl Scene {
    pub(crate) async fn start(database: TestDatabase, changes: &[(&str, &str)]) -> Self {
        let options = Options {
            bind: "127.0.0.1:0".parse().unwrap(),
            latency: Duration::from_millis(50),
            render: Render::Cached,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let (base, port) = (simulator.base_url(), free_port());
        let (bind, reached) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
        let key_set = format!("{base}/.well-known/jwks.json");
        let all = [
            ("WORKER_BIND", bind.as_str()),
            ("PROVIDERS", "veo3,omni"),
            ("VEO3_BASE_URL", base.as_str()),
            ("OMNI_BASE_URL", base.as_str()),
            ("OMNI_API_KEY", "key"),
            ("PROVIDER_WEBHOOK_URL", reached.as_str()),
            ("VEO3_WEBHOOK_SECRETS", SECRET),
            ("VEO3_WEBHOOK_JWKS_URL", key_set.as_str()),
            NEVER_BY_ITSELF,
        ];
        let all: Vec<_> = all.into_iter().chain(changes.iter().copied()).collect();
        Self { service: Service::start(database, &all).await, simulator }
    }

    /// Has a video made; gives the command and the job.
    async fn ask(&self, prompt: &str) -> (Command, JobId) {
        let parameters = Parameters { duration: Some(4), ..Parameters::default() };
        let model = "veo-3.1-fast-generate-001".to_owned();
        let wanted =
            Command { prompt: prompt.to_owned(), parameters, model, ..command(DesiredState::Confirmed) };
        let body = serde_json::to_string(&wanted).unwrap();
        let created: Value = self.service.post("/api/generations", &body).await.json().await.unwrap();
        (wanted, created["jobId"].as_str().unwrap().parse().unwrap())
    }

    /// What the provider's ledger says of its newest submission, once it is as wanted.
    async fn submitted(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(|| async {
            let ledger = reqwest::get(format!("{}/ledger", self.simulator.base_url())).await.unwrap();
            let ledger: Value = ledger.json().await.unwrap();
            let newest = ledger["submissions"].as_array().unwrap().last().cloned();
            newest.filter(|newest| is_wanted(newest))
        })
        .await
    }

    async fn status(&self, of: &Command) -> Value {
        let path = format!("/api/generations/{}/status", of.generation_id);
        self.service.get(&path).await.json().await.unwrap()
    }

    async fn completed(&self, of: &Command) {
        eventually(|| async { (self.status(of).await["status"] == "completed").then_some(()) }).await;
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response {
        let mut request = self.service.client.post(format!("{}{path}", self.service.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.into()).send().await.unwrap()
    }

    /// A webhook that is signed after Standard Webhooks.
    pub(crate) async fn signed(&self, secret: &str, id: &str, body: &Value) -> Response {
        let body = body.to_string();
        let signed = Secrets::parse(secret).unwrap().sign(id, Timestamp::now(), body.as_bytes());
        let headers = [
            (ID_HEADER, signed.id.as_str()),
            (TIMESTAMP_HEADER, signed.timestamp.as_str()),
            (SIGNATURE_HEADER, signed.signature.as_str()),
        ];
        self.send(HOOK, &headers, body.clone()).await
    }

    pub(crate) async fn end(self) {
        self.service.end().await;
        self.simulator.stop().await;
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn about(job: &JobId) -> Value {
    about_attempt(job, 1)
}

fn about_attempt(job: &JobId, number: i32) -> Value {
    let metadata = json!({"attempt_id": format!("{job}-{number}")});
    json!({"type": "video.generated", "version": "v1", "data": {"id": "o"}, "user_metadata": metadata})
}

async fn a_genuine_hint_has_the_job_asked_after_at_once(database: TestDatabase) {
    let scene = Scene::start(database, &[]).await;
    let (wanted, job) = scene.ask("a boat [sim:silent]").await;
    let done = scene.submitted(|newest| newest["state"] == "succeeded").await;
    assert_eq!((&done["polls"], &done["told"]), (&json!(0), &json!(false)), "nobody has asked or told");

    // What is forged, without a signature, or about nothing that is known, asks nothing.
    refused(scene.signed(&Secrets::encode(&[7; 32]), "evt_1", &about(&job)).await, 401, "invalid_signature")
        .await;
    refused(scene.send(HOOK, &[], about(&job).to_string()).await, 401, "invalid_signature").await;
    refused(scene.send(HOOK, &[], "no JSON").await, 401, "invalid_signature").await;
    let nobodys = [about(&JobId::new()), json!({"data": {"id": "unheard-of"}}), json!(7)];
    for body in nobodys {
        let answer = scene.signed(SECRET, "evt_2", &body).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{body}");
    }
    // Verified, and then read as strictly as anything else.
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let signed = Secrets::parse(SECRET).unwrap().sign("evt_3", Timestamp::now(), deep.as_bytes());
    let headers = [
        (ID_HEADER, signed.id.as_str()),
        (TIMESTAMP_HEADER, signed.timestamp.as_str()),
        (SIGNATURE_HEADER, signed.signature.as_str()),
    ];
    refused(scene.send(HOOK, &headers, deep.clone()).await, 400, "malformed_json").await;
    let large = vec![b' '; 64 * 1024 + 1];
    refused(scene.send(HOOK, &headers, large).await, 413, "payload_too_large").await;
    // Who is asked to send none has no route; the others' routes are as closed as ever.
    for path in ["/api/providers/omni/webhook", "/api/providers/sora/webhook", "/api/providers/veo3"] {
        refused(scene.send(path, &headers, deep.clone()).await, 404, "not_found").await;
    }
    refused(scene.send("/api/generations", &headers, deep.clone()).await, 401, "invalid_signature").await;
    assert_eq!(scene.submitted(|_| true).await["polls"], 0);

    let told = scene.signed(SECRET, "evt_4", &about(&job)).await;
    assert_eq!(told.status(), StatusCode::NO_CONTENT);
    scene.completed(&wanted).await;
    assert_eq!(scene.submitted(|_| true).await["polls"], 1);
    // Late and again, it is about nothing that runs.
    let again = scene.signed(SECRET, "evt_4", &about(&job)).await;
    assert_eq!(again.status(), StatusCode::NO_CONTENT);

    // By the provider's own name for it, too.
    let (wanted, _) = scene.ask("another boat [sim:silent]").await;
    let done = scene.submitted(|newest| newest["state"] == "succeeded" && newest["polls"] == 0).await;
    // That it was accepted is committed a moment after the provider has it in its ledger.
    eventually(|| async { (scene.status(&wanted).await["stage"] == "generating").then_some(()) }).await;
    scene.signed(SECRET, "evt_5", &json!({"data": {"id": done["operation"]}})).await;
    scene.completed(&wanted).await;
    assert_eq!(scene.submitted(|_| true).await["polls"], 1);
    scene.end().await;
}

/// The whole way, with the simulator's own token and key set.
async fn a_provider_that_tells_by_itself_is_asked_once(database: TestDatabase) {
    let scene = Scene::start(database, &[]).await;
    let (wanted, _) = scene.ask("a boat [sim:latency=300ms]").await;
    scene.completed(&wanted).await;
    let told = scene.submitted(|newest| newest["told"] == true).await;
    assert_eq!(told["polls"], 1);
    // Who tells three times is asked once: the job is over.
    let (wanted, _) = scene.ask("a boat and its echo [sim:echo]").await;
    scene.completed(&wanted).await;
    let told = scene.submitted(|newest| newest["told"] == true).await;
    assert!(told["polls"].as_u64().unwrap() <= 2, "{told}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_never_comes_costs_little() {
    let scene = Scene::start(TestDatabase::sqlite(), &[("VEO3_USUAL_LATENCY", "3s")]).await;
    let (wanted, _) = scene.ask("a boat [sim:silent]").await;
    scene.completed(&wanted).await;
    // One, unless the machine is so busy that the video is late.
    let polls = scene.submitted(|_| true).await["polls"].as_u64().unwrap();
    assert!((1..=5).contains(&polls), "{polls} questions of the safety net");
    scene.end().await;
}

/// Of a kind that usually takes longer than the job may: it is asked after while there is time to fetch it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_never_comes_does_not_cost_the_video() {
    let scene = Scene::start(TestDatabase::sqlite(), &[("JOB_DEADLINE", "16s")]).await;
    let (wanted, _) = scene.ask("a boat [sim:silent]").await;
    let over = eventually(|| async {
        let status = scene.status(&wanted).await["status"].as_str().unwrap_or_default().to_owned();
        ["completed", "failed"].contains(&status.as_str()).then_some(status)
    });
    assert_eq!(over.await, "completed");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_hints_is_bounded() {
    let scene = Scene::start(TestDatabase::sqlite(), &[]).await;
    let (_, job) = scene.ask("[sim:never]").await;
    scene.submitted(|newest| newest["state"] == "running").await;
    let (begun, mut limited) = (Instant::now(), 0);
    for _ in 0..4 {
        let body = about(&job);
        let sending = (0..60).map(|_| scene.signed(SECRET, "evt_1", &body));
        for answer in futures_util::future::join_all(sending).await {
            match answer.status() {
                StatusCode::NO_CONTENT => {}
                StatusCode::TOO_MANY_REQUESTS => {
                    assert!(answer.headers().contains_key("retry-after"));
                    limited += 1;
                }
                other => panic!("{other}"),
            }
        }
    }
    let asked = scene.submitted(|newest| newest["polls"] != 0).await["polls"].as_u64().unwrap();
    assert!(asked <= begun.elapsed().as_secs() + 1, "{asked} questions in {:?}", begun.elapsed());
    assert!(limited > 0 || begun.elapsed() > Duration::from_secs(1), "240 at once are too many");
    scene.end().await;
}

/// A key of a provider, and where its public half is served.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    pub(crate) served: Gate,
}

impl Signer {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let point = key.public_key().as_ref();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let set = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "k", "x": encode(&point[1..33]), "y": encode(&point[33..])},
        ]});
        let nowhere = "http://127.0.0.1:1".parse().unwrap();
        let set = set.to_string();
        let served = Gate::before(&nowhere, move |_, _| Fate::Answer(set.clone())).await;
        Self { key, served }
    }

    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_verified_by_the_providers_keys() {
    let signer = Signer::start().await;
    let key_set = signer.served.address.join("keys").unwrap();
    let changes = [
        ("VEO3_WEBHOOK_JWKS_URL", key_set.as_str()),
        ("VEO3_WEBHOOK_SECRETS", ""),
        ("VEO3_WEBHOOK_AUDIENCE", "reelay"),
    ];
    let scene = Scene::start(TestDatabase::sqlite(), &changes).await;
    let (wanted, job) = scene.ask("a boat [sim:silent]").await;
    scene.submitted(|newest| newest["state"] == "succeeded").await;
    let (now, body) = (Timestamp::now().as_seconds(), about(&job).to_string());
    let (good, header) = (json!({"aud": "reelay", "exp": now + 60}), json!({"alg": "ES256", "kid": "k"}));
    let unsigned = {
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(json!({"alg": "none", "kid": "k"})), part(good.clone()))
    };
    let other = Signer::start().await;
    for (what, token) in [
        ("over", signer.token(&header, &json!({"aud": "reelay", "exp": now - 120}))),
        ("for somebody else", signer.token(&header, &json!({"aud": "them", "exp": now + 60}))),
        ("by an unknown key", signer.token(&json!({"alg": "ES256", "kid": "u"}), &good)),
        ("by another key of that name", other.token(&header, &good)),
        ("by nobody", unsigned),
        ("by another algorithm", signer.token(&json!({"alg": "HS256", "kid": "k"}), &good)),
        ("no token", "a.b.c".to_owned()),
    ] {
        let answer = scene.send(HOOK, &[(SIGNATURE_HEADER, &token)], body.clone()).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{what}");
        refused(answer, 401, "invalid_signature").await;
    }
    // No secret is set up, so none opens anything.
    refused(scene.signed(SECRET, "evt_1", &about(&job)).await, 401, "invalid_signature").await;
    assert_eq!(signer.served.seen(), 1, "an unknown key is not asked for again within a minute");
    assert_eq!(scene.submitted(|_| true).await["polls"], 0);

    // The event may stand in the token itself.
    let mut claims = about(&job);
    (claims["aud"], claims["exp"]) = (json!(["reelay"]), json!(now + 60));
    let token = signer.token(&header, &claims);
    let answer = scene.send(HOOK, &[(SIGNATURE_HEADER, &token)], "").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    scene.completed(&wanted).await;
    assert_eq!(scene.submitted(|_| true).await["polls"], 1);
    scene.end().await;
}

/// A provider that tells by itself.
fn telling() -> Providers {
    let variables = [
        ("VEO3_API_KEY", "k"),
        ("PROVIDER_WEBHOOK_URL", "http://127.0.0.1:1"),
        ("VEO3_WEBHOOK_SECRETS", SECRET),
    ];
    let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Providers::read(&Environment::from_map(map)).unwrap()
}

/// One worker runs the job, another is told: what it writes down comes along with the heartbeat.
async fn another_replicas_hint_comes_with_the_heartbeat(database: TestDatabase) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = open(&database, terms()).await;
    let job = queued(&store).await;
    let worker = store.register_worker("one").await.unwrap();
    let limits = Limits { heartbeat: OFTEN, ..LIMITS };
    let (hinted, mut hints) = mpsc::unbounded_channel();
    let work = move |mut lease: Lease| {
        let hinted = hinted.clone();
        async move {
            lease.begin_attempt(false).await?;
            lease.operation_accepted("models/m/operations/o").await?;
            lease.hints().notified().await;
            hinted.send(lease.job().id.clone()).unwrap();
            std::future::pending::<Result<(), Error>>().await
        }
    };
    let runner = Runner::new(store.clone(), worker, Running::default(), limits, work);
    let stop = CancellationToken::new();
    let running = tokio::spawn(std::sync::Arc::clone(&runner).run(stop.clone()));
    let beating = tokio::spawn(runner.keep_alive(stop.clone()));

    let elsewhere = Hints::new(store.clone(), Running::default(), telling());
    let provider = elsewhere.admit("veo3").unwrap();
    let hint = |body: Value| hint::read(&body);
    for nothing in [
        Hint::default(),
        hint(json!({"data": {"id": "models/m/operations/other"}})),
        hint(about(&JobId::new())),
    ] {
        assert_eq!(elsewhere.take(provider, nothing).await.unwrap(), Outcome::Unknown);
    }
    let told = hint(json!({"data": {"id": "models/m/operations/o"}}));
    eventually(|| async {
        let outcome = elsewhere.take(provider, told.clone()).await.unwrap();
        (outcome == Outcome::Noticed).then_some(())
    })
    .await;
    assert_eq!(elsewhere.take(provider, told.clone()).await.unwrap(), Outcome::Unknown, "once in a second");
    assert_eq!(in_time(hints.recv()).await, Some(job.id));
    stop.cancel();
    in_time(running).await.unwrap();
    in_time(beating).await.unwrap();
}

/// Whatever another provider signs, and whatever is said of an attempt that is not under way, wakes nobody: neither
/// here, where the job runs, nor elsewhere.
async fn a_hint_is_about_its_own_providers_attempt(database: TestDatabase) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = open(&database, terms()).await;
    let job = queued(&store).await;
    let worker = store.register_worker("one").await.unwrap();
    let (told, mut tells) = mpsc::unbounded_channel();
    let work = move |mut lease: Lease| {
        let told = told.clone();
        async move {
            if lease.begin_attempt(false).await? == 1 {
                // This one comes to nothing, and the next is begun.
                let error = google::unavailable(Retry::OnSchedule).error;
                return lease
                    .attempt_failed(Some(AttemptState::Rejected), error, Retry::OnSchedule)
                    .await
                    .map(drop);
            }
            lease.operation_accepted("models/m/operations/o").await?;
            told.send("accepted").unwrap();
            lease.hints().notified().await;
            told.send("hinted").unwrap();
            std::future::pending::<Result<(), Error>>().await
        }
    };
    let running = Running::default();
    let runner = Runner::new(store.clone(), worker, running.clone(), LIMITS, work);
    let stop = CancellationToken::new();
    let runs = tokio::spawn(runner.run(stop.clone()));
    assert_eq!(in_time(tells.recv()).await, Some("accepted"));

    let here = Hints::new(store.clone(), running, telling());
    let elsewhere = Hints::new(store.clone(), Running::default(), telling());
    let take = async |hints: &Hints, provider: &'static str, number| {
        hints.take(provider, hint::read(&about_attempt(&job.id, number))).await.unwrap()
    };
    for hints in [&here, &elsewhere] {
        for (provider, number) in [("omni", 2), ("omni", 1), ("veo3", 1), ("veo3", 3)] {
            let outcome = take(hints, provider, number).await;
            assert_eq!(outcome, Outcome::Unknown, "{provider} of attempt {number}");
        }
    }
    assert!(tells.try_recv().is_err(), "nobody was woken");
    assert_eq!(take(&elsewhere, "veo3", 2).await, Outcome::Noticed);
    assert_eq!(take(&here, "veo3", 2).await, Outcome::Woken);
    assert_eq!(in_time(tells.recv()).await, Some("hinted"));
    stop.cancel();
    in_time(runs).await.unwrap();
}

/// The one that has lost the job does not know it yet, and is the one that the provider happens to tell.
async fn a_hint_reaches_the_runner_that_has_taken_the_job_over(database: TestDatabase) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = open(&database, terms()).await;
    let job = queued(&store).await;
    let limits = Limits { per_user: 2, ..LIMITS };
    let (told, mut tells) = mpsc::unbounded_channel();
    let work = move |mut lease: Lease| {
        let told = told.clone();
        async move {
            if lease.attempt().is_none() {
                lease.begin_attempt(false).await?;
                lease.operation_accepted("models/m/operations/o").await?;
            }
            let epoch = lease.job().life.lease_epoch;
            told.send((epoch, "runs")).unwrap();
            lease.hints().notified().await;
            told.send((epoch, "hinted")).unwrap();
            std::future::pending::<Result<(), Error>>().await
        }
    };
    let stop = CancellationToken::new();
    let deaf = Running::default();
    let worker = store.register_worker("deaf").await.unwrap();
    let runner = Runner::new(store.clone(), worker, deaf.clone(), limits, work.clone());
    let mut tasks = vec![tokio::spawn(runner.run(stop.clone()))];
    let (epoch, _) = in_time(tells.recv()).await.unwrap();
    // The lease runs out, as it does when nobody renews it.
    store.abandon(&job.id, epoch).await.unwrap();
    let limits = Limits { heartbeat: OFTEN, ..limits };
    let worker = store.register_worker("other").await.unwrap();
    let runner = Runner::new(store.clone(), worker, Running::default(), limits, work);
    tasks.push(tokio::spawn(std::sync::Arc::clone(&runner).run(stop.clone())));
    tasks.push(tokio::spawn(runner.keep_alive(stop.clone())));
    assert_eq!(in_time(tells.recv()).await, Some((epoch + 1, "runs")));

    let hints = Hints::new(store.clone(), deaf, telling());
    let outcome = hints.take("veo3", hint::read(&about(&job.id))).await.unwrap();
    assert_eq!(outcome, Outcome::Woken, "as far as it knows");
    let mut hinted = [in_time(tells.recv()).await.unwrap(), in_time(tells.recv()).await.unwrap()];
    hinted.sort_unstable();
    assert_eq!(hinted, [(epoch, "hinted"), (epoch + 1, "hinted")]);
    stop.cancel();
    for task in tasks {
        in_time(task).await.unwrap();
    }
}
