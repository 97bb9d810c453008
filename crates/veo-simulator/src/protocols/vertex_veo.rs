//! Veo as Google Cloud's Vertex speaks it: `predictLongRunning`, the question how an operation stands, and the
//! video inside of the answer or in Cloud Storage.
//!
//! The official SDK `google-genai` 3.4.0 is the judge of the answers.

use actix_web::web::{self, Bytes, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::download;
use crate::google::{ApiError, Authorised};
use crate::http::Shared;
use crate::operations::{Delivery, Outcome, new_id};
use crate::protocols::gemini_veo::find;
use crate::protocols::veo::{self, Dialect};

/// The last step of an object's name; the one before it is the file's id.
const OBJECT: &str = "sample_0.mp4";

pub(crate) fn routes(config: &mut ServiceConfig) {
    const MODEL: &str =
        "/{version:v1|v1beta1}/projects/{project}/locations/{location}/publishers/google/models/{model}";
    config
        .route(&format!("{MODEL}:predictLongRunning"), web::post().to(submit))
        .route(&format!("{MODEL}:fetchPredictOperation"), web::post().to(poll))
        .route("/storage/v1/b/{bucket}/o/{object:.+}", web::get().to(object));
}

#[derive(Debug, Deserialize)]
struct Asked {
    project: String,
    location: String,
    model: String,
}

async fn submit(
    _: Authorised,
    shared: Data<Shared>,
    path: Path<Asked>,
    body: Result<Bytes, actix_web::Error>,
) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|error| ApiError::invalid(format!("The request cannot be read: {error}")))?;
    let Asked { project, location, model } = path.into_inner();
    let name = |model: &str| {
        format!(
            "projects/{project}/locations/{location}/publishers/google/models/{model}/operations/{}",
            new_id()
        )
    };
    let submission = veo::submission(Dialect::Vertex, model, &body, name)?;
    let name = shared.operations.submit(submission).await?;
    Ok(Json(json!({ "name": name })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    operation_name: String,
}

async fn poll(
    _: Authorised,
    shared: Data<Shared>,
    question: Json<Question>,
) -> Result<Json<Value>, ApiError> {
    let name = question.into_inner().operation_name;
    shared.operations.asked_after(&name);
    let outcome = shared.operations.outcome(&name);
    let outcome = outcome.ok_or_else(|| ApiError::not_found(format!("Operation {name} is not found.")))?;
    let done = |mut response: Value| {
        response["@type"] = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse".into();
        json!({ "name": name, "done": true, "response": response })
    };
    Ok(Json(match outcome {
        Outcome::Running => json!({ "name": name }),
        Outcome::Succeeded { file, delivery } => {
            let mut video = json!({"mimeType": "video/mp4"});
            match delivery {
                Delivery::Storage(folder) => {
                    video["gcsUri"] = format!("{}/{file}/{OBJECT}", folder.trim_end_matches('/')).into();
                }
                Delivery::Inline | Delivery::Link => {
                    let wanted = find(&shared, &file)?;
                    let content = download::content(shared.operations.studio(), &wanted).await?;
                    video["bytesBase64Encoded"] = BASE64_STANDARD.encode(content).into();
                }
            }
            done(json!({"raiMediaFilteredCount": 0, "videos": [video]}))
        }
        // A filtered video looks like a success without videos.
        Outcome::Filtered => done(veo::filtered(veo::VIOLENCE)),
        Outcome::Unheard => done(veo::filtered(veo::AUDIO)),
        Outcome::Empty => done(json!({})),
        Outcome::Failed | Outcome::Cancelled => json!({ "name": name, "done": true, "error": veo::error() }),
    }))
}

#[derive(Debug, Deserialize)]
struct ObjectQuery {
    alt: Option<String>,
}

/// An object, as the storage's JSON API gives it out.
async fn object(
    _: Authorised,
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
    query: Query<ObjectQuery>,
) -> Result<HttpResponse, ApiError> {
    let (bucket, object) = path.into_inner();
    let file = object.strip_suffix(OBJECT).and_then(|rest| rest.strip_suffix('/')?.rsplit('/').next());
    let not_found = || ApiError::not_found(format!("No such object: {bucket}/{object}"));
    let wanted = find(&shared, file.ok_or_else(not_found)?)?;
    if query.alt.as_deref() != Some("media") {
        let size = download::size(shared.operations.studio(), &wanted).await?;
        return Ok(HttpResponse::Ok().json(json!({
            "kind": "storage#object", "bucket": bucket, "name": object, "contentType": "video/mp4",
            "size": size.to_string(),
        })));
    }
    download::serve(&request, shared.operations.studio(), &wanted).await
}
