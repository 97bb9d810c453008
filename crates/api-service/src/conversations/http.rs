//! The routes under `/api/conversations`, apart from what is said and heard there.

use std::sync::Arc;

use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{Data, Json, Path},
};
use contract::ConversationId;
use platform::Query;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Conversation, message::Message, search::Search, service};
use crate::{
    app::{State, body::Body},
    auth::User,
    error::AppResult,
    idempotency::http::Action,
    listing::{Page, PageQuery},
};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create).service(list).service(get_one).service(rename).service(remove).service(messages);
}

/// A new conversation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewConversation {
    /// What it is called.
    #[schema(max_length = 200)]
    title: Option<String>,
}

/// What to change of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ConversationChange {
    /// What it is called from now on; `null` takes its name away.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    title: Title,
}

/// Tells a title that is taken away from one that is not spoken of.
#[derive(Debug, Default)]
enum Title {
    #[default]
    Kept,
    Changed(Option<String>),
}

impl<'de> Deserialize<'de> for Title {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Changed)
    }
}

/// Which conversations are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversationQuery {
    /// Only those that have each of these words in their title or in a message, in any case.
    #[serde(default)]
    #[param(value_type = Option<String>, max_length = 200)]
    q: String,
}

/// Begin a conversation
#[utoipa::path(
    tag = "conversations",
    request_body = NewConversation,
    responses((status = 201, description = "The conversation", body = Conversation))
)]
#[post("/api/conversations")]
async fn create(action: Action<NewConversation>, state: Data<State>) -> AppResult<HttpResponse> {
    state.limits().request(&action.user.id)?;
    let store = state.store().clone();
    action
        .run(|user, body, ticket| async move { service::create(&store, &user.id, body.title, ticket).await })
        .await
}

/// One's conversations
///
/// The newest first; with `q`, those that have something in them.
#[utoipa::path(
    tag = "conversations",
    params(ConversationQuery, PageQuery),
    responses((status = 200, description = "A page of conversations", body = Page<Conversation>))
)]
#[get("/api/conversations")]
async fn list(
    user: User,
    wanted: Query<ConversationQuery>,
    query: Query<PageQuery>,
    state: Data<State>,
) -> AppResult<Json<Page<Conversation>>> {
    state.limits().request(&user.id)?;
    let search = Search::read(&wanted.q)?;
    service::list(state.store(), &user.id, &search, &query.page()?).await.map(Json)
}

/// A conversation
#[utoipa::path(
    tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id", example = "conv_0192f0c1d2e37a4b8c5d6e7f80912a3b")),
    responses((status = 200, description = "The conversation", body = Conversation))
)]
#[get("/api/conversations/{id}")]
async fn get_one(user: User, id: Path<ConversationId>, state: Data<State>) -> AppResult<Json<Conversation>> {
    state.limits().request(&user.id)?;
    service::get(state.store(), &user.id, &id).await.map(Json)
}

/// Rename a conversation
#[utoipa::path(
    tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id")),
    request_body = ConversationChange,
    responses((status = 200, description = "The conversation as it is now", body = Conversation))
)]
#[patch("/api/conversations/{id}")]
async fn rename(
    user: User,
    id: Path<ConversationId>,
    body: Body<ConversationChange>,
    state: Data<State>,
) -> AppResult<Json<Conversation>> {
    state.limits().request(&user.id)?;
    let (store, id) = (state.store().clone(), id.into_inner());
    let change = body.into_inner();
    let renamed = state.at_home(async move {
        match change.title {
            Title::Changed(title) => service::rename(&store, &user.id, &id, title).await,
            Title::Kept => service::get(&store, &user.id, &id).await,
        }
    });
    renamed.await.map(Json)
}

/// Delete a conversation
///
/// Hides it and everything in it, cancels what is being made, and removes the videos.
#[utoipa::path(
    tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id")),
    responses((status = 204, description = "It is gone"))
)]
#[delete("/api/conversations/{id}")]
async fn remove(user: User, id: Path<ConversationId>, state: Data<State>) -> AppResult<HttpResponse> {
    state.limits().request(&user.id)?;
    let (flow, id) = (Arc::clone(state.flow()), id.into_inner());
    state.at_home(async move { flow.discard_conversation(&user.id, &id).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What was said
///
/// The oldest first.
#[utoipa::path(
    tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id"), PageQuery),
    responses((status = 200, description = "A page of messages", body = Page<Message>))
)]
#[get("/api/conversations/{id}/messages")]
async fn messages(
    user: User,
    id: Path<ConversationId>,
    query: Query<PageQuery>,
    state: Data<State>,
) -> AppResult<Json<Page<Message>>> {
    state.limits().request(&user.id)?;
    service::messages(state.store(), &user.id, &id, &query.page()?).await.map(Json)
}
