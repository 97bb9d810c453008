//! The route by which api-service hands a picture over.

use actix_web::{
    HttpRequest, HttpResponse, put,
    web::{Data, Path},
};
use contract::{ImageType, Problem, UploadId, images::UploadAnswer};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::State,
    auth::{Nonce, Verified, verified},
    error::{AppError, AppResult},
};

/// What the paths of these routes begin with: their bodies may be larger than others.
pub(crate) const PATH: &str = "/api/uploads/";

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(keep);
}

/// Keep a picture
///
/// The body is the picture, PNG or JPEG, of at most 20 MiB; which of the two it is, its first bytes say. The
/// same picture under the same id is as good as the first time.
#[utoipa::path(
    tag = "uploads",
    params(("id" = String, Path, description = "The upload")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "It is stored", body = UploadAnswer),
        (status = 408, description = "`request_timeout`: it did not arrive within `WORKER_UPLOAD_TIMEOUT`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`upload_exists`: another picture was sent under this id", body = Problem, content_type = "application/problem+json"),
        (status = 411, description = "`length_required`: the header content-length is missing", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`payload_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is neither PNG nor JPEG", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: it could not be stored; `uploads_full`: as many pictures are being taken as may", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/uploads/{id}")]
async fn keep(
    state: Data<State>,
    nonce: Nonce,
    id: Path<String>,
    request: HttpRequest,
) -> AppResult<HttpResponse> {
    let id: UploadId = id.parse().map_err(|_| AppError::not_found("upload"))?;
    let Verified { body: picture, place, .. } = verified(&request)?;
    let kind = ImageType::of(&picture).ok_or_else(|| AppError::field("body", "must be a PNG or a JPEG"))?;
    let (uploads, nonce) = (state.uploads().clone(), nonce.into_inner());
    let keeping = async move {
        let kept = uploads.keep(&id, kind, picture, &nonce).await;
        // Not before: the picture is in memory until here, even if the client has gone away.
        drop(place);
        kept
    };
    let answer = state.at_home(keeping).await?;
    Ok(HttpResponse::Created().json(answer))
}
