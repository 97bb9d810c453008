//! The route by which a user speaks.

use actix_web::{
    HttpResponse, post,
    web::{Data, Path},
};
use contract::{ConversationId, Problem};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{self, NewMessage, Reply};
use crate::{app::State, error::AppResult, idempotency::http::Action};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(say);
}

/// Say something
///
/// The answer holds the message, the assistant's reply, and the generation that was made, changed or spoken of,
/// if any. Ask for a video in plain language; answer its questions, say yes or no, or name what shall be
/// otherwise.
#[utoipa::path(
    tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id")),
    request_body = NewMessage,
    responses(
        (status = 201, description = "What was said and answered", body = Reply),
        (status = 404, description = "No such conversation", body = Problem),
        (status = 422, description = "Empty or too long, or pictures that are not yours, have expired, or that the model does not take", body = Problem),
        (
            status = 429,
            description = "`too_many_generations`: too many have not ended; `too_many_queued`: too many are being made",
            body = Problem
        ),
    )
)]
#[post("/api/conversations/{id}/messages")]
async fn say(
    action: Action<NewMessage>,
    id: Path<ConversationId>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().message(&action.user.id)?;
    let id = id.into_inner();
    action
        .run_in_flow(move |flow, user, body, ticket| async move {
            service::say(&flow, &user, &id, body, ticket).await
        })
        .await
}
