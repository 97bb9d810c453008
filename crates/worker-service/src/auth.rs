//! Who may ask: requests under `/api` are signed by api-service, each with an id that is used once. The
//! signature is verified on the raw bytes before anything else is looked at.

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
    middleware::Next,
    web::{Bytes, Data},
};
use contract::{
    Timestamp,
    signing::{ID_HEADER, Refusal, SIGNATURE_HEADER, SignedHeaders, TIMESTAMP_HEADER},
};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use telemetry::{RequestId, event};

use crate::{
    app::{State, body},
    error::{AppError, AppResult},
};

/// What a verified request carries to its handler.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    id: String,
    /// The body that was verified.
    pub(crate) body: Bytes,
}

/// The middleware: nothing passes unsigned.
pub async fn authenticate<B: MessageBody>(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.unwrap_or_else(|| RequestId::accept_or_new(None));
    match verify(&state, &mut request).await {
        Ok(verified) => {
            event!(INFO, WORKER_AUTHENTICATION, requestId = %id, authenticated = true);
            request.extensions_mut().insert(verified);
        }
        Err(error) => {
            event!(WARN, WORKER_AUTHENTICATION, requestId = %id, authenticated = false, reason = error.cause());
            return Ok(request.error_response(error).map_into_right_body());
        }
    }
    if let Some(route) = request.match_pattern() {
        event!(INFO, WORKER_ROUTE_HANDLING, requestId = %id, route);
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

async fn verify(state: &State, request: &mut ServiceRequest) -> AppResult<Verified> {
    let headers = signed_headers(request.headers()).ok_or_else(|| AppError::unsigned(Refusal::Headers))?;
    let method = request.method().clone();
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let payload = request.take_payload();
    let body = body::read(request.headers(), payload).await?;
    let secrets = state.secrets().current();
    secrets
        .verify_request(&headers, method.as_str(), &target, &body, Timestamp::now())
        .map_err(AppError::unsigned)?;
    Ok(Verified { id: headers.id, body })
}

fn signed_headers(headers: &HeaderMap) -> Option<SignedHeaders> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    Some(SignedHeaders {
        id: text(ID_HEADER)?,
        timestamp: text(TIMESTAMP_HEADER)?,
        signature: text(SIGNATURE_HEADER)?,
    })
}

pub(crate) fn verified(request: &HttpRequest) -> AppResult<Verified> {
    let verified = request.extensions().get::<Verified>().cloned();
    verified.ok_or_else(|| AppError::internal("the route is not behind the signature check"))
}

/// The id of a request whose handler remembers it together with the request's effect, in one transaction.
#[derive(Debug)]
pub struct Nonce(String);

impl Nonce {
    /// The id as text.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl FromRequest for Nonce {
    type Error = AppError;
    type Future = Ready<AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(verified(request).map(|verified| Self(verified.id)))
    }
}

/// The request's id has not been seen before, and will not be taken again. Every handler that has no
/// [`Nonce`] asks for this.
#[derive(Clone, Copy, Debug)]
pub struct Fresh;

impl FromRequest for Fresh {
    type Error = AppError;
    type Future = LocalBoxFuture<'static, AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (state, id) = (State::of(&request)?, verified(&request)?.id);
            let store = state.store().clone();
            let is_new = state.at_home(async move { store.remember_request(&id).await }).await?;
            if is_new { Ok(Self) } else { Err(AppError::unsigned("the id was used before")) }
        })
    }
}
