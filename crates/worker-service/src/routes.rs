//! The HTTP side's table of contents.

use actix_web::{App, middleware::from_fn, web};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};

use crate::{app, auth, hints, jobs, queue, uploads, webhooks};

/// Mounts every route.
pub fn mount(config: &mut web::ServiceConfig) {
    all(&mut ServiceConfig::new(config));
}

fn all(config: &mut ServiceConfig<'_>) {
    let signed = scope("/api")
        .configure(jobs::http::routes)
        .configure(queue::http::routes)
        .configure(webhooks::http::routes)
        .configure(uploads::http::routes)
        .configure(app::openapi::routes)
        .default_service(web::to(platform::unrouted))
        .wrap(from_fn(auth::authenticate));
    // The one place under `/api` that api-service's signature does not guard: providers do not have its secrets, and
    // sign with their own.
    let signed_by_providers =
        scope("/api/providers").configure(hints::http::routes).default_service(web::to(platform::unrouted));
    config.configure(app::health::routes).service(signed_by_providers).service(signed);
}

/// The OpenAPI document of every route.
#[must_use]
pub fn document() -> OpenApi {
    let (_, collected) = App::new().into_utoipa_app().configure(all).split_for_parts();
    app::openapi::complete(collected)
}
