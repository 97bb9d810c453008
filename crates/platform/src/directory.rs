//! Which addresses a service has, and with which methods: tells a wrong address from a wrong method.

use actix_web::{HttpRequest, HttpResponse, dev::ResourceDef, http::header, web::Data};
use utoipa::openapi::{OpenApi, PathItem, RefOr, path::Operation};

use crate::AppError;

/// The addresses of a service's document.
#[derive(Clone, Debug)]
pub struct Directory(Vec<(ResourceDef, Vec<&'static str>)>);

impl Directory {
    /// The directory of a document's routes.
    #[must_use]
    pub fn new(document: &OpenApi) -> Self {
        let entry =
            |(path, item): (&String, &PathItem)| (ResourceDef::new(path.as_str()), methods(item).collect());
        Self(document.paths.paths.iter().map(entry).collect())
    }

    /// The directory of who serves one thing.
    pub(crate) fn only(path: &str) -> Self {
        Self(vec![(ResourceDef::new(path), vec!["GET", "HEAD"])])
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

    /// Whether the service has the route that a request asks for.
    pub fn has(request: &HttpRequest) -> bool {
        let methods = Self::of(request).and_then(|directory| directory.methods(request.path()));
        methods.is_some_and(|methods| methods.contains(&request.method().as_str()))
    }

    fn of(request: &HttpRequest) -> Option<&Self> {
        request.app_data::<Data<Self>>().map(Data::get_ref)
    }
}

/// What meets no route: a wrong address, or a right one with the wrong method.
pub async fn unrouted(request: HttpRequest) -> HttpResponse {
    let methods = Directory::of(&request).and_then(|directory| directory.methods(request.path()));
    let Some(methods) = methods else { return HttpResponse::from_error(AppError::not_found("address")) };
    let mut response = HttpResponse::from_error(AppError::method_not_allowed());
    if let Ok(allow) = methods.join(", ").parse() {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn methods(item: &PathItem) -> impl Iterator<Item = &'static str> {
    [
        ("GET", item.get.is_some()),
        ("HEAD", item.get.as_ref().is_some_and(has_an_end)),
        ("POST", item.post.is_some()),
        ("PATCH", item.patch.is_some()),
        ("PUT", item.put.is_some()),
        ("DELETE", item.delete.is_some()),
    ]
    .into_iter()
    .filter_map(|(method, is_taken)| is_taken.then_some(method))
}

/// Whether what GET answers comes to an end: an event stream does not, nor does a WebSocket.
fn has_an_end(get: &Operation) -> bool {
    get.responses.responses.iter().all(|(status, response)| match response {
        RefOr::T(response) => status != "101" && !response.content.contains_key("text/event-stream"),
        RefOr::Ref(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{
        ContentBuilder, HttpMethod, PathsBuilder, Response, ResponseBuilder, path::OperationBuilder,
    };

    use super::*;

    #[test]
    fn an_address_without_a_parameter_counts_before_one_that_has() {
        let item = |method| PathItem::new(method, Operation::new());
        let paths = PathsBuilder::new()
            .path("/jobs/{id}", item(HttpMethod::Get))
            .path("/jobs/status", item(HttpMethod::Post));
        let directory = Directory::new(&OpenApi::new(utoipa::openapi::Info::new("", ""), paths));
        assert_eq!(directory.methods("/jobs/1"), Some(&["GET", "HEAD"][..]));
        assert_eq!(directory.methods("/jobs/status"), Some(&["POST"][..]));
        assert_eq!(directory.methods("/jobs"), None);
    }

    #[test]
    fn what_has_no_end_takes_no_head() {
        let get = |status: &str, response: Response| {
            PathItem::new(HttpMethod::Get, OperationBuilder::new().response(status, response))
        };
        let of_type =
            |name: &str| ResponseBuilder::new().content(name, ContentBuilder::new().build()).build();
        let paths = PathsBuilder::new()
            .path("/page", get("200", of_type("text/html")))
            .path("/events", get("200", of_type("text/event-stream")))
            .path("/socket", get("101", Response::new("The socket is open")));
        let directory = Directory::new(&OpenApi::new(utoipa::openapi::Info::new("", ""), paths));
        assert_eq!(directory.methods("/page"), Some(&["GET", "HEAD"][..]));
        assert_eq!(directory.methods("/events"), Some(&["GET"][..]));
        assert_eq!(directory.methods("/socket"), Some(&["GET"][..]));
    }
}
