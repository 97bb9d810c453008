//! Which file may speak which library's language: HTTP serving, SQL and HTTP calls each have their rooms.

use super::{Finding, Tree, mentions};

/// A library, and the files of the services and the crates below them that may use it.
struct Layer {
    what: &'static str,
    words: &'static [&'static str],
    home: &'static str,
    allows: fn(krate: &str, path: &str) -> bool,
}

const LAYERS: &[Layer] = &[
    Layer {
        what: "actix",
        words: &["actix_web", "actix_ws", "tracing_actix_web", "utoipa_actix_web"],
        home: "the platform and a service's app, routes, auth, error and http.rs files",
        allows: |krate, path| {
            krate == "platform"
                || is_service(krate) && ["app", "routes", "auth", "error", "http"].contains(&stem(path))
                || is_service(krate) && ["app/", "auth/"].iter().any(|folder| path.starts_with(folder))
        },
    },
    Layer {
        what: "diesel",
        words: &["diesel", "diesel_async", "diesel_migrations"],
        home: "a service's storage/, foundation's database and the contract's column types",
        allows: |krate, path| match krate {
            "contract" => true,
            "foundation" => path.starts_with("database"),
            _ => path.starts_with("storage/"),
        },
    },
    Layer {
        what: "an HTTP client",
        words: &["reqwest", "rusoto_core", "rusoto_s3", "rusoto_credential"],
        home: "where a remote is spoken to: worker_client, intent, providers/, bucket, the webhook dispatcher, foundation's s3 and http_client",
        allows: |krate, path| {
            let rooms: &[&str] = match krate {
                "api-service" => &["worker_client", "intent/", "media"],
                "worker-service" => {
                    &["providers/", "bucket", "media", "webhooks/dispatcher", "webhooks/delivery"]
                }
                "foundation" => &["s3", "http_client"],
                _ => &[],
            };
            rooms.iter().any(|room| path.starts_with(room))
        },
    },
];

fn is_service(krate: &str) -> bool {
    matches!(krate, "api-service" | "worker-service")
}

/// The simulator, the launcher and this crate are programs of their own kind, without these layers.
fn is_layered(krate: &str) -> bool {
    is_service(krate) || matches!(krate, "contract" | "telemetry" | "foundation" | "platform")
}

fn stem(path: &str) -> &str {
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    file.strip_suffix(".rs").unwrap_or(file)
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        let Some((krate, path)) = source.place().filter(|(krate, _)| is_layered(krate)) else { continue };
        for layer in LAYERS.iter().filter(|layer| !(layer.allows)(krate, path)) {
            let using = |line: &str| layer.words.iter().any(|word| mentions(line, word));
            if let Some((line, _)) = source.code().find(|(_, line)| using(line)) {
                findings.push(Finding::at(source, line, format!("{} is for {}", layer.what, layer.home)));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Option<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.place).next()
    }

    #[test]
    fn actix_stays_on_the_http_side() {
        let text = "//! about\nuse actix_web::web;";
        assert_eq!(
            found("crates/api-service/src/generations/service.rs", text).as_deref(),
            Some("crates/api-service/src/generations/service.rs:2")
        );
        assert!(found("crates/foundation/src/http.rs", text).is_some());
        for path in ["generations/http.rs", "app.rs", "routes.rs", "auth.rs", "error.rs"] {
            assert_eq!(found(&format!("crates/api-service/src/{path}"), text), None, "{path}");
        }
        assert_eq!(found("crates/platform/src/server.rs", text), None);
        assert_eq!(found("crates/veo-simulator/src/server.rs", text), None);
    }

    #[test]
    fn diesel_stays_in_storage() {
        let text = "use diesel_async::RunQueryDsl;";
        assert!(found("crates/worker-service/src/queue/service.rs", text).is_some());
        assert!(found("crates/foundation/src/tasks.rs", text).is_some());
        assert!(found("crates/platform/src/state.rs", text).is_some());
        assert_eq!(found("crates/worker-service/src/storage/queue.rs", text), None);
        assert_eq!(found("crates/foundation/src/database/mod.rs", text), None);
    }

    #[test]
    fn http_clients_stay_where_a_remote_is_spoken_to() {
        let text = "let client = reqwest::Client::new();";
        assert!(found("crates/api-service/src/generations/service.rs", text).is_some());
        assert!(found("crates/worker-service/src/jobs/service.rs", text).is_some());
        assert_eq!(found("crates/api-service/src/worker_client.rs", text), None);
        assert_eq!(found("crates/worker-service/src/providers/veo3.rs", text), None);
        assert_eq!(found("crates/api-service/src/generations/service.rs", "// unlike reqwest"), None);
    }
}
