//! HEAD, which every address takes that takes GET, but for those whose answers have no end (RFC 9110, section 9.1):
//! it is answered as GET is, and the server sends the head alone, because it has seen the method before anybody
//! could change it.

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};

use crate::Directory;

/// Marks a request that came as HEAD and is answered as GET.
struct CameAsHead;

/// The middleware: who is inside of it knows no HEAD where there is GET.
pub(crate) async fn answer_head<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if *request.method() == Method::HEAD && Directory::has(request.request()) {
        request.extensions_mut().insert(CameAsHead);
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

/// The method that a request came with, for whoever signs, checks or logs what was sent.
pub fn method(request: &ServiceRequest) -> Method {
    let came_as_head = request.extensions().contains::<CameAsHead>();
    if came_as_head { Method::HEAD } else { request.method().clone() }
}
