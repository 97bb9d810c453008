//! The routes under `/api/auth`.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    cookie::{Cookie, SameSite, time},
    get,
    http::header,
    post,
    web::Data,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Account, service::SignedIn};
use crate::{
    app::{State, body::Body},
    auth::{COOKIE, ClientAddress, Visitor},
    error::AppResult,
};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(register).service(login).service(logout).service(me);
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Registration {
    /// What it signs in with.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// At least eight characters.
    #[schema(format = Password, min_length = 8, max_length = 1024)]
    password: String,
    /// What to call the person.
    #[schema(max_length = 100)]
    name: Option<String>,
}

/// What an account signs in with.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Credentials {
    /// The address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// An account and the token of its new session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Who is signed in.
    user: Account,
    /// For the header `Authorization: Bearer`. It is shown once.
    token: String,
}

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account; `null` if nobody is signed in.
    user: Option<Account>,
}

/// Make an account
///
/// Also signs in: the answer has the session's token, and sets it as the cookie `reelay_session`.
#[utoipa::path(
    tag = "accounts",
    request_body = Registration,
    responses(
        (status = 201, description = "The account, signed in", body = Session),
        (status = 409, description = "`email_taken`", body = contract::Problem, content_type = "application/problem+json"),
    )
)]
#[post("/api/auth/register")]
async fn register(
    address: ClientAddress,
    body: Body<Registration>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().signing_in(address.0)?;
    let Registration { email, password, name } = body.into_inner();
    let accounts = state.accounts().clone();
    let signed_in = state.at_home(async move { accounts.register(&email, password, name).await }).await?;
    Ok(opened(&state, HttpResponse::Created(), signed_in))
}

/// Sign in
#[utoipa::path(
    tag = "accounts",
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in", body = Session),
        (status = 401, description = "`invalid_credentials`", body = contract::Problem, content_type = "application/problem+json"),
    )
)]
#[post("/api/auth/login")]
async fn login(
    address: ClientAddress,
    body: Body<Credentials>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    state.limits().signing_in(address.0)?;
    let Credentials { email, password } = body.into_inner();
    state.limits().guessing(&email)?;
    let accounts = state.accounts().clone();
    let signed_in = state.at_home(async move { accounts.login(&email, password).await }).await?;
    Ok(opened(&state, HttpResponse::Ok(), signed_in))
}

/// Sign out
///
/// Ends the session of the token or cookie that comes with the request, and its event streams. Nobody in
/// particular may sign out as well.
#[utoipa::path(
    tag = "accounts",
    responses((status = 204, description = "Signed out; the cookie is removed")),
    security((), ("bearer" = []), ("cookie" = []))
)]
#[post("/api/auth/logout")]
async fn logout(visitor: Visitor, state: Data<State>) -> AppResult<HttpResponse> {
    if let Some(user) = visitor.0 {
        let accounts = state.accounts().clone();
        state.at_home(async move { accounts.logout(&user.session).await }).await?;
        state.hub().sessions_changed();
    }
    let mut response = HttpResponse::NoContent();
    response.cookie(cookie(&state, String::new(), Duration::ZERO));
    Ok(response.finish())
}

/// Who is signed in
///
/// Answers `{"user":null}` to nobody in particular, so that a page can ask without an error.
#[utoipa::path(
    tag = "accounts",
    responses((status = 200, description = "Who is asking", body = Me)),
    security((), ("bearer" = []), ("cookie" = []))
)]
#[get("/api/auth/me")]
async fn me(visitor: Visitor, state: Data<State>) -> AppResult<HttpResponse> {
    let user = match visitor.0 {
        Some(user) => Some(state.accounts().account(&user.id).await?),
        None => None,
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Me { user }))
}

fn opened(state: &State, mut response: actix_web::HttpResponseBuilder, signed_in: SignedIn) -> HttpResponse {
    let SignedIn { account, token } = signed_in;
    let token = token.reveal().to_owned();
    response
        .cookie(cookie(state, token.clone(), state.accounts().lifetime()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Session { user: account, token })
}

fn cookie(state: &State, token: String, lifetime: Duration) -> Cookie<'static> {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Cookie::build(COOKIE, token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.is_public_over_tls())
        .max_age(time::Duration::seconds(seconds))
        .finish()
}
