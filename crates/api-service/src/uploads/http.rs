//! The routes under `/api/uploads`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    post,
    web::{self, Data, Path},
};
use contract::{Problem, UploadId, images::LARGEST_IMAGE};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Upload, picture::Declared};
use crate::{
    app::State,
    auth::User,
    error::{AppError, AppResult},
    idempotency::http::Action,
};

/// The path that takes pictures instead of JSON.
pub const PATH: &str = "/api/uploads";

/// How long a picture may take to arrive, over a slow line.
const PATIENCE: Duration = Duration::from_secs(120);

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(upload).service(show);
}

/// Upload a picture
///
/// The body is the picture itself: PNG, JPEG or WebP, of at most 20 MiB, 64 to 8192 pixels a side, and still. It is
/// turned upright and kept without anything that its file told beside it: a JPEG stays one, others become PNG, and
/// what has more than 4096 pixels on a side is made smaller. Attach it by its `id` to a message or to a request for
/// a video, until `expiresAt`.
#[utoipa::path(
    tag = "uploads",
    request_body(
        description = "The picture",
        content(("image/png"), ("image/jpeg"), ("image/webp"))
    ),
    responses(
        (status = 201, description = "It is kept", body = Upload),
        (status = 413, description = "`payload_too_large`: more than 20 MiB", body = Problem),
        (status = 415, description = "`unsupported_media_type`: of another type", body = Problem),
        (status = 422, description = "It cannot be taken for a picture; the message says why", body = Problem),
        (status = 429, description = "`too_many_uploads`: so many are kept for you already", body = Problem),
        (status = 503, description = "`unavailable`: it could not be stored, and is not kept", body = Problem),
    )
)]
#[post("/api/uploads")]
async fn upload(
    user: User,
    request: HttpRequest,
    payload: web::Payload,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().upload(&user.id)?;
    let declared = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(Declared::of).ok_or_else(no_picture)?;
    let uploads = Arc::clone(state.uploads());
    let place = uploads.place(&user.id)?;
    let action = Action::raw(user, &request, &mut payload.into_inner(), LARGEST_IMAGE, PATIENCE).await?;
    action
        .run(move |user, picture, ticket| async move {
            let answer = uploads.take(&user.id, declared, picture, ticket).await;
            drop(place);
            answer
        })
        .await
}

fn no_picture() -> AppError {
    AppError::with(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the header content-type: image/png, image/jpeg or image/webp, and the picture as the body.",
    )
}

/// A picture that one has uploaded
///
/// Redirects to a link that works now.
#[utoipa::path(
    tag = "uploads",
    params(("id" = String, Path, description = "The upload's id")),
    responses(
        (status = 302, description = "To the picture", headers(("location" = String, description = "A fresh link"))),
        (status = 404, description = "No such upload, or no longer", body = Problem),
    )
)]
#[get("/api/uploads/{id}")]
async fn show(user: User, id: Path<UploadId>, state: Data<State>) -> AppResult<HttpResponse> {
    state.limits().request(&user.id)?;
    let key = state.uploads().key(&user.id, &id).await?;
    let link = state.flow().media().link_to(key.as_str(), None);
    let link = link.ok_or_else(|| AppError::not_found("upload"))?;
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, link))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish())
}
