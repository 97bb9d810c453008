//! The route that providers tell by. It is not signed as the others are: who sends is known by what the provider signs
//! with, and nothing is parsed before.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, post,
    web::{Data, Path, Payload},
};
use contract::signing::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use platform::body;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{hint, service::Refused};
use crate::{
    app::State,
    error::{AppError, AppResult, unsigned},
    providers::hook::Presented,
};

/// The largest body.
const LIMIT: usize = 256 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(webhook);
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::not_found("provider"),
            Refused::TooMany(wait) => Self::rate_limited(wait),
        }
    }
}

/// A provider tells that a video may be done
///
/// It is signed by the provider: after Standard Webhooks over `{id}.{timestamp}.{body}`, or with a JSON Web Token in
/// `webhook-signature`. The worker then asks the provider, and believes its answer alone; what is about no running job
/// is answered in the same way.
#[utoipa::path(
    tag = "providers",
    params(("name" = String, Path, description = "The provider")),
    request_body(content = String, content_type = "application/json", description = "In the provider's own words, at most 256 KiB"),
    security(()),
    responses(
        (status = 204, description = "It was heard"),
        (status = 400, description = "It is signed and no JSON", body = contract::Problem),
        (status = 401, description = "It is not the provider's", body = contract::Problem),
        (status = 404, description = "No such provider is asked to tell", body = contract::Problem),
        (status = 413, description = "It is too large", body = contract::Problem),
        (status = 429, description = "More came than are looked at", body = contract::Problem)
    )
)]
#[post("/{name}/webhook")]
async fn webhook(
    request: HttpRequest,
    state: Data<State>,
    name: Path<String>,
    payload: Payload,
) -> AppResult<HttpResponse> {
    let hints = state.hints().clone();
    let provider = hints.admit(&name)?;
    let body = body::read_within(&request, &mut payload.into_inner(), LIMIT, PATIENCE).await?;
    let text = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let (id, timestamp, signature) = (text(ID_HEADER), text(TIMESTAMP_HEADER), text(SIGNATURE_HEADER));
    let presented = Presented { id, timestamp, signature };
    let verified = {
        let (hints, body) = (hints.clone(), body.clone());
        // The client that may fetch the provider's keys is the home runtime's.
        state.at_home(async move {
            Ok::<_, AppError>(hints.verify(provider, &presented, &body).await.map_err(unsigned))
        })
    };
    let claims = verified.await??;
    let told: Value = if body.is_empty() { Value::Null } else { body::parse(&body)? };
    let mut hint = hint::read(&told);
    if let Some(claims) = claims.filter(|_| hint.is_empty()) {
        hint = hint::read(&claims);
    }
    state.at_home(async move { hints.take(provider, hint).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
