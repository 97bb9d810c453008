//! The OpenAPI document, as JSON for programs and as one plain page for people: rendered here, without
//! scripts, so that it needs nothing from anywhere.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    State,
    page::{Asset, content_policy, protect},
};

/// The documents, rendered once.
#[derive(Debug)]
pub(super) struct Documents {
    json: Asset,
    page: Asset,
    style: Asset,
}

impl Documents {
    pub(super) fn new(document: &OpenApi) -> Self {
        let json = document.to_pretty_json().unwrap_or_default();
        let value = serde_json::from_str(&json).unwrap_or_default();
        Self {
            json: Asset::new("openapi.json", json.into()),
            page: Asset::new("docs.html", render(&value).into()),
            style: Asset::new("docs.css", Bytes::from_static(include_bytes!("docs.css"))),
        }
    }
}

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(openapi).service(docs).service(style);
}

/// This description
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "The OpenAPI document", body = Object)),
    security(())
)]
#[get("/api/openapi.json")]
async fn openapi(request: HttpRequest, state: Data<State>) -> HttpResponse {
    state.documents.json.answer(&request)
}

/// This description, for people
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
    security(())
)]
#[get("/docs")]
async fn docs(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let mut response = state.documents.page.answer(&request);
    protect(&mut response, &content_policy(&[]));
    response
}

/// The look of the description for people
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css")),
    security(())
)]
#[get("/docs.css")]
async fn style(request: HttpRequest, state: Data<State>) -> HttpResponse {
    state.documents.style.answer(&request)
}

const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

fn render(document: &Value) -> String {
    let mut page = String::with_capacity(128 * 1024);
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let title = escape(text("/info/title"));
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} API</title><link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/docs.css\"></head><body><nav><h1>{title} API \
         <small>{}</small></h1>",
        escape(text("/info/version"))
    );
    let tags: Vec<&str> = items(document.get("tags")).filter_map(|tag| tag["name"].as_str()).collect();
    for tag in &tags {
        let _ = write!(page, "<h2><a href=\"#{tag}\">{tag}</a></h2><ul>");
        for (path, method, operation) in tagged(document, tag) {
            let id = operation["operationId"].as_str().unwrap_or_default();
            let _ = write!(
                page,
                "<li><a href=\"#{id}\"><b class=\"{method}\">{method}</b> {}</a></li>",
                escape(path)
            );
        }
        page.push_str("</ul>");
    }
    page.push_str("<h2><a href=\"#schemas\">schemas</a></h2></nav><main><header>");
    prose(&mut page, text("/info/description"));
    page.push_str("<p>For programs: <a href=\"/api/openapi.json\">openapi.json</a></p></header>");
    for tag in items(document.get("tags")) {
        let name = tag["name"].as_str().unwrap_or_default();
        let _ = write!(page, "<section id=\"{name}\"><h2>{name}</h2>");
        prose(&mut page, tag["description"].as_str().unwrap_or_default());
        for (path, method, operation) in tagged(document, name) {
            render_operation(&mut page, path, method, operation);
        }
        page.push_str("</section>");
    }
    page.push_str("<section id=\"schemas\"><h2>schemas</h2>");
    for (name, schema) in
        document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    {
        let _ = write!(page, "<article id=\"schema-{0}\"><h3>{0}</h3>", escape(name));
        render_schema(&mut page, schema);
        page.push_str("</article>");
    }
    page.push_str("</section></main></body></html>");
    page
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The operations with this tag, in the document's order.
fn tagged<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = (&'a str, &'static str, &'a Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(move |(path, item)| {
        METHODS
            .into_iter()
            .filter_map(move |method| item.get(method).map(|operation| (path.as_str(), method, operation)))
            .filter(move |(_, _, operation)| items(operation.get("tags")).any(|found| found == tag))
    })
}

fn render_operation(page: &mut String, path: &str, method: &str, operation: &Value) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let summary = escape(operation["summary"].as_str().unwrap_or_default());
    let _ = write!(
        page,
        "<article id=\"{id}\"><h3>{summary}</h3><p class=\"address\"><b class=\"{method}\">{method}</b> \
         <code>{}</code></p>",
        escape(path)
    );
    prose(page, operation["description"].as_str().unwrap_or_default());
    let mut parameters = items(operation.get("parameters")).peekable();
    if parameters.peek().is_some() {
        page.push_str("<h4>Parameters</h4><table>");
        for parameter in parameters {
            let required = if parameter["required"] == true { "" } else { " <i>optional</i>" };
            let _ = write!(
                page,
                "<tr><th><code>{}</code>{required}<br><small>{}</small></th><td>{}</td><td>",
                escape(parameter["name"].as_str().unwrap_or_default()),
                escape(parameter["in"].as_str().unwrap_or_default()),
                kind(&parameter["schema"])
            );
            prose(page, parameter["description"].as_str().unwrap_or_default());
            page.push_str("</td></tr>");
        }
        page.push_str("</table>");
    }
    if let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) {
        page.push_str("<h4>Body</h4>");
        for (media, content) in content {
            let _ = write!(page, "<p>{} <small>{}</small></p>", kind(&content["schema"]), escape(media));
        }
    }
    page.push_str("<h4>Answers</h4><table>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let is_problem = response.get("$ref").is_some();
        let about =
            if is_problem { "Any error." } else { response["description"].as_str().unwrap_or_default() };
        let body = if is_problem {
            link("Problem")
        } else {
            let content = response["content"].as_object().into_iter().flatten();
            content.map(|(_, content)| kind(&content["schema"])).collect::<Vec<_>>().join(", ")
        };
        let _ = write!(page, "<tr><th><code>{status}</code></th><td>{body}</td><td>");
        prose(page, about);
        page.push_str("</td></tr>");
    }
    page.push_str("</table></article>");
}

fn render_schema(page: &mut String, schema: &Value) {
    prose(page, schema["description"].as_str().unwrap_or_default());
    let Some(properties) = schema["properties"].as_object() else {
        let _ = write!(page, "<p>{}</p>", kind(schema));
        let alternatives = items(schema.get("oneOf")).chain(items(schema.get("allOf")));
        for alternative in alternatives.filter(|alternative| alternative.get("properties").is_some()) {
            render_schema(page, alternative);
        }
        return;
    };
    page.push_str("<table>");
    for (name, property) in properties {
        let required = items(schema.get("required")).any(|required| required == name.as_str());
        let optional = if required { "" } else { " <i>optional</i>" };
        let _ = write!(
            page,
            "<tr><th><code>{}</code>{optional}</th><td>{}</td><td>",
            escape(name),
            kind(property)
        );
        prose(page, property["description"].as_str().unwrap_or_default());
        if let Some(example) = property.get("example").or_else(|| property["examples"].get(0)) {
            let _ = write!(page, "<small>For example <code>{}</code></small>", escape(&example.to_string()));
        }
        page.push_str("</td></tr>");
    }
    page.push_str("</table>");
}

/// What kind of value a schema describes, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return link(name);
    }
    if let Some(words) = schema["enum"].as_array() {
        let word = |word: &Value| format!("<code>{}</code>", escape(word.as_str().unwrap_or_default()));
        return words.iter().map(word).collect::<Vec<_>>().join(" | ");
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[alternatives].as_array() {
            return all.iter().map(kind).collect::<Vec<_>>().join(" | ");
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    let names = types.into_iter().map(|name| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "null" => "null".to_owned(),
        other => schema["format"].as_str().map_or_else(
            || escape(other),
            |format| format!("{} <small>{}</small>", escape(other), escape(format)),
        ),
    });
    names.collect::<Vec<_>>().join(" | ")
}

fn link(name: &str) -> String {
    format!("<a href=\"#schema-{0}\">{0}</a>", escape(name))
}

/// Paragraphs, and code between backticks.
fn prose(page: &mut String, text: &str) {
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        page.push_str("<p>");
        for (index, part) in paragraph.split('`').enumerate() {
            let part = escape(part);
            let _ = if index % 2 == 1 { write!(page, "<code>{part}</code>") } else { write!(page, "{part}") };
        }
        page.push_str("</p>");
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_schema_and_no_scripts() {
        let document = serde_json::to_value(crate::routes::document()).unwrap();
        let page = render(&document);
        for (path, item) in document["paths"].as_object().unwrap() {
            assert!(page.contains(&format!("<code>{}</code>", escape(path))), "{path}");
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert_eq!(page.matches(&format!("<article id=\"{id}\">")).count(), 1, "{id}");
            }
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
        assert!(!page.contains("<script") && !page.contains("style="));
        assert!(!page.contains("=\"http"), "it needs nothing from elsewhere");
    }

    #[test]
    fn every_link_within_the_page_leads_somewhere() {
        let page = render(&serde_json::to_value(crate::routes::document()).unwrap());
        for link in page.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }

    #[test]
    fn text_is_text() {
        let mut page = String::new();
        prose(&mut page, "a <b> & `c<d>`\n\ne");
        assert_eq!(page, "<p>a &lt;b&gt; &amp; <code>c&lt;d&gt;</code></p><p>e</p>");
    }
}
