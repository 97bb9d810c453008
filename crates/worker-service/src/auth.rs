//! Who may ask: requests under `/api` are signed by api-service, each with an id that is used once. The
//! signature is verified on the raw bytes before anything else is looked at.

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::{Bytes, Data},
};
use contract::{Timestamp, UserId, images::LARGEST_IMAGE, json, signing::Refusal};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use platform::{body, signed_headers};
use serde::Deserialize;
use telemetry::event;

use crate::{
    app::State,
    error::{AppError, AppResult, unsigned, uploads_full, without_length},
    uploads::{self, places::Place},
};

/// What a verified request carries to its handler.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    id: String,
    /// The body that was verified.
    pub(crate) body: Bytes,
    /// What it takes up, if it is a picture.
    pub(crate) place: Option<Place>,
}

/// The middleware: nothing passes unsigned.
pub async fn authenticate<B: MessageBody>(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let id = platform::request_id(&request);
    match verify(&state, &mut request).await {
        Ok(verified) => {
            let user = user(&verified.body);
            event!(INFO, WORKER_AUTHENTICATION, requestId = %id, authenticated = true, userId = user.as_ref().map(UserId::as_str));
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

/// Whom a request is for: commands name their user. What else is in the body, right or wrong, is the handler's.
fn user(body: &[u8]) -> Option<UserId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        user_id: UserId,
    }
    json::from_slice::<Named>(body).ok().map(|named| named.user_id)
}

async fn verify(state: &State, request: &mut ServiceRequest) -> AppResult<Verified> {
    let headers = signed_headers(request.headers()).ok_or_else(|| unsigned(Refusal::Headers))?;
    let method = platform::method(request);
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    // Only the whole body can show who has signed it, so whatever else there is to know is asked first. The time is
    // that of the headers to the end: a body that is slow to arrive does not make its sender's clock any worse.
    let came = Timestamp::now();
    headers.check(came).map_err(unsigned)?;
    let mut payload = request.take_payload();
    let is_picture = method == Method::PUT && request.path().starts_with(uploads::http::PATH);
    let (body, place) = if is_picture {
        let length = body::announced(request.headers()).ok_or_else(without_length)?;
        if length > LARGEST_IMAGE {
            return Err(AppError::too_large(LARGEST_IMAGE));
        }
        let places = state.places();
        let place = places.take().await.ok_or_else(uploads_full)?;
        let reading = body::read_within(request.request(), &mut payload, length, places.patience);
        (reading.await?, Some(place))
    } else {
        (body::read(request.request(), &mut payload, body::LIMIT).await?, None)
    };
    let secrets = state.secrets().current();
    secrets.verify_request(&headers, method.as_str(), &target, &body, came).map_err(unsigned)?;
    Ok(Verified { id: headers.id, body, place })
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
            if is_new { Ok(Self) } else { Err(unsigned("the id was used before")) }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_names_its_user() {
        let id = UserId::new();
        let body = |value: serde_json::Value| value.to_string().into_bytes();
        assert_eq!(user(&body(json!({"userId": id, "revision": "no number"}))), Some(id.clone()));
        for other in [body(json!({"ids": []})), body(json!({"userId": 7})), body(json!([id])), Vec::new()] {
            assert_eq!(user(&other), None, "{other:?}");
        }
        assert_eq!(user(b"\x89PNG\r\n\x1a\n"), None);
    }
}
