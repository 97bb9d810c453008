//! The route under `/api/usage`.

use actix_web::{
    get,
    web::{Data, Json},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::Usage;
use crate::{app::State, auth::User, error::AppResult};

/// The route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(usage);
}

/// What was spent
///
/// Today and this month (UTC), with what is left. A video's price is held from the yes on; it is spent once the provider
/// has accepted it and did not refuse to charge for it, and no longer held otherwise.
#[utoipa::path(
    tag = "usage",
    responses((status = 200, description = "Where the user stands", body = Usage))
)]
#[get("/api/usage")]
async fn usage(user: User, state: Data<State>) -> AppResult<Json<Usage>> {
    state.limits().request(&user.id)?;
    state.flow().usage(&user.id).await.map(Json)
}
