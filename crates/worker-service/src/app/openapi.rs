//! The OpenAPI document: collected from the routes, and what holds for all of them.

use actix_web::{HttpResponse, get, web::Data};
use contract::signing::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use utoipa::openapi::{
    InfoBuilder, LicenseBuilder, OpenApi,
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::State;
use crate::auth::Fresh;

const ABOUT: &str = "For api-service and operators only.\n\n\
    Every request under `/api`, but for what providers tell, is signed with one of WORKER_API_SECRETS, in the manner of Standard Webhooks: \
    the header `webhook-signature` holds `v1,` and the base64 of an HMAC-SHA256 over \
    `{webhook-id}.{webhook-timestamp}.{METHOD} {path and query}\\n{body}`. The timestamp may be 300 s off, and \
    an id is taken once in 15 minutes; anything else is 401 `invalid_signature`.\n\n\
    HEAD is taken wherever GET is, and signed as HEAD. An empty value in a query counts as none.\n\n\
    Everything is JSON with camelCase keys. Errors are `application/problem+json` (RFC 9457) with a stable \
    `code`: 400 `malformed_json`, 413 `payload_too_large` above 64 KiB (20 MiB for pictures), 422 `validation_failed`, 503 \
    `unavailable` with `retry-after`. Every answer carries `x-request-id`, taken from the request if it is \
    well-formed; `traceparent` is read and passed on.";

/// The route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(openapi);
}

/// This document
#[utoipa::path(tag = "operations", responses((status = 200, description = "The OpenAPI document")))]
#[get("/openapi.json")]
async fn openapi(state: Data<State>, _: Fresh) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(state.document().to_owned())
}

/// The document that has been collected from the routes, made whole.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Reelay worker")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("MIT").build()))
        .build();
    let components = document.components.get_or_insert_default();
    let mut all = SecurityRequirement::default();
    for name in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name))));
        all = all.add(name, Vec::<String>::new());
    }
    document.security = Some(vec![all]);
    document
}
