//! The routes under `/api/generations`, apart from what is heard there.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    patch, post,
    web::{Data, Json, Path},
};
use contract::{ConversationId, GenerationId, GenerationStatus, Problem};
use platform::Query;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    generation::Generation,
    service::{Clarification, Confirmation, NewGeneration, Rewording},
    status::{self, StatusView},
};
use crate::{
    app::State,
    auth::User,
    error::{AppError, AppResult},
    idempotency::http::Action,
    listing::{Page, PageQuery},
    store::Filter,
};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create)
        .service(list)
        .service(get_one)
        .service(get_status)
        .service(reword)
        .service(clarify)
        .service(confirm)
        .service(cancel)
        .service(retry)
        .service(video)
        .service(thumbnail)
        .service(poster);
}

/// A body with nothing in it.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
pub struct Nothing {}

/// Which generations are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GenerationQuery {
    /// Only those in this status.
    status: Option<GenerationStatus>,
    /// Only those of this conversation.
    conversation_id: Option<ConversationId>,
}

/// How a video is wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MediaQuery {
    /// `true` for a link that a browser saves rather than shows. Public links cannot say so.
    #[serde(default)]
    download: bool,
}

/// How large a poster shall be.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PosterQuery {
    /// How many pixels wide the place for it is. Without it, the largest poster is given.
    width: Option<u32>,
}

/// Ask for a video
///
/// Without `conversationId` a conversation begins; without `messageId` a message is stored from the prompt. The
/// answer has questions if something needed is missing (`pending_clarification`), else the price
/// (`pending_confirmation`).
#[utoipa::path(
    tag = "generations",
    request_body = NewGeneration,
    responses(
        (status = 201, description = "The generation", body = Generation),
        (status = 404, description = "No such conversation or message", body = Problem),
        (status = 422, description = "The model does not allow this", body = Problem),
        (status = 429, description = "`too_many_generations`: too many have not ended", body = Problem),
    )
)]
#[post("/api/generations")]
async fn create(action: Action<NewGeneration>, state: Data<State>) -> AppResult<HttpResponse> {
    state.limits().generation(&action.user.id)?;
    let create = action.run_in_flow(|flow, user, body, ticket| async move {
        Box::pin(flow.create(&user, body, ticket)).await
    });
    create.await
}

/// One's generations
///
/// The newest first.
#[utoipa::path(
    tag = "generations",
    params(GenerationQuery, PageQuery),
    responses((status = 200, description = "A page of generations", body = Page<Generation>))
)]
#[get("/api/generations")]
async fn list(
    user: User,
    filter: Query<GenerationQuery>,
    page: Query<PageQuery>,
    state: Data<State>,
) -> AppResult<Json<Page<Generation>>> {
    state.limits().request(&user.id)?;
    let GenerationQuery { status, conversation_id } = filter.into_inner();
    let filter = Filter { status, conversation: conversation_id };
    let page = state.flow().list(&user.id, &filter, &page.page()?).await?;
    let media = state.flow().media();
    Ok(Json(page.map(|mut generation| {
        media.sign(&mut generation);
        generation
    })))
}

/// A generation
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id", example = "gen_0192f0c1d2e37a4b8c5d6e7f80912a3b")),
    responses(
        (status = 200, description = "The generation", body = Generation),
        (status = 404, description = "No such generation", body = Problem),
    )
)]
#[get("/api/generations/{id}")]
async fn get_one(user: User, id: Path<GenerationId>, state: Data<State>) -> AppResult<Json<Generation>> {
    state.limits().request(&user.id)?;
    let mut generation = state.flow().get(&user.id, &id).await?;
    state.flow().media().sign(&mut generation);
    Ok(Json(generation))
}

/// Where a generation stands
///
/// For polling: every `pollAfterMs` milliseconds until that is `null`. With `If-None-Match` an unchanged state
/// is answered by 304; links are not part of the tag.
#[utoipa::path(
    tag = "generations",
    params(
        ("id" = String, Path, description = "The generation's id"),
        ("if-none-match" = Option<String>, Header, description = "The `etag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "Where it stands", body = StatusView, headers(("etag" = String, description = "Names this state"))),
        (status = 304, description = "As it was"),
        (status = 404, description = "No such generation", body = Problem),
    )
)]
#[get("/api/generations/{id}/status")]
async fn get_status(
    user: User,
    id: Path<GenerationId>,
    request: HttpRequest,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().status(&user.id)?;
    let (flow, id) = (Arc::clone(state.flow()), id.into_inner());
    let view = state.at_home(async move { flow.status(&user.id, &id).await }).await?;
    let etag = view.etag();
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| status::is_known(known, &etag));
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, etag)).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if unchanged {
        return Ok(response.finish());
    }
    Ok(response.json(view))
}

/// Answer the questions
///
/// What is left out takes its question's default. The answer shows the final parameters and the price. The same
/// answers again change nothing, whatever has become of the generation since.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id")),
    request_body = Clarification,
    responses(
        (status = 200, description = "The generation with its price", body = Generation),
        (status = 409, description = "`invalid_state`: it has no open questions", body = Problem),
        (status = 422, description = "The answers do not fit, by `responses.ID`", body = Problem),
    )
)]
#[post("/api/generations/{id}/clarify")]
async fn clarify(
    action: Action<Clarification>,
    id: Path<GenerationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(
            move |flow, user, body, ticket| async move { flow.clarify(&user, &id, body, ticket).await },
        )
        .await
}

/// Change what is asked for
///
/// `enhancedPrompt` is what the provider is asked for in place of the prompt: a model's proposal, or whatever is
/// written here. Possible until the yes, which may also bring it.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id")),
    request_body = Rewording,
    responses(
        (status = 200, description = "The generation", body = Generation),
        (status = 404, description = "No such generation", body = Problem),
        (status = 409, description = "`invalid_state`: it no longer waits for its user", body = Problem),
        (status = 422, description = "It says nothing, or is too long for the model", body = Problem),
    )
)]
#[patch("/api/generations/{id}")]
async fn reword(
    action: Action<Rewording>,
    id: Path<GenerationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(
            move |flow, user, body, ticket| async move { flow.reword(&user, &id, body, ticket).await },
        )
        .await
}

/// Say yes
///
/// With `enhancedPrompt` the yes is for that text, and with `null` for the prompt in one's own words. Answers as soon as the yes is stored, without waiting for the worker. A second yes changes nothing, whatever
/// has become of the generation since the first.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id")),
    request_body = Confirmation,
    responses(
        (status = 200, description = "The generation", body = Generation),
        (status = 409, description = "`invalid_state`, or `price_changed` if `estimatedCost` is not the price", body = Problem),
        (status = 422, description = "`enhancedPrompt` says nothing, or is too long for the model", body = Problem),
        (status = 429, description = "`too_many_queued`: too many are being made", body = Problem),
    )
)]
#[post("/api/generations/{id}/confirm")]
async fn confirm(
    action: Action<Confirmation>,
    id: Path<GenerationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(
            move |flow, user, body, ticket| async move { flow.confirm(&user, &id, body, ticket).await },
        )
        .await
}

/// Call it off
///
/// Possible until its end. What the worker still makes of it is removed. A second cancel changes nothing.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id")),
    request_body = Nothing,
    responses(
        (status = 200, description = "The generation", body = Generation),
        (status = 409, description = "`invalid_state`: it has ended", body = Problem),
    )
)]
#[post("/api/generations/{id}/cancel")]
async fn cancel(
    action: Action<Nothing>,
    id: Path<GenerationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(
            move |flow, user, Nothing {}, ticket| async move { flow.cancel(&user, &id, ticket).await },
        )
        .await
}

/// Try again
///
/// Makes a new generation (`retryOf`) from one that failed or was cancelled. It waits for a yes to its price
/// (`pending_confirmation`); questions that nobody had answered take their defaults. Only if it was never said
/// what the video shall show, there is nothing to confirm yet, and that is asked again
/// (`pending_clarification`).
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The earlier generation's id")),
    request_body = Nothing,
    responses(
        (status = 201, description = "The new generation", body = Generation),
        (status = 409, description = "`invalid_state`: the earlier one has not failed and was not cancelled", body = Problem),
        (status = 429, description = "`too_many_generations`: too many have not ended", body = Problem),
    )
)]
#[post("/api/generations/{id}/retry")]
async fn retry(
    action: Action<Nothing>,
    id: Path<GenerationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().generation(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(
            move |flow, user, Nothing {}, ticket| async move { flow.retry(&user, &id, ticket).await },
        )
        .await
}

/// The video
///
/// Redirects to a link that works now, so that an old chat or a bookmark never dies.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id"), MediaQuery),
    responses(
        (status = 302, description = "To the video", headers(("location" = String, description = "A fresh link"))),
        (status = 404, description = "No such generation, or no video yet", body = Problem),
    )
)]
#[get("/api/generations/{id}/video")]
async fn video(
    user: User,
    id: Path<GenerationId>,
    query: Query<MediaQuery>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&user.id)?;
    let generation = state.flow().get(&user.id, &id).await?;
    let name = query.download.then(|| format!("{id}.mp4"));
    redirect(&state, generation.job.video_key.as_deref(), name.as_deref())
}

/// The thumbnail
///
/// Redirects to a link that works now.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id")),
    responses(
        (status = 302, description = "To the thumbnail", headers(("location" = String, description = "A fresh link"))),
        (status = 404, description = "No such generation, or no thumbnail yet", body = Problem),
    )
)]
#[get("/api/generations/{id}/thumbnail")]
async fn thumbnail(user: User, id: Path<GenerationId>, state: Data<State>) -> AppResult<HttpResponse> {
    state.limits().request(&user.id)?;
    let generation = state.flow().get(&user.id, &id).await?;
    redirect(&state, generation.job.thumbnail_key.as_deref(), None)
}

/// A poster
///
/// Redirects to a link that works now: to the smallest poster that is at least `width` pixels wide, or to the
/// largest that there is. A video from before there were posters has its thumbnail for one.
#[utoipa::path(
    tag = "generations",
    params(("id" = String, Path, description = "The generation's id"), PosterQuery),
    responses(
        (status = 302, description = "To the poster", headers(("location" = String, description = "A fresh link"))),
        (status = 404, description = "No such generation, or no video yet", body = Problem),
    )
)]
#[get("/api/generations/{id}/poster")]
async fn poster(
    user: User,
    id: Path<GenerationId>,
    query: Query<PosterQuery>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().request(&user.id)?;
    let generation = state.flow().get(&user.id, &id).await?;
    redirect(&state, generation.job.poster_key(query.width), None)
}

fn redirect(state: &State, key: Option<&str>, save_as: Option<&str>) -> AppResult<HttpResponse> {
    let link = key.and_then(|key| state.flow().media().link_to(key, save_as));
    let link = link.ok_or_else(|| AppError::not_found("video"))?;
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, link))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish())
}
