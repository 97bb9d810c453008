//! The one way in for a user's changing request: who asks, the body, the key, and the work on the home
//! runtime, where no disconnect can cut it in two.

use std::{future::Future, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web::Data};
use bytes::Bytes;
use contract::{Problem, UserId};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, Claim, Keyed, Ticket};
use crate::{
    accounts::token::sha256,
    app::{State, body},
    auth::User,
    error::{AppError, AppResult},
    generations::Flow,
    storable,
};

/// The header's name.
pub const HEADER: &str = "idempotency-key";

/// The longest key.
const MOST: usize = 255;

/// A changing request of a user, as a handler takes it:
///
/// ```ignore
/// async fn confirm(action: Action<Confirmation>, id: Path<GenerationId>, flow: Data<Flow>) -> AppResult<HttpResponse> {
///     action.run(|user, body, ticket| async move {
///         Ok(Answer::ok(&flow.confirm(&user.id, &id, body, ticket).await?))
///     }).await
/// }
/// ```
#[derive(Debug)]
pub struct Action<T> {
    /// Who asks.
    pub user: User,
    /// The body, read.
    pub body: T,
    keyed: Option<Keyed>,
    state: Data<State>,
}

impl Action<Bytes> {
    /// A request of this user's whose body is taken as it is: of at most `limit` bytes, which have so long to arrive.
    pub async fn raw(
        user: User,
        request: &HttpRequest,
        payload: &mut Payload,
        limit: usize,
        patience: Duration,
    ) -> AppResult<Self> {
        let state = State::of(request)?;
        let body = platform::body::read_within(request, payload, limit, patience).await?;
        let keyed = keyed(request, &user, &body, state.in_flight())?;
        Ok(Self { user, body, keyed, state })
    }
}

impl<T: Send + 'static> Action<T> {
    /// Does the work, once under its key, and answers.
    ///
    /// The work commits its answer with its effect by `finish_idempotency`; what it did not commit is kept
    /// after it, which serves refusals. A refusal that depends on the moment, such as a limit, gives the key
    /// back.
    pub async fn run<Work, Working>(self, work: Work) -> AppResult<HttpResponse>
    where
        Work: FnOnce(User, T, Option<Ticket>) -> Working + Send + 'static,
        Working: Future<Output = AppResult<Answer>> + Send + 'static,
    {
        self.run_and_render(work, |_| {}).await
    }

    /// The same; `render` completes the body each time it leaves, first or repeated (fresh links, for
    /// example).
    pub async fn run_and_render<Work, Working>(
        self,
        work: Work,
        render: impl FnOnce(&mut Value),
    ) -> AppResult<HttpResponse>
    where
        Work: FnOnce(User, T, Option<Ticket>) -> Working + Send + 'static,
        Working: Future<Output = AppResult<Answer>> + Send + 'static,
    {
        let Self { user, body, keyed, state } = self;
        let store = state.store().clone();
        let mut answer = state
            .at_home(async move {
                let Some(keyed) = keyed else { return work(user, body, None).await };
                let ticket = match store.claim(&keyed).await? {
                    Claim::New(ticket) => ticket,
                    Claim::Answered(answer) => return repeat(answer),
                    Claim::InFlight => {
                        return Err(in_flight());
                    }
                    Claim::OtherBody => {
                        return Err(AppError::unprocessable(
                            "idempotency_key_reused",
                            "This Idempotency-Key was used for a request with another body.",
                        ));
                    }
                };
                let result = work(user, body, Some(ticket.clone())).await;
                let kept = match &result {
                    Ok(answer) => store.keep_answer(&ticket, answer).await,
                    Err(error) if is_final(error) => {
                        let answer = Answer::new(error.status(), &error.problem(""));
                        store.keep_answer(&ticket, &answer).await
                    }
                    Err(_) => store.give_back(&ticket).await,
                };
                if let Err(error) = kept {
                    // The claim expires by itself; the answer is as good as it was.
                    tracing::warn!(%error, "An idempotency key was not settled");
                }
                result
            })
            .await?;
        render(&mut answer.body);
        Ok(respond(&answer))
    }

    /// The same for work on generations: the links in the answer are signed each time it leaves.
    pub async fn run_in_flow<Work, Working>(self, work: Work) -> AppResult<HttpResponse>
    where
        Work: FnOnce(Arc<Flow>, UserId, T, Option<Ticket>) -> Working + Send + 'static,
        Working: Future<Output = AppResult<Answer>> + Send + 'static,
    {
        let flow = Arc::clone(self.state.flow());
        let signing = Arc::clone(&flow);
        self.run_and_render(
            move |user, body, ticket| work(flow, user.id, body, ticket),
            |body| signing.media().sign_json(body),
        )
        .await
    }
}

/// 409 `idempotency_in_flight`.
pub fn in_flight() -> AppError {
    AppError::conflict(
        "idempotency_in_flight",
        "The first request under this Idempotency-Key is still being answered.",
    )
}

/// Whether a refusal is an answer, rather than a word about this moment: sent again, the same request may go
/// through. A wrong state is an answer, so that no late repetition does what was refused when it was asked.
fn is_final(error: &AppError) -> bool {
    !matches!(error.status(), 402 | 408 | 425 | 429 | 500..) && error.code() != "idempotency_in_flight"
}

fn repeat(answer: Answer) -> AppResult<Answer> {
    if answer.status < 400 {
        return Ok(answer);
    }
    let problem: Problem = serde_json::from_value(answer.body).map_err(AppError::internal)?;
    Err(AppError::replayed(problem))
}

/// An answer on its way out.
pub fn respond(answer: &Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    if answer.body.is_null() { response.finish() } else { response.json(&answer.body) }
}

impl<T: DeserializeOwned + 'static> FromRequest for Action<T> {
    type Error = AppError;
    type Future = LocalBoxFuture<'static, AppResult<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = State::of(&request)?;
            let user = User::from_request(&request, &mut Payload::None).await?;
            let bytes = body::read(&request, &mut payload, body::LIMIT).await?;
            let keyed = keyed(&request, &user, &bytes, state.in_flight())?;
            storable::check_body(&bytes)?;
            Ok(Self { user, body: body::parse(&bytes)?, keyed, state })
        })
    }
}

fn keyed(request: &HttpRequest, user: &User, body: &[u8], in_flight: Duration) -> AppResult<Option<Keyed>> {
    let Some(value) = request.headers().get(HEADER) else { return Ok(None) };
    let key =
        value.to_str().ok().filter(|key| (1..=MOST).contains(&key.len())).ok_or_else(|| {
            AppError::field("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
        })?;
    Ok(Some(Keyed {
        user: user.id.clone(),
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        key: key.to_owned(),
        body_hash: sha256(body),
        in_flight,
    }))
}
