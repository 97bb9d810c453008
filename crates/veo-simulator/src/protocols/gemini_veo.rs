//! Veo as Google's Gemini API speaks it: `predictLongRunning`, the operation that is polled, and the file that
//! is downloaded.
//!
//! The official SDK `google-genai` 2.34.0 is the judge of the answers.

use actix_web::web::{self, Bytes, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::download;
use crate::google::{ApiError, ApiKey};
use crate::http::Shared;
use crate::operations::{Download, Outcome, new_id, rfc3339};
use crate::protocols::veo::{self, Dialect};

/// Where the real files live. Clients ask their own base for the path behind it.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/files";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/v1beta/models/{model}:predictLongRunning", web::post().to(submit))
        .route("/v1beta/{name:models/[^/]+/operations/[^/]+}", web::get().to(poll))
        .route("/{version:v1|v1beta}/files/{file:[a-z0-9]+}:download", web::get().to(download))
        .route("/download/{version:v1|v1beta}/files/{file:[a-z0-9]+}:download", web::get().to(download))
        .route("/{version:v1|v1beta}/files/{file:[a-z0-9]+}", web::get().to(file));
}

async fn submit(
    _: ApiKey,
    shared: Data<Shared>,
    model: Path<String>,
    body: Result<Bytes, actix_web::Error>,
) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|error| ApiError::invalid(format!("The request cannot be read: {error}")))?;
    let name = |model: &str| format!("models/{model}/operations/{}", new_id());
    let submission = veo::submission(Dialect::Gemini, model.into_inner(), &body, name)?;
    let name = shared.operations.submit(submission).await?;
    Ok(Json(json!({ "name": name })))
}

async fn poll(_: ApiKey, shared: Data<Shared>, name: Path<String>) -> Result<Json<Value>, ApiError> {
    shared.operations.asked_after(&name);
    let outcome = shared.operations.outcome(&name);
    let outcome = outcome.ok_or_else(|| ApiError::not_found(format!("Operation {name} is not found.")))?;
    Ok(Json(answer(&name, &outcome)))
}

async fn download(
    _: ApiKey,
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (_, file) = path.into_inner();
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
    path: Path<(String, String)>,
    query: Query<FileQuery>,
) -> Result<HttpResponse, ApiError> {
    let (_, file) = path.into_inner();
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
        "state": if wanted.is_processing() { "PROCESSING" } else { "ACTIVE" },
        "source": "GENERATED",
    })))
}

pub(super) fn find(shared: &Shared, file: &str) -> Result<Download, ApiError> {
    let found = shared.operations.download(file);
    found.ok_or_else(|| ApiError::not_found(format!("File {file} does not exist or has expired.")))
}

pub(crate) fn uri(file: &str) -> String {
    format!("{FILES}/{file}:download?alt=media")
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
        Outcome::Succeeded { file, .. } => done(json!({"generatedSamples": [{"video": {"uri": uri(file)}}]})),
        // A filtered video looks like a success without samples.
        Outcome::Filtered => done(veo::filtered(veo::VIOLENCE)),
        Outcome::Unheard => done(veo::filtered(veo::AUDIO)),
        Outcome::Empty => done(json!({})),
        Outcome::Failed | Outcome::Cancelled => json!({ "name": name, "done": true, "error": veo::error() }),
    }
}
