//! Veo as Google's Gemini API speaks it: `predictLongRunning`, the operation that is polled, and the file that
//! is downloaded.
//!
//! The official SDK `google-genai` 2.34.0 is the judge of the answers, and the limits are those of Veo 3.1:
//! whatever the real service refuses is refused here, so that a client does not learn to rely on too much.
//! Images and videos in a request are taken, and not looked into; a `webhookConfig` is taken, and not used.

use actix_web::web::{self, Bytes, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::download;
use crate::google::{ApiError, ApiKey};
use crate::http::Shared;
use crate::operations::{Download, Outcome, Submission, new_id, rfc3339};

/// Where the real files live. Clients ask their own base for the path behind it.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/files";

/// The limit is 1,024 tokens. How many a text has is the model's secret; beyond this many bytes it has more.
const LONGEST_PROMPT: usize = 8 * 1024;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/v1beta/models/{model}:predictLongRunning", web::post().to(submit))
        .route("/v1beta/{name:models/[^/]+/operations/[^/]+}", web::get().to(poll))
        .route("/v1beta/files/{file:[a-z0-9]+}:download", web::get().to(download))
        .route("/download/v1beta/files/{file:[a-z0-9]+}:download", web::get().to(download))
        .route("/v1beta/files/{file:[a-z0-9]+}", web::get().to(file));
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    instances: Vec<Instance>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(rename = "webhookConfig")]
    _webhook_config: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Instance {
    #[serde(default)]
    prompt: String,
    image: Option<Map<String, Value>>,
    last_frame: Option<Map<String, Value>>,
    #[serde(default)]
    reference_images: Vec<Map<String, Value>>,
    video: Option<Map<String, Value>>,
}

/// What may be set; other parameters of other modes (`seed`, `fps`, `generateAudio`) are refused by name.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    sample_count: Option<u32>,
    duration_seconds: Option<u16>,
    aspect_ratio: Option<String>,
    resolution: Option<String>,
    person_generation: Option<String>,
    #[serde(rename = "negativePrompt")]
    _negative_prompt: Option<String>,
}

async fn submit(
    _: ApiKey,
    shared: Data<Shared>,
    model: Path<String>,
    body: Result<Bytes, actix_web::Error>,
) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|error| ApiError::invalid(format!("The request cannot be read: {error}")))?;
    let submission = validate(model.into_inner(), &body)?;
    let name = submission.name.clone();
    shared.operations.submit(submission).await?;
    Ok(Json(json!({ "name": name })))
}

async fn poll(_: ApiKey, shared: Data<Shared>, name: Path<String>) -> Result<Json<Value>, ApiError> {
    let outcome = shared.operations.outcome(&name);
    let outcome = outcome.ok_or_else(|| ApiError::not_found(format!("Operation {name} is not found.")))?;
    Ok(Json(answer(&name, &outcome)))
}

async fn download(
    _: ApiKey,
    request: HttpRequest,
    shared: Data<Shared>,
    file: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let wanted = find(&shared, &file)?;
    download::serve(&request, shared.operations.studio(), &wanted).await
}

#[derive(Debug, Deserialize)]
struct FileQuery {
    alt: Option<String>,
}

/// A file by its plain name: what is known about it, or with `alt=media` its content.
async fn file(
    _: ApiKey,
    request: HttpRequest,
    shared: Data<Shared>,
    file: Path<String>,
    query: Query<FileQuery>,
) -> Result<HttpResponse, ApiError> {
    let wanted = find(&shared, &file)?;
    if query.alt.as_deref() == Some("media") {
        return download::serve(&request, shared.operations.studio(), &wanted).await;
    }
    let size = download::size(shared.operations.studio(), &wanted).await?;
    Ok(HttpResponse::Ok().json(json!({
        "name": format!("files/{file}"),
        "mimeType": "video/mp4",
        "sizeBytes": size.to_string(),
        "createTime": rfc3339(wanted.finished_at),
        "expirationTime": rfc3339(wanted.expires_at),
        "uri": format!("{FILES}/{file}"),
        "downloadUri": uri(&file),
        "state": "ACTIVE",
        "source": "GENERATED",
    })))
}

fn find(shared: &Shared, file: &str) -> Result<Download, ApiError> {
    let found = shared.operations.download(file);
    found.ok_or_else(|| ApiError::not_found(format!("File {file} does not exist or has expired.")))
}

fn uri(file: &str) -> String {
    format!("{FILES}/{file}:download?alt=media")
}

/// Reads a request as strictly as the real service does.
fn validate(model: String, body: &[u8]) -> Result<Submission, ApiError> {
    if !model.starts_with("veo-") && !model.starts_with("gemini-omni-") {
        let message = format!("models/{model} is not found, or is not supported for predictLongRunning.");
        return Err(ApiError::not_found(message));
    }
    let Request { mut instances, parameters, .. } = serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    let (Some(instance), true) = (instances.pop(), instances.is_empty()) else {
        return Err(ApiError::invalid("`instances` must hold exactly one instance."));
    };
    if instance.prompt.trim().is_empty() {
        return Err(ApiError::invalid("`prompt` must not be empty."));
    }
    if instance.prompt.len() > LONGEST_PROMPT {
        return Err(ApiError::invalid("`prompt` has more than 1024 tokens."));
    }
    if instance.last_frame.is_some() && instance.image.is_none() {
        return Err(ApiError::invalid("`lastFrame` needs `image`."));
    }
    if instance.reference_images.len() > 3 {
        return Err(ApiError::invalid("There may be at most 3 `referenceImages`."));
    }
    let person_generation = parameters.person_generation.as_deref();
    if person_generation.is_some_and(|value| !["allow_all", "allow_adult", "dont_allow"].contains(&value)) {
        return Err(ApiError::invalid("`personGeneration` is not supported with this value."));
    }
    if parameters.sample_count.unwrap_or(1) != 1 {
        return Err(ApiError::invalid("`sampleCount` must be 1."));
    }

    let (short, long) = match parameters.resolution.as_deref().unwrap_or("720p") {
        "720p" => (720, 1280),
        "1080p" => (1080, 1920),
        "4k" if !model.contains("-lite") => (2160, 3840),
        other => return Err(ApiError::invalid(format!("`resolution` {other} is not supported by {model}."))),
    };
    let (width, height) = match parameters.aspect_ratio.as_deref().unwrap_or("16:9") {
        "16:9" => (long, short),
        "9:16" => (short, long),
        other => return Err(ApiError::invalid(format!("`aspectRatio` {other} is not supported."))),
    };
    let extends = instance.video.is_some();
    if extends && short != 720 {
        return Err(ApiError::invalid("A `video` can be extended at 720p only."));
    }
    let full_length_only = short > 720 || extends || !instance.reference_images.is_empty();
    let seconds = match parameters.duration_seconds.unwrap_or(8) {
        8 => 8,
        seconds @ (4 | 6) if !full_length_only => seconds,
        4 | 6 => {
            let message = "`durationSeconds` must be 8 for 1080p, 4k, extension and reference images.";
            return Err(ApiError::invalid(message));
        }
        other => return Err(ApiError::invalid(format!("`durationSeconds` must be 4, 6 or 8, not {other}."))),
    };
    let name = format!("models/{model}/operations/{}", new_id());
    Ok(Submission { name, model, prompt: instance.prompt, width, height, seconds })
}

fn answer(name: &str, outcome: &Outcome) -> Value {
    let done = |videos: Value| {
        json!({
            "name": name,
            "done": true,
            "response": {
                "@type":
                    "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
                "generateVideoResponse": videos,
            },
        })
    };
    match outcome {
        Outcome::Running => json!({ "name": name }),
        Outcome::Succeeded { file } => done(json!({"generatedSamples": [{"video": {"uri": uri(file)}}]})),
        // A filtered video looks like a success without samples.
        Outcome::Filtered => done(json!({
            "raiMediaFilteredCount": 1,
            "raiMediaFilteredReasons":
                ["The video was blocked because it may show violence. Support codes: 61493863"],
        })),
        Outcome::Failed => json!({
            "name": name,
            "done": true,
            "error": {"code": 13, "message": "Video generation failed due to an internal server issue."},
        }),
    }
}
