//! The route of the queue.

use actix_web::{HttpResponse, get, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{self, Overview};
use crate::{app::State, auth::Fresh, error::AppResult};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(queue);
}

/// The queue, what runs, and who runs it
#[utoipa::path(tag = "queue", responses((status = 200, description = "As it is now", body = Overview)))]
#[get("/queue")]
async fn queue(state: Data<State>, _: Fresh) -> AppResult<HttpResponse> {
    let store = state.store().clone();
    let overview = state.at_home(async move { service::overview(&store).await }).await?;
    Ok(HttpResponse::Ok().json(overview))
}
