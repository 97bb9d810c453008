//! The log catalogue: the flow and its failures emit every entry that a service has, with its fields; one trace
//! spans both services; and no secret is in any line.

use std::collections::BTreeSet;

use contract::{ConversationId, GenerationId, Timestamp, UserId, signing::Secrets};
use serde_json::{Value, json};
use telemetry::catalogue::{self, CATALOGUE};

use crate::{
    faults,
    harness::{
        Backend, Build, Client, Reply, System, client::id, eventually, picture::png as user_picture,
        system::PROVIDER_SECRET,
    },
};

/// Settings under which the rare things happen soon.
const HASTY: &[(&str, &str)] = &[
    // Named at the start, and never come to.
    ("CRASH_AT", "before:turn_taken#1000000"),
    ("SUBMISSION_GRACE", "1s"),
    ("PROVIDER_SUBMIT_TIMEOUT", "3s"),
    ("JOB_LEASE", "4s"),
    ("JOB_HEARTBEAT", "1s"),
    ("WEBHOOK_FIRST_RETRY", "200ms"),
    ("WEBHOOK_LIFETIME", "2s"),
    ("STATUS_FRESH", "1s"),
    // One provider tells by itself, as far as it can: nobody is there.
    ("PROVIDER_WEBHOOK_URL", "http://127.0.0.1:9"),
    ("OMNI_WEBHOOK_SECRETS", PROVIDER_SECRET),
    // A model that is away: whatever is said in this test, the rules read.
    ("INTENT_PROVIDER", "openai"),
    ("INTENT_MODEL", "absent"),
    ("INTENT_BASE_URL", "http://127.0.0.1:9"),
    ("PROMPT_ENHANCEMENT", "on"),
];

#[tokio::test]
async fn every_entry_is_emitted_with_its_fields_and_one_trace_spans_both_services() {
    let mut system = System::separate(Backend::Sqlite, HASTY).await;
    let user = system.user().await;

    // The flow, by chat, with a listener who comes back.
    let answer = user.say("Make me a video of a paper boat").await;
    let generation = answer["generation"].clone();
    let path = format!("/api/conversations/{}/events", generation["conversationId"].as_str().unwrap());
    let mut events = user.listen(&path, Some("0")).await;
    let answers = json!({"responses": {"duration": 4, "aspect_ratio": "16:9"}});
    user.act(&generation, "clarify", &answers).await.expect(200);
    user.act(&generation, "confirm", &json!({})).await.expect(200);
    while events.next().await.expect("the stream goes on").data["generation"]["status"] != "completed" {}
    drop(events);

    // A picture, and what is none.
    let picture = user.upload("image/png", user_picture()).await.expect(201);
    user.upload("image/png", b"no picture".to_vec()).await.expect_problem(422, "validation_failed");
    let body = json!({
        "prompt": "the boat on the picture begins to move",
        "parameters": {"duration": 4, "aspectRatio": "16:9"},
        "attachments": [{"uploadId": picture["id"]}],
    });
    let from_picture = user.post("/api/generations", &body).await.expect(201);
    let path = format!("/api/generations/{}", from_picture["id"].as_str().unwrap());
    let words = json!({"enhancedPrompt": "The boat on the picture sets sail."});
    user.send(user.request(reqwest::Method::PATCH, &path).json(&words)).await.expect(200);
    user.act(&from_picture, "confirm", &json!({})).await.expect(200);
    user.until(&from_picture, "completed").await;

    // Its other ends.
    for (prompt, end) in [
        ("a boat that is lost on the way [sim:lost]", "completed"),
        ("a boat that sinks [sim:fail]", "failed"),
        ("a boat that is refused once [sim:429]", "completed"),
    ] {
        let ordered = user.order(prompt).await;
        user.until(&ordered, end).await;
    }
    let ordered = user.order("a boat that takes its time [sim:latency=60s]").await;
    user.until(&ordered, "processing").await;
    // Asked about while it is silent, the worker is asked in turn.
    eventually("the worker is asked", async || {
        user.get(&format!("/api/generations/{}/status", id(&ordered))).await.expect(200);
        system.logged("[GENERATION_STATUS] Worker response")
    })
    .await;
    user.act(&ordered, "cancel", &json!({})).await.expect(200);

    another_provider_makes_videos(&system).await;
    a_provider_tells_by_itself(&system).await;
    late_duplicate_and_forged_webhooks(&system, &user, &generation).await;
    the_worker_loses_a_job(&mut system, &user).await;
    the_api_is_away(&mut system, &user).await;
    for name in ["worker", "api", "simulator", "storage"] {
        let status = system.process(name).stop().await;
        assert!(status.success(), "{name}: {status}");
    }

    let mut lines = system.events();
    lines.extend(faults::a_worker_sleeps_over_its_lease().await);
    lines.extend(a_worker_of_little_room_and_less_time().await);
    let emitted: BTreeSet<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    let expected = CATALOGUE.iter().filter(|entry| !entry.is_page_side()).map(|entry| entry.name);
    let missing: Vec<_> = expected.filter(|name| !emitted.contains(name)).collect();
    assert!(missing.is_empty(), "never emitted: {missing:#?}");

    for line in &lines {
        let Some(entry) = line["message"].as_str().and_then(catalogue::find) else { continue };
        for field in entry.required_fields().chain(["timestamp", "traceId", "service"]) {
            assert!(line.get(field).is_some(), "{field} is missing in {line}");
        }
    }
    // The trace of the yes is the trace of the making, in both services.
    let first = |message: &str| {
        let mut found = lines.iter().filter(|line| line["message"] == message);
        found.find(|line| line["generationId"] == generation["id"]).unwrap()
    };
    let confirm = first("[GENERATION_CONFIRM] Request received");
    assert_eq!(first("[GENERATION_WORKFLOW] Starting generation")["traceId"], confirm["traceId"]);
    // Its id is the command's, there too.
    for message in ["[GENERATION_CONFIRM] Calling Worker API", "[GENERATION_CONFIRM] Worker response"] {
        assert_eq!(first(message)["requestId"], confirm["requestId"], "{message}");
    }
    let path = format!("/api/generations/{}/confirm", id(&generation));
    let mut taken = lines.iter().filter(|line| line["message"] == "[WORKER] Request received");
    let taken = taken.find(|line| line["path"] == path.as_str()).unwrap();
    assert_eq!(taken["requestId"], confirm["requestId"]);

    let everything = lines.iter().map(Value::to_string).collect::<String>();
    let secrets = [&system.webhook_secret, &system.worker_api_secret, user.token.as_ref().unwrap()];
    for secret in secrets {
        assert!(!everything.contains(secret.trim_start_matches("whsec_")), "a secret is logged");
    }
    assert!(!everything.contains("X-Amz-Signature"), "a signed link is logged");
}

async fn late_duplicate_and_forged_webhooks(system: &System, user: &Client, generation: &Value) {
    let done = user.until(generation, "completed").await;
    let now = Timestamp::now();
    let body = json!({
        "type": "generation.progress", "timestamp": now,
        "data": {
            "generationId": done["id"], "jobId": done["workerJobId"], "status": "active", "sequence": 1,
            "attempt": 1, "stage": "generating", "progress": 1, "etaSeconds": null, "provider": "veo3",
            "model": "m", "retryCount": 0, "maxRetries": 3, "createdAt": now, "updatedAt": now, "startedAt": now,
            "completedAt": null,
        },
    })
    .to_string();
    let real = Secrets::parse(&system.webhook_secret).unwrap();
    let forged = Secrets::parse(&Secrets::encode(&[7; 32])).unwrap();
    for (secrets, status) in [(&real, 204), (&real, 204), (&forged, 401)] {
        let headers = secrets.sign("evt_0193580c7d3b7c6a9d1f3f1a5b0c2d4e", now, body.as_bytes());
        let request = user
            .request(reqwest::Method::POST, "/api/webhooks/worker")
            .header("content-type", "application/json")
            .header(contract::signing::ID_HEADER, headers.id)
            .header(contract::signing::TIMESTAMP_HEADER, headers.timestamp)
            .header(contract::signing::SIGNATURE_HEADER, headers.signature)
            .body(body.clone());
        assert_eq!(user.send(request).await.status, status);
    }
}

/// A worker that is killed takes its job back; one that is stopped in order gives it back first.
async fn the_worker_loses_a_job(system: &mut System, user: &Client) {
    let ordered = user.order("a boat that changes hands [sim:latency=8s]").await;
    user.until(&ordered, "processing").await;
    system.process("worker").kill().await;
    system.process("worker").start_again().await;
    system.until_logged("[QUEUE_MANAGER] Job rescued").await;
    system.process("worker").stop().await;
    system.until_logged("[QUEUE_MANAGER] Job released").await;
    system.process("worker").start_again().await;
    user.until(&ordered, "completed").await;
}

/// With the API away for too long, webhooks become dead letters and the reconciler repairs what they would have
/// told; sent again, they come too late.
async fn the_api_is_away(system: &mut System, user: &Client) {
    let ordered = user.order("a boat without a harbour [sim:latency=3s]").await;
    user.until(&ordered, "processing").await;
    system.process("api").kill().await;
    let dead = eventually("the last webhook is a dead letter", async || {
        let dead = |event: &Value| {
            event["message"] == "[WORKER_WEBHOOK] Webhook dead-lettered"
                && event["event"] == "generation.completed"
        };
        system.events().into_iter().find(dead)
    })
    .await;
    system.process("api").start_again().await;
    user.until(&ordered, "completed").await;

    let path = format!("/api/webhooks/deliveries/{}/redeliver", dead["webhookId"].as_str().unwrap());
    let answer = ask_the_worker(system, &path, "").await;
    assert!(answer.status.is_success(), "{:#}", answer.body);
    system.until_logged("[WORKER_WEBHOOK] Webhook redelivered").await;
    let answer = ask_the_worker(system, "/api/webhooks/ping", "").await.expect(200);
    assert_eq!(answer["status"], 204, "{answer:#}");
}

/// One that is not Veo has lines of its own: it takes a submission, loses one, refuses one, and gives one up.
async fn a_provider_tells_by_itself(system: &System) {
    let body = json!({"type": "interaction.completed", "data": {"id": "v1_unheard"}}).to_string();
    let forged = Secrets::encode(&[7; 32]);
    for (secret, status) in [(PROVIDER_SECRET, 204), (forged.as_str(), 401)] {
        let signed = Secrets::parse(secret).unwrap().sign("evt_1", Timestamp::now(), body.as_bytes());
        let worker = Client::anonymous(&system.worker);
        let request = worker
            .request(reqwest::Method::POST, "/api/providers/omni/webhook")
            .header(contract::signing::ID_HEADER, signed.id)
            .header(contract::signing::TIMESTAMP_HEADER, signed.timestamp)
            .header(contract::signing::SIGNATURE_HEADER, signed.signature)
            .body(body.clone());
        assert_eq!(worker.send(request).await.status, status);
    }
}

async fn another_provider_makes_videos(system: &System) {
    let mut last = Value::Null;
    for prompt in
        ["a boat", "a lost boat [sim:lost]", "a refused boat [sim:429]", "an endless boat [sim:never]"]
    {
        last = json!({
            "generationId": GenerationId::new(), "userId": UserId::new(), "conversationId": ConversationId::new(),
            "revision": 1, "state": "confirmed", "provider": "omni", "model": "gemini-omni-1.1-flash",
            "prompt": prompt, "parameters": {"duration": 4},
        });
        let answer = ask_the_worker(system, "/api/generations", &last.to_string()).await;
        assert!(answer.status.is_success(), "{:#}", answer.body);
    }
    for line in ["Downloaded", "Submission unknown", "Submission refused"] {
        system.until_logged(&format!("[PROVIDER_SERVICE] {line}")).await;
    }
    let job =
        ask_the_worker(system, "/api/generations", &last.to_string()).await.expect(200)["jobId"].clone();
    eventually("the last one has been taken", async || {
        let accepted = |event: &Value| {
            event["message"] == "[PROVIDER_SERVICE] Operation accepted" && event["jobId"] == job
        };
        system.events().iter().any(accepted).then_some(())
    })
    .await;
    (last["revision"], last["state"]) = (2.into(), "cancelled".into());
    let path = format!("/api/generations/{}/cancel", last["generationId"].as_str().unwrap());
    ask_the_worker(system, &path, &last.to_string()).await.expect(200);
    system.until_logged("[PROVIDER_SERVICE] Operation cancelled").await;
}

/// An operator's or the API's request, signed.
async fn ask_the_worker(system: &System, path: &str, body: &str) -> Reply {
    let secrets = Secrets::parse(&system.worker_api_secret).unwrap();
    let id = format!("req_{}", uuid::Uuid::now_v7().simple());
    let headers = secrets.sign_request(&id, Timestamp::now(), "POST", path, body.as_bytes());
    let worker = Client::anonymous(&system.worker);
    let request = worker
        .request(reqwest::Method::POST, path)
        .header(contract::signing::ID_HEADER, headers.id)
        .header(contract::signing::TIMESTAMP_HEADER, headers.timestamp)
        .header(contract::signing::SIGNATURE_HEADER, headers.signature)
        .header("content-type", "application/json")
        .body(body.to_owned());
    worker.send(request).await
}

/// A worker whose bucket is at Cloudflare, whose queue is full with one job, and which must end at once in the
/// midst of a submission.
async fn a_worker_of_little_room_and_less_time() -> Vec<Value> {
    let settings = &[
        ("WORKER_RUNNING_JOBS", "1"),
        ("WORKER_QUEUE_DEPTH", "1"),
        ("SHUTDOWN_TIMEOUT", "1ms"),
        ("COMMAND_RETRY_MAX", "1s"),
    ];
    let build = Build { on_r2: true, ..Build::on(Backend::Sqlite) };
    let mut system = build.quick(settings).start().await;
    let user = system.user().await;
    let stored = user.order("a boat in the clouds").await;
    user.until(&stored, "completed").await;
    let hangs = user.order("a boat that nobody sees again [sim:hang]").await;
    user.until(&hangs, "processing").await;
    eventually("it is being submitted", async || {
        let submitting =
            system.events().into_iter().filter(|event| event["message"] == "[VEO3_SERVICE] Submitting");
        (submitting.count() == 2).then_some(())
    })
    .await;
    for prompt in ["a boat that waits", "a boat for which there is no room"] {
        system.user().await.order(prompt).await;
    }
    system.until_logged("[SERVICE] Request failed").await;
    system.process("worker").stop().await;
    system.until_logged("[SERVICE] Task failed").await;
    system.events()
}
