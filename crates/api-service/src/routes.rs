//! The table of contents of the HTTP side: every route, and the document that describes them. A handler that
//! is mounted here is in the document by the same line, so neither can lack what the other has.

use actix_web::{App, web};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::{AppExt as _, service_config::ServiceConfig};

use crate::{accounts, app, catalogue, conversations, generations, messages, push, uploads, usage, webhooks};

/// Mounts every route.
pub fn mount(config: &mut web::ServiceConfig) {
    all(&mut ServiceConfig::new(config));
}

fn all(config: &mut ServiceConfig<'_>) {
    config
        .configure(accounts::http::routes)
        .configure(conversations::http::routes)
        .configure(messages::http::routes)
        .configure(generations::http::routes)
        .configure(catalogue::http::routes)
        .configure(usage::http::routes)
        .configure(uploads::http::routes)
        .configure(webhooks::http::routes)
        .configure(push::http::routes)
        .configure(app::health::routes)
        .configure(app::docs::routes)
        .configure(app::page::routes);
}

/// The OpenAPI document of every route.
#[must_use]
pub fn document() -> OpenApi {
    let (_, collected) = App::new().into_utoipa_app().configure(all).split_for_parts();
    app::openapi::complete(collected)
}
