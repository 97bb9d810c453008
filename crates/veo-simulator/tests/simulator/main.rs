//! The simulator as a program: what it says on the wire, how it goes wrong, what it remembers, and what the
//! provider's own client makes of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;
mod sdk;
mod webhooks;

use std::time::Duration;

use re_mp4::{Mp4, TrackKind};
use serde_json::{Value, json};

use self::program::{Program, in_time};

/// Polls until the operation is done.
async fn finished(program: &Program, name: &str) -> Value {
    in_time(async {
        loop {
            let operation = program.get(&format!("/v1beta/{name}")).await.json::<Value>().await.unwrap();
            if operation["done"] == true {
                return operation;
            }
            assert_eq!(operation, json!({ "name": name }), "pending has its name and nothing else");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

async fn download(program: &Program, operation: &Value) -> Vec<u8> {
    let uri = uri(operation);
    let path = uri.strip_prefix("https://generativelanguage.googleapis.com").unwrap();
    let answer = program.get(path).await;
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

fn uri(operation: &Value) -> &str {
    operation["response"]["generateVideoResponse"]["generatedSamples"][0]["video"]["uri"].as_str().unwrap()
}

/// Width, height and seconds.
fn measured(video: &[u8]) -> (u16, u16, f64) {
    let mp4 = Mp4::read_bytes(video).unwrap();
    let track = mp4.tracks().values().find(|track| track.kind == Some(TrackKind::Video)).unwrap();
    let seconds = f64::from(u32::try_from(track.duration).unwrap())
        / f64::from(u32::try_from(track.timescale).unwrap());
    (track.width, track.height, seconds)
}

#[tokio::test]
async fn the_wire_has_the_providers_shapes() {
    let program = Program::start(&["--latency", "100ms", "--render", "cached"]);
    let body = json!({
        "instances": [{"prompt": "a boat"}],
        "parameters": {"sampleCount": 1, "durationSeconds": 4, "aspectRatio": "9:16", "resolution": "720p"},
    });
    let accepted = program.submit_body(&body).await;
    assert_eq!(accepted.status(), 200);
    let accepted: Value = accepted.json().await.unwrap();
    let name = accepted["name"].as_str().unwrap();
    assert_eq!(accepted, json!({ "name": name }));
    let id = name.strip_prefix("models/veo-3.1-generate-001/operations/").unwrap();
    assert!(!id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{name}");

    let operation = finished(&program, name).await;
    let uri = uri(&operation);
    let file = uri.strip_prefix("https://generativelanguage.googleapis.com/v1beta/files/").unwrap();
    let file = file.strip_suffix(":download?alt=media").unwrap();
    assert!(file.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{uri}");
    let expected = json!({
        "name": name,
        "done": true,
        "response": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
            "generateVideoResponse": {"generatedSamples": [{"video": {"uri": uri}}]},
        },
    });
    assert_eq!(operation, expected);
    let (width, height, seconds) = measured(&download(&program, &operation).await);
    assert_eq!((width, height), (720, 1280));
    assert!((seconds - 4.0).abs() < 0.1, "{seconds}");
}

#[tokio::test]
async fn every_fault_has_its_shape() {
    let program = Program::start(&["--latency", "0s", "--render", "cached"]);
    let accepted = async |prompt: &str| {
        let answer = program.submit(prompt).await;
        assert_eq!(answer.status(), 200, "{prompt}");
        answer.json::<Value>().await.unwrap()["name"].as_str().unwrap().to_owned()
    };
    let failed = finished(&program, &accepted("[sim:fail]").await).await;
    assert_eq!(failed["error"]["code"], 13);
    let filtered = finished(&program, &accepted("[sim:filtered]").await).await;
    let videos = &filtered["response"]["generateVideoResponse"];
    assert_eq!((&videos["raiMediaFilteredCount"], &videos["generatedSamples"]), (&json!(1), &Value::Null));
    let empty = finished(&program, &accepted("[sim:empty]").await).await;
    assert_eq!((&empty["error"], &empty["response"]["generateVideoResponse"]), (&Value::Null, &json!({})));
    let whole = download(&program, &finished(&program, &accepted("a boat").await).await).await;
    let half = download(&program, &finished(&program, &accepted("[sim:truncated]").await).await).await;
    assert!(half.len() < whole.len() && whole.starts_with(&half));
    let page = download(&program, &finished(&program, &accepted("[sim:html]").await).await).await;
    assert!(page.starts_with(b"<!doctype html>"));
    let never = accepted("[sim:never]").await;
    let pending: Value = program.get(&format!("/v1beta/{never}")).await.json().await.unwrap();
    assert_eq!(pending, json!({ "name": never }));

    let limited = program.submit("[sim:429]").await;
    assert_eq!(limited.status(), 429);
    let limited: Value = limited.json().await.unwrap();
    assert_eq!(limited["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(limited["error"]["details"][0]["retryDelay"], "1s");
    accepted("[sim:429]").await;
    assert_eq!(program.submit("[sim:500]").await.status(), 500);
    assert_eq!(program.submit("[sim:unheard-of]").await.status(), 400);

    let hanging = program.submit_within("[sim:hang]", Duration::from_millis(300)).await.unwrap_err();
    assert!(hanging.is_timeout());
    let before = program.ledger().await.len();
    let lost = program.submit_within("[sim:lost]", Duration::from_millis(300)).await.unwrap_err();
    assert!(lost.is_timeout());
    assert_eq!(program.ledger().await.len(), before + 1, "taken, though nobody was told");
    let nameless = program.submit("[sim:nameless]").await;
    assert_eq!(nameless.status(), 200);
    assert_eq!(nameless.json::<Value>().await.unwrap(), json!({"name": null}));
    assert_eq!(program.ledger().await.len(), before + 2, "taken, though nobody can ask for it");
}

#[tokio::test]
async fn who_has_no_key_is_not_let_in() {
    let program = Program::start(&["--render", "cached"]);
    let answer = reqwest::get(program.url("/v1beta/models/veo-3.1-generate-001/operations/o")).await.unwrap();
    assert_eq!(answer.status(), 403);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["status"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn operations_videos_and_ledger_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--latency", "1s", "--render", "cached", "--data-dir", directory.path().to_str().unwrap()];
    let program = Program::start(&options);
    let accepted: Value = program.submit("a boat").await.json().await.unwrap();
    let name = accepted["name"].as_str().unwrap();
    let before = program.ledger().await;
    assert_eq!((before.len(), &before[0]["operation"]), (1, &json!(name)));
    program.kill();

    let program = Program::start(&options);
    let operation = finished(&program, name).await;
    let (width, height, seconds) = measured(&download(&program, &operation).await);
    assert_eq!((width, height), (1280, 720));
    assert!((seconds - 4.0).abs() < 0.1, "{seconds}");
    let after = program.ledger().await;
    assert_eq!((after.len(), &after[0]["operation"]), (1, &json!(name)));
    assert_eq!((&after[0]["at"], &after[0]["state"]), (&before[0]["at"], &json!("succeeded")));
}

#[tokio::test]
async fn who_is_not_let_in_or_asks_for_nonsense_is_told_so() {
    let program = Program::start(&["--latency", "0s", "--render", "cached"]);
    let (key, token) = (("x-goog-api-key", "key"), ("authorization", "Bearer ya29.token"));
    let (stranger, forged) = (("x-nothing", "x"), ("authorization", "Bearer forged"));
    let vertex =
        "/v1/projects/p/locations/l/publishers/google/models/veo-3.1-generate-001:predictLongRunning";
    let (veo, more) = (json!({"instances": [{"prompt": "a boat"}]}), json!({"seed": 7}));
    let seeded = json!({"instances": [{"prompt": "a boat"}], "parameters": more});
    let gemini = "/v1beta/models/veo-3.1-generate-001:predictLongRunning";
    let interaction = |format: Value| json!({"model": "gemini-omni-1.1-flash", "input": "a boat", "response_format": format});
    let omni = "/v1beta/interactions";
    for (path, header, body, status) in [
        (vertex, stranger, &veo, 403),
        (vertex, forged, &veo, 401),
        (vertex, token, &seeded, 200),
        (vertex, key, &veo, 200),
        (gemini, key, &seeded, 400),
        (omni, stranger, &interaction(json!({"type": "video"})), 403),
        (omni, key, &interaction(json!({"type": "image"})), 400),
        (omni, key, &interaction(json!({"type": "video", "duration": "2s"})), 400),
        (omni, key, &interaction(json!({"type": "video", "duration": "3s", "fps": 24})), 400),
        (omni, key, &interaction(json!({"type": "video", "duration": "3s"})), 200),
        ("/v1beta/interactions/v1_unheard/cancel", key, &json!({}), 404),
        ("/token", stranger, &json!({}), 400),
        (
            "/v1/projects/p/locations/l/publishers/google/models/m:fetchPredictOperation",
            token,
            &json!({"operationName": "o"}),
            404,
        ),
    ] {
        let answer = program.post_to(path, header, body).await;
        assert_eq!(answer.status(), status, "{path} {header:?} {body}");
    }
    let machine = "/computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!(program.get(machine).await.status(), 403, "without the header that a browser cannot send");
    let object = "/storage/v1/b/bucket/o/videos%2Funheard%2Fsample_0.mp4?alt=media";
    assert_eq!(program.get(object).await.status(), 404);
}

#[tokio::test]
async fn what_is_cancelled_stays_so() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--latency", "1h", "--render", "cached", "--data-dir", directory.path().to_str().unwrap()];
    let program = Program::start(&options);
    let body = json!({
        "model": "gemini-omni-1.1-flash", "input": "a boat", "background": true,
        "response_format": {"type": "video", "delivery": "uri"},
    });
    let key = ("x-goog-api-key", "key");
    let created: Value = program.post_to("/v1/interactions", key, &body).await.json().await.unwrap();
    assert_eq!(created["status"], "in_progress");
    let path = format!("/v1/interactions/{}", created["id"].as_str().unwrap());
    let cancelled = program.post_to(&format!("{path}/cancel"), key, &json!({})).await;
    assert_eq!(cancelled.json::<Value>().await.unwrap()["status"], "cancelled");
    program.kill();
    let program = Program::start(&options);
    let told: Value = program.get(&format!("{path}?stream=false")).await.json().await.unwrap();
    assert_eq!(told["status"], "cancelled");
    assert_eq!(program.ledger().await[0]["state"], "cancelled");
}
