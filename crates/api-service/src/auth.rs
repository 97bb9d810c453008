//! Who is asking: the session behind a bearer token or a cookie, and the address behind a proxy.

use std::net::IpAddr;

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};
use contract::UserId;
use futures_util::future::{LocalBoxFuture, Ready, ready};

use crate::{
    accounts::{SessionKey, Token},
    app::State,
    error::{AppError, AppResult},
};

/// The session cookie's name.
pub const COOKIE: &str = "reelay_session";

/// Somebody who is signed in. As a handler's parameter: 401 for everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// By which session; streams end with it.
    pub session: SessionKey,
}

/// Anybody: signed in or nobody in particular. A token that is wrong or has expired is as good as none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor(pub Option<User>);

/// The address that a request comes from: the peer's, or what a trusted proxy says of its own peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Who asks, as [`identify`] has found out, or why that cannot be told.
struct Found(AppResult<Visitor>);

/// The middleware that finds out who asks before anything else of a request is read. The extractors of a handler work
/// side by side, so one that fails at once would answer before the one that asks the database for the session: what is
/// wrong with the rest of a request is told only to somebody who may make it.
pub async fn identify<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    // Nothing but the API asks who it is for.
    if request.path().starts_with("/api/") {
        // Where the database cannot tell, no handler waits for it once more, and only one that must know fails.
        let found = Visitor::from_request(request.request(), &mut Payload::None).await;
        request.extensions_mut().insert(Found(found));
    }
    next.call(request).await
}

/// The user of a token, for those who are not asked by headers (a WebSocket's first frame).
pub async fn user_of(state: &State, token: &str) -> AppResult<Option<User>> {
    let Some(token) = Token::read(token) else { return Ok(None) };
    let (session, accounts) = (token.key(), state.accounts().clone());
    // At home, because an extractor is dropped midway when another one of the same handler fails.
    state
        .at_home(async move {
            let id = accounts.session_user(&session).await?;
            Ok(id.map(|id| User { id, session }))
        })
        .await
}

/// The token that a request shows. A bearer token counts before a cookie, even a malformed one: whoever sends it means
/// it. Another scheme is not for us, but for a proxy on the way.
fn shown_token(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        let token = value.get(scheme.len()..).unwrap_or_default();
        return Some(String::from_utf8_lossy(token).trim().to_owned());
    }
    request.cookie(COOKIE).map(|cookie| cookie.value().to_owned())
}

impl FromRequest for Visitor {
    type Error = AppError;
    type Future = LocalBoxFuture<'static, AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(Found(found)) = request.extensions().get::<Found>() {
            return Box::pin(ready(found.clone()));
        }
        let (token, state) = (shown_token(request), State::of(request));
        Box::pin(async move {
            let Some(token) = token else { return Ok(Self(None)) };
            let user = user_of(&*state?, &token).await?;
            if let Some(user) = &user {
                tracing::Span::current().record("userId", user.id.as_str());
            }
            Ok(Self(user))
        })
    }
}

impl FromRequest for User {
    type Error = AppError;
    type Future = LocalBoxFuture<'static, AppResult<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::from_request(request, payload);
        Box::pin(async move { visitor.await?.0.ok_or_else(AppError::unauthenticated) })
    }
}

impl FromRequest for ClientAddress {
    type Error = AppError;
    type Future = Ready<AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(State::of(request).map(|state| {
            let forwarded = request.headers().get_all("x-forwarded-for");
            let forwarded = forwarded.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
            // Without a peer there is no network in between: a test that calls the application itself.
            let peer = request.peer_addr().map_or(IpAddr::from([127, 0, 0, 1]), |address| address.ip());
            Self(state.proxies().client(peer, &forwarded))
        }))
    }
}
