//! The routes of deliveries, for operators.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Path},
};
use contract::{EventId, Problem};
use platform::Query;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{self, Deliveries, Delivery, Ping, Range, Redelivered};
use crate::{
    app::{State, body::Body},
    auth::Fresh,
    error::{AppError, AppResult},
    store::{WebhookQuery, WebhookState},
};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(deliveries).service(redeliver).service(redeliver_range).service(ping);
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this state.
    state: Option<WebhookState>,
    /// How many at most, 1 to 100; 20 by default.
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<EventId>,
}

/// Deliveries, the newest first
#[utoipa::path(
    tag = "webhooks",
    params(ListQuery),
    responses((status = 200, description = "A page of them", body = Deliveries))
)]
#[get("/webhooks/deliveries")]
async fn deliveries(state: Data<State>, _: Fresh, query: Query<ListQuery>) -> AppResult<HttpResponse> {
    let limit = query.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(AppError::field("limit", "must be from 1 to 100"));
    }
    let query = WebhookQuery { state: query.state, before: query.cursor.clone(), limit };
    let store = state.store().clone();
    let page: Deliveries = state.at_home(async move { service::deliveries(&store, query).await }).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Deliver a webhook again
///
/// Whatever became of it before. Its tries are counted on, but how long it is tried and what it waits between them
/// begins anew.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = String, Path, description = "The webhook")),
    responses(
        (status = 200, description = "It is due", body = Delivery),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/webhooks/deliveries/{id}/redeliver")]
async fn redeliver(state: Data<State>, _: Fresh, id: Path<String>) -> AppResult<HttpResponse> {
    let id: EventId = id.parse().map_err(|_| AppError::not_found("delivery"))?;
    let store = state.store().clone();
    let found = state.at_home(async move { service::redeliver(&store, &id).await }).await?;
    let delivery = found.ok_or_else(|| AppError::not_found("delivery"))?;
    Ok(HttpResponse::Ok().json(delivery))
}

/// Deliver the webhooks of a span of time again
///
/// Those that were delivered or given up, of each job only the newest: each tells all of its job.
#[utoipa::path(
    tag = "webhooks",
    request_body = Range,
    responses((status = 200, description = "So many are due", body = Redelivered))
)]
#[post("/webhooks/redeliver")]
async fn redeliver_range(state: Data<State>, _: Fresh, range: Body<Range>) -> AppResult<HttpResponse> {
    let (store, range) = (state.store().clone(), range.into_inner());
    if range.since >= range.until {
        return Err(AppError::field("until", "must be later than since"));
    }
    let due = state.at_home(async move { service::redeliver_range(&store, range).await }).await?;
    Ok(HttpResponse::Ok().json(due))
}

/// Try the endpoint
///
/// Sends a signed event of the type `reelay.ping` to `WEBHOOK_URL` at once, and answers what came of it, be it good
/// or bad. The event stands in no outbox, is not repeated, and asks nothing of the receiver but a 2xx.
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "What the endpoint answered, or why it did not", body = Ping))
)]
#[post("/webhooks/ping")]
async fn ping(state: Data<State>, _: Fresh) -> AppResult<HttpResponse> {
    let dispatcher = state.dispatcher().clone();
    let made = state.at_home(async move { Ok::<_, crate::store::Error>(dispatcher.ping().await) }).await?;
    Ok(HttpResponse::Ok().json(Ping::from(made)))
}
