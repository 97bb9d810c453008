//! What the OpenAPI document says of the service as a whole, and of every operation alike: who may ask, which
//! errors there are, which headers.

use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    Ref, RefOr, ResponseBuilder, Type,
    path::{Operation, ParameterBuilder, ParameterIn, PathItem},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    tag::{Tag, TagBuilder},
};
use utoipa::{PartialSchema as _, ToSchema as _};

use contract::{Problem, problem::MEDIA_TYPE};

const ABOUT: &str = "Say what you want to see, and get the video.\n\n\
    Everything is JSON with camelCase keys. Times are RFC 3339 in UTC, money is an amount and a currency, ids \
    are a prefix and a UUIDv7. Errors are `application/problem+json` (RFC 9457) with a stable `code`. Every \
    answer carries `x-request-id`, taken from the request if it is well-formed; `traceparent` is read and \
    passed on.\n\n\
    Requests that change something need `content-type: application/json` (one without a body needs \
    none, and pictures are uploaded as they are), and from a browser an `Origin` that is the service's own or \
    allowed. A body may have 64 KiB and nest \
    32 levels deep. An empty body counts as `{}`, and an empty value in a query as none. HEAD is taken \
    wherever GET is, but for event streams and the WebSocket.\n\n\
    A request that was refused for coming too often (429) says in `retry-after` how many seconds to wait.";

const TAGS: &[(&str, &str)] = &[
    ("accounts", "Signing up, in and out."),
    ("conversations", "Conversations and what is said in them."),
    ("generations", "From the request for a video to the video."),
    ("models", "What videos are made with."),
    ("usage", "What was spent, and what is left."),
    ("uploads", "Pictures that videos are made from."),
    ("events", "What happens, told at once: by server-sent events or WebSocket."),
    ("webhooks", "For worker-service alone."),
    ("operations", "Health, metrics and this description."),
    ("page", "For people with a browser."),
];

/// The document that has been collected from the routes, made whole.
pub fn complete(mut document: OpenApi) -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").build();
    document.info = InfoBuilder::new()
        .title("Reelay")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license))
        .build();
    document.tags = Some(TAGS.iter().map(|(name, about)| tag(name, about)).collect());
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            if let Some(operation) = operation {
                describe(path, method, operation);
            }
        }
    }
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    let components = document.components.take().map_or_else(ComponentsBuilder::new, ComponentsBuilder::from);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token that signing in gives."))
        .build();
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        crate::auth::COOKIE,
        "What a browser gets by signing in: HttpOnly, SameSite=Lax.",
    ));
    let mut components = components
        .schema(Problem::name(), Problem::schema())
        .schemas_from_iter(schemas)
        .response("Problem", problem())
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    document.components = Some(components);
    document.security = Some(vec![requirement("bearer"), requirement("cookie")]);
    document
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
}

fn operations(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); 5] {
    [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
    ]
}

fn describe(path: &str, method: &str, operation: &mut Operation) {
    // Method and address say it best: create_conversation would need a second name for the same thing.
    let words = path.split('/').filter(|word| !word.is_empty() && *word != "api");
    let words: Vec<_> = words.map(|word| word.trim_matches(['{', '}'])).collect();
    let name = if words.is_empty() { "page".to_owned() } else { words.join("_").replace(['.', '-'], "_") };
    operation.operation_id = Some(format!("{method}_{name}"));
    let responses = &mut operation.responses.responses;
    responses.entry("default".to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name("Problem")));
    for (_, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            response.headers.entry("x-request-id".to_owned()).or_insert_with(request_id);
        }
    }
    let takes_key = method == "post" && path.starts_with("/api/") && !is_exempt(path);
    if takes_key {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "Sent again with the same key and body within 24 h, the request is answered with its first \
                 answer and does nothing more. 422 `idempotency_key_reused` with another body, 409 \
                 `idempotency_in_flight` while the first is being answered.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(255))))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(key));
    }
}

/// Signing in is not repeated by key, and a webhook has its own id.
fn is_exempt(path: &str) -> bool {
    path.starts_with("/api/auth/") || path.starts_with("/api/webhooks/")
}

fn request_id() -> RefOr<utoipa::openapi::Header> {
    RefOr::T(
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .description(Some("The request's id, which also stands in our logs."))
            .build(),
    )
}

fn problem() -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    ResponseBuilder::new()
        .description("What went wrong, with a stable `code`.")
        .content(MEDIA_TYPE, content)
        .build()
}
