//! Access tokens as Google gives them out: for a service account's signed request, and by a machine's metadata
//! server. Who signed is not looked at, since nobody here knows the account's key.

use actix_web::http::StatusCode;
use actix_web::web::{self, Form, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::google::TOKEN_PREFIX;
use crate::operations::new_id;

/// How long a token is good, in seconds.
const LIFETIME: u64 = 3600;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/token", web::post().to(exchange))
        .route("/computeMetadata/v1/instance/service-accounts/default/token", web::get().to(of_machine));
}

#[derive(Debug, Deserialize)]
struct Exchange {
    grant_type: String,
    assertion: String,
}

async fn exchange(form: Result<Form<Exchange>, actix_web::Error>) -> HttpResponse {
    let refused = |error: &str| HttpResponse::build(StatusCode::BAD_REQUEST).json(json!({ "error": error }));
    let Ok(form) = form else { return refused("invalid_request") };
    if form.grant_type != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        return refused("unsupported_grant_type");
    }
    if !is_assertion(&form.assertion) {
        return refused("invalid_grant");
    }
    HttpResponse::Ok().json(token())
}

/// Whether this is a signed request for a token for Google Cloud, as far as can be seen.
fn is_assertion(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part)).collect();
    let [Ok(header), Ok(claims), Ok(signature)] = &parts[..] else { return false };
    let read = |part: &[u8]| serde_json::from_slice::<Value>(part).unwrap_or_default();
    let (header, claims) = (read(header), read(claims));
    let time = |name: &str| claims[name].as_i64().unwrap_or_default();
    let has = |name: &str| claims[name].as_str().is_some_and(|text| !text.is_empty());
    header["alg"] == "RS256"
        && ["iss", "aud", "scope"].into_iter().all(has)
        && time("iat") < time("exp")
        && time("exp") <= time("iat") + 3600
        && !signature.is_empty()
}

async fn of_machine(request: HttpRequest) -> HttpResponse {
    if request.headers().get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return HttpResponse::Forbidden().body("Missing Metadata-Flavor:Google header.");
    }
    HttpResponse::Ok().insert_header(("metadata-flavor", "Google")).json(token())
}

fn token() -> Value {
    let access_token = format!("{TOKEN_PREFIX}simulator-{}", new_id());
    json!({"access_token": access_token, "expires_in": LIFETIME, "token_type": "Bearer"})
}
