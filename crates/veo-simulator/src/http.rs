//! The table of contents of the HTTP side: every route, and the two that belong to no protocol.

use std::sync::Arc;

use actix_web::web::{self, Data, Json, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde_json::{Value, json};

use crate::google::ApiError;
use crate::operations::Operations;
use crate::protocols;

/// Images come inside the request: one of the 20 MiB that Reelay takes has 27 MiB in base64, and there may be
/// several.
const LARGEST_REQUEST: usize = 128 * 1024 * 1024;

/// What every handler can reach.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) operations: Arc<Operations>,
    /// The only key that is let in, if one is demanded.
    pub(crate) api_key: Option<String>,
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(LARGEST_REQUEST))
        .route("/healthz", web::get().to(healthz))
        .route("/ledger", web::get().to(ledger))
        .route("/.well-known/jwks.json", web::get().to(key_set))
        .configure(protocols::gemini_veo::routes)
        .configure(protocols::vertex_veo::routes)
        .configure(protocols::interactions::routes)
        .configure(protocols::tokens::routes)
        .default_service(web::to(nothing_here));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// What a test compares with its own count of submissions.
async fn ledger(shared: Data<Shared>) -> Json<Value> {
    Json(json!({"submissions": shared.operations.ledger()}))
}

/// The keys that webhooks are signed with.
async fn key_set(shared: Data<Shared>) -> Json<Value> {
    Json(shared.operations.key_set())
}

async fn nothing_here(request: HttpRequest) -> HttpResponse {
    ApiError::not_found(format!("{} {} is not served here.", request.method(), request.path()))
        .error_response()
}
