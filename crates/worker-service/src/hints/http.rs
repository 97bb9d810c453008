//! The route that providers tell by, the one that strangers reach. It is not signed as the others are: who sends is known
//! by what the provider signs with. What the headers tell of that is asked before anything of the body is read, and
//! nothing is parsed before all of it is known.

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
    providers::hook::{Presented, Sender},
};

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
            Refused::Untrusted(why) => unsigned(why),
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
    request_body(content = String, content_type = "application/json", description = "In the provider's own words, at most 64 KiB"),
    security(()),
    responses(
        (status = 204, description = "It was heard"),
        (status = 400, description = "It is signed and no JSON", body = contract::Problem),
        (status = 401, description = "It is not the provider's", body = contract::Problem),
        (status = 404, description = "No such provider is asked to tell", body = contract::Problem),
        (status = 408, description = "It did not arrive within 10 s", body = contract::Problem),
        (status = 413, description = "It is too large", body = contract::Problem),
        (status = 429, description = "More came than are taken", body = contract::Problem)
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
    let text = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let (id, timestamp, signature) = (text(ID_HEADER), text(TIMESTAMP_HEADER), text(SIGNATURE_HEADER));
    let presented = Presented { id, timestamp, signature };
    let looking = {
        let hints = hints.clone();
        // The client that may fetch the provider's keys is the home runtime's.
        state.at_home(async move { hints.sender(provider, presented).await })
    };
    let sender = looking.await?;
    let mut payload = payload.into_inner();
    let reading = body::read_within(&request, &mut payload, body::LIMIT, PATIENCE);
    let (body, place) = hints.read(provider, &sender, reading).await?;
    let body = body?;
    let claims = match sender {
        Sender::Known(claims) => Some(claims),
        Sender::Claimed(claim) => {
            hints.verify(provider, &claim, &body)?;
            None
        }
    };
    let told: Value = if body.is_empty() { Value::Null } else { body::parse(&body)? };
    let mut hint = hint::read(&told);
    if let Some(claims) = claims.filter(|_| hint.is_empty()) {
        hint = hint::read(&claims);
    }
    // What is left of it is small.
    drop((told, body, place));
    state.at_home(async move { hints.take(provider, hint).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
