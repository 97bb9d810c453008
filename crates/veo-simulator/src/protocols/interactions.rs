//! Google's Interactions API, as far as it makes videos: an interaction that is created, polled and cancelled, with
//! the video at a link to a file or inside of the answer.
//!
//! The official SDK `google-genai` 3.4.0 is the judge of the answers. What it may send besides, for conversations
//! and tools, is not taken.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, Json, Path, ServiceConfig};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::download;
use crate::fault::Fault;
use crate::google::{ApiError, ApiKey, Kind};
use crate::http::Shared;
use crate::operations::{Delivery, Outcome, Submission, new_id};
use crate::protocols::gemini_veo::{find, uri};
use crate::webhooks::{About, Config};

/// How often somebody who waits for the end is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/{version:v1|v1beta}/interactions", web::post().to(create))
        .route("/{version:v1|v1beta}/interactions/{id}", web::get().to(get))
        .route("/{version:v1|v1beta}/interactions/{id}", web::delete().to(forget))
        .route("/{version:v1|v1beta}/interactions/{id}/cancel", web::post().to(cancel));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    model: String,
    input: Input,
    response_format: Format,
    #[serde(default)]
    background: bool,
    store: Option<bool>,
    stream: Option<bool>,
    webhook_config: Option<Config>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    Image {},
    Video {},
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    aspect_ratio: Option<String>,
    duration: Option<String>,
    resolution: Option<String>,
    delivery: Option<String>,
}

async fn create(
    _: ApiKey,
    shared: Data<Shared>,
    body: Result<Bytes, actix_web::Error>,
) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|error| ApiError::invalid(format!("The request cannot be read: {error}")))?;
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    let (background, model) = (request.background, request.model.clone());
    let submission = validate(request)?;
    let id = submission.name.clone();
    let told = shared.operations.submit(submission).await?;
    if !background {
        while shared.operations.outcome(&id) == Some(Outcome::Running) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        return answer(&shared, &id).await.map(Json);
    }
    Ok(Json(json!({"id": told, "object": "interaction", "model": model, "status": "in_progress"})))
}

async fn get(_: ApiKey, shared: Data<Shared>, path: Path<(String, String)>) -> Result<Json<Value>, ApiError> {
    shared.operations.asked_after(&path.1);
    answer(&shared, &path.1).await.map(Json)
}

async fn cancel(
    _: ApiKey,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let id = &path.1;
    let unrecorded = |error| {
        tracing::error!(%error, "A cancel was not recorded");
        ApiError::new(Kind::Unavailable, "The service is currently unavailable.")
    };
    shared.operations.cancel(id).await.map_err(unrecorded)?.ok_or_else(|| not_found(id))?;
    answer(&shared, id).await.map(Json)
}

/// What is accepted stays in the ledger, so nothing is forgotten but said to be.
async fn forget(
    _: ApiKey,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    shared.operations.outcome(&path.1).ok_or_else(|| not_found(&path.1))?;
    Ok(HttpResponse::Ok().json(json!({})))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("Interaction {id} is not found."))
}

/// Reads a request as strictly as the real service does.
fn validate(request: Request) -> Result<Submission, ApiError> {
    let Request { model, input, response_format: format, background, store, stream, webhook_config } =
        request;
    if !model.starts_with("gemini-omni-") && !model.starts_with("veo-") {
        return Err(ApiError::not_found(format!("models/{model} is not found.")));
    }
    if background && store == Some(false) {
        return Err(ApiError::invalid("`background` needs `store`."));
    }
    if stream == Some(true) {
        return Err(ApiError::invalid("`stream` is not supported for videos."));
    }
    if format.kind != "video" {
        return Err(ApiError::invalid("`response_format` must be a video."));
    }
    let (prompt, images) = match input {
        Input::Text(text) => (text, 0),
        Input::Parts(parts) => {
            let images = parts.iter().filter(|part| matches!(part, Part::Image {})).count();
            let texts = parts.into_iter().filter_map(|part| match part {
                Part::Text { text } => Some(text),
                Part::Image {} | Part::Video {} => None,
            });
            (texts.collect::<Vec<_>>().join(" "), images)
        }
    };
    let short = match format.resolution.as_deref().unwrap_or("720p") {
        "360p" => 360,
        "720p" => 720,
        "1080p" => 1080,
        "4k" => 2160,
        other => return Err(ApiError::invalid(format!("`resolution` {other} is not supported."))),
    };
    let long = short / 9 * 16;
    let (width, height) = match format.aspect_ratio.as_deref().unwrap_or("16:9") {
        "16:9" => (long, short),
        "9:16" => (short, long),
        other => return Err(ApiError::invalid(format!("`aspect_ratio` {other} is not supported."))),
    };
    let duration = format.duration.as_deref().unwrap_or("8s");
    let seconds = duration.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    let Some(seconds @ 3..=10) = seconds else {
        return Err(ApiError::invalid(format!("`duration` must be 3s to 10s, not {duration}.")));
    };
    let delivery = match format.delivery.as_deref().unwrap_or("inline") {
        "inline" => Delivery::Inline,
        "uri" => Delivery::Link,
        other => return Err(ApiError::invalid(format!("`delivery` {other} is not supported."))),
    };
    let name = format!("v1_{}", new_id());
    let webhook = webhook_config.map(|config| config.wanted(About::Interaction)).transpose()?.flatten();
    Ok(Submission { name, model, prompt, width, height, seconds, images, delivery, webhook })
}

async fn answer(shared: &Shared, id: &str) -> Result<Value, ApiError> {
    let outcome = shared.operations.outcome(id).ok_or_else(|| not_found(id))?;
    let status = |status: &str| json!({"id": id, "object": "interaction", "status": status});
    let with = |mut answer: Value, name: &str, value: Value| {
        answer[name] = value;
        answer
    };
    let output = |content: Value| json!([{"type": "model_output", "content": [content]}]);
    Ok(match outcome {
        Outcome::Running => status("in_progress"),
        Outcome::Cancelled => status("cancelled"),
        Outcome::Succeeded { file, delivery } => {
            let wanted = find(shared, &file)?;
            let mut video = json!({"type": "video", "mime_type": "video/mp4"});
            if delivery == Delivery::Inline || wanted.has(Fault::Inline) {
                let content = download::content(shared.operations.studio(), &wanted).await?;
                video["data"] = BASE64_STANDARD.encode(content).into();
            } else {
                video["uri"] = uri(&file).into();
            }
            with(status("completed"), "steps", output(video))
        }
        // The model says in words why it makes no video.
        Outcome::Filtered => {
            let text = "I can't make this video, because it may show violence.";
            with(status("completed"), "steps", output(json!({"type": "text", "text": text})))
        }
        Outcome::Empty => with(status("completed"), "steps", json!([])),
        Outcome::Unheard => {
            let message = super::veo::AUDIO;
            with(status("failed"), "errors", json!([{"code": "audio_filtered", "message": message}]))
        }
        Outcome::Failed => {
            let message = "The video could not be generated.";
            with(status("failed"), "errors", json!([{"code": "internal", "message": message}]))
        }
    })
}
