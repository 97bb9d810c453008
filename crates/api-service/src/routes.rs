//! The table of contents of the HTTP side: every route, and the document that describes them. A handler that
//! is mounted here is in the document by the same line, so neither can lack what the other has.

use actix_web::{App, dev::ResourceDef, web};
use utoipa::openapi::{OpenApi, PathItem, path::Operation};
use utoipa_actix_web::{AppExt as _, service_config::ServiceConfig};

use crate::{accounts, app, conversations, generations, messages, push, webhooks};

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

/// Which addresses there are, and with which methods: tells a wrong address from a wrong method.
#[derive(Clone, Debug)]
pub struct Directory(Vec<(ResourceDef, Vec<&'static str>)>);

impl Directory {
    /// The directory of a document's routes.
    #[must_use]
    pub fn new(document: &OpenApi) -> Self {
        let entry = |(path, item): (&String, &PathItem)| {
            (ResourceDef::new(path.as_str()), operations(item).map(|(method, _)| method).collect())
        };
        Self(document.paths.paths.iter().map(entry).collect())
    }

    /// The methods that an address takes; nothing if there is no such address.
    #[must_use]
    pub fn methods(&self, path: &str) -> Option<&[&'static str]> {
        // An address without a parameter in it counts before one that has.
        let matching = self.0.iter().filter(|(pattern, _)| pattern.is_match(path));
        let (_, methods) =
            matching.min_by_key(|(pattern, _)| pattern.pattern().is_some_and(|p| p.contains('{')))?;
        Some(methods)
    }

    /// Whether there is such a route.
    #[must_use]
    pub fn has(&self, path: &str, method: &str) -> bool {
        self.methods(path).is_some_and(|methods| methods.contains(&method))
    }
}

/// The operations of an address by their methods.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}
