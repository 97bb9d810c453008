//! The routes of push: two event streams and the WebSocket. They word what a listener hears for their
//! transport, and end when it ends.

use std::{borrow::Cow, convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    rt,
    web::{Bytes, Data, Path, Payload},
};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, ProtocolError, Session,
};
use contract::{ConversationId, GenerationId};
use futures_util::{Stream, StreamExt as _};
use platform::{Connection, Query};
use serde::Deserialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tracing::Instrument as _;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    End, Heard, Hub, Listener, Refused, Transport,
    cursor::Start,
    frame::{Refusal, Request, SSE_HEARTBEAT, Told, sse_closing, sse_opening},
};
use crate::{
    app::State,
    auth::{User, Visitor, user_of},
    error::{AppError, AppResult},
};

/// How soon a client whose connection was lost may come back.
const RETRY: Duration = Duration::from_secs(2);
/// When the service stops, its clients come back spread over this span, after the first second.
const SPREAD: u64 = 3_000;
/// How long a connection may outlive its listener: so much is enough to be told goodbye for whoever reads.
const FAREWELL: Duration = Duration::from_secs(2);
/// The largest frame that is taken.
const LARGEST_FRAME: usize = 16 * 1024;

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(conversation_events).service(generation_events).service(websocket);
}

/// Where a listener begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Resume {
    /// Tell what came after this cursor, for example an `eventsCursor`. Without it and without the header
    /// `Last-Event-ID`, which counts before it, the stream begins now.
    #[param(example = "42")]
    after: Option<String>,
}

/// Listen to a conversation
///
/// Server-sent events. `event:` is `message.created` with `data: {conversationId, message}`, or
/// `generation.updated` with `data: {conversationId, generation}`, both in their GET form; `id:` is a cursor
/// to resume from. `resync` says that events were missed (they are kept for a day): read the conversation
/// anew; the stream goes on after the cursor in its `id:`. A comment comes every 15 s. The stream ends when
/// the session does, when the conversation is deleted, and when the service restarts: connect again.
#[utoipa::path(
    tag = "events",
    params(
        ("id" = String, Path, description = "The conversation"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last cursor that was heard"),
        Resume,
    ),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 404, description = "`not_found`", body = contract::Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_listeners`", body = contract::Problem, content_type = "application/problem+json"),
    )
)]
#[get("/api/conversations/{id}/events")]
async fn conversation_events(
    request: HttpRequest,
    user: User,
    id: Path<String>,
    resume: Query<Resume>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    let id: ConversationId = id.parse().map_err(|_| AppError::not_found("conversation"))?;
    let start = start(&request, &resume);
    let mut listener =
        listen(&state, user, Transport::Sse).map_err(|refused| refusal(refused, "conversation"))?;
    let begun = state.at_home(async move {
        let cursor = listener.follow(id, start).await.map_err(|refused| refusal(refused, "conversation"))?;
        Ok((listener, cursor))
    });
    let (listener, cursor) = begun.await?;
    Ok(event_stream(&request, &state, listener, cursor))
}

/// Listen to a generation
///
/// As the conversation's stream, with the same cursors, but only of what is about this generation. The stream
/// stays open after the generation's end; close it when the status is terminal.
#[utoipa::path(
    tag = "events",
    params(
        ("id" = String, Path, description = "The generation"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last cursor that was heard"),
        Resume,
    ),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 404, description = "`not_found`", body = contract::Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_listeners`", body = contract::Problem, content_type = "application/problem+json"),
    )
)]
#[get("/api/generations/{id}/events")]
async fn generation_events(
    request: HttpRequest,
    user: User,
    id: Path<String>,
    resume: Query<Resume>,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    let id: GenerationId = id.parse().map_err(|_| AppError::not_found("generation"))?;
    let start = start(&request, &resume);
    let mut listener =
        listen(&state, user, Transport::Sse).map_err(|refused| refusal(refused, "generation"))?;
    let begun = state.at_home(async move {
        let begun = listener.follow_generation(id, start).await;
        Ok((begun.map_err(|refused| refusal(refused, "generation"))?, listener))
    });
    let (cursor, listener) = begun.await?;
    Ok(event_stream(&request, &state, listener, cursor))
}

/// Listen by WebSocket
///
/// Text frames of JSON. Send `{"subscribe":"conv_…","after":"cursor"}` (`after` may be absent: from now on) and
/// `{"unsubscribe":"conv_…"}`, as often as needed; a second `subscribe` of a conversation takes the place of the
/// first. What comes is `{"id","event","data"}` with the events of the event stream, or
/// `{"error":{"code","detail","conversationId"?}}`. Without cookie or bearer the first frame must be
/// `{"auth":"token"}`, within 5 s. The service pings every 15 s and closes a socket that does not answer; it closes
/// with 1012 when it restarts, and with 1008 when the session ends.
#[utoipa::path(
    tag = "events",
    responses(
        (status = 101, description = "The socket is open"),
        (status = 400, description = "Not a WebSocket's handshake", body = contract::Problem, content_type = "application/problem+json"),
        (status = 403, description = "`origin_not_allowed`", body = contract::Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_listeners`", body = contract::Problem, content_type = "application/problem+json"),
    ),
    security((), ("bearer" = []), ("cookie" = []))
)]
#[get("/api/ws")]
async fn websocket(
    request: HttpRequest,
    payload: Payload,
    visitor: Visitor,
    state: Data<State>,
) -> AppResult<HttpResponse> {
    let listener = visitor.0.map(|user| listen(&state, user, Transport::Websocket)).transpose();
    let listener = listener.map_err(|refused| refusal(refused, "conversation"))?;
    let connection = Connection::of(&request);
    let (response, session, messages) = actix_ws::handle(&request, payload).map_err(|error| {
        AppError::bad_request("no_websocket", "This address speaks WebSocket.").because(error)
    })?;
    let messages =
        messages.max_frame_size(LARGEST_FRAME).aggregate_continuations().max_continuation_size(LARGEST_FRAME);
    let patience = state.hub().settings().patience;
    let socket = Socket { session, messages, patience, connection };
    rt::spawn(socket.converse(state, listener).in_current_span());
    Ok(response)
}

fn listen(state: &State, user: User, transport: Transport) -> Result<Listener, Refused> {
    state.hub().listen(user.id, user.session.as_str().to_owned(), transport)
}

fn start(request: &HttpRequest, resume: &Resume) -> Start {
    let header = request.headers().get("last-event-id");
    match header.map(|value| Start::read(Some(value.to_str().unwrap_or("?")))) {
        None | Some(Start::Now) => Start::read(resume.after.as_deref()),
        Some(start) => start,
    }
}

fn refusal(refused: Refused, what: &str) -> AppError {
    match refused {
        Refused::NotFound => AppError::not_found(what),
        Refused::TooMany => AppError::limit_reached("too_many_listeners", "Close another stream first."),
        Refused::Full | Refused::Stopping => AppError::unavailable(refused),
        Refused::Store(error) => error.into(),
    }
}

fn heartbeats(state: &State) -> Interval {
    let every = state.hub().settings().heartbeat;
    let mut beats = interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

/// Sees to it that a connection ends with its listener. What a stream or a socket has to say is asked for only
/// while the other side takes what was said before: one that takes nothing more would hear of no end, keep its
/// place, and hold the whole stop of the service.
fn watch(hub: &Hub, connection: Option<Connection>, listener: &Listener) {
    let Some(connection) = connection else { return };
    let over = listener.over();
    let watching = async move {
        over.await;
        connection.end_within(FAREWELL).await;
    };
    hub.followers().spawn_on(watching, hub.home());
}

fn event_stream(request: &HttpRequest, state: &State, listener: Listener, cursor: i64) -> HttpResponse {
    watch(state.hub(), Connection::of(request), &listener);
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compression and buffering would hold events back.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        // What ends with its listener is good for no other request.
        .force_close()
        .streaming(texts(listener, cursor, heartbeats(state)))
}

fn texts(
    mut listener: Listener,
    cursor: i64,
    mut beats: Interval,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    async_stream::stream! {
        yield Ok(Bytes::from(sse_opening(RETRY, cursor)));
        loop {
            let heard = tokio::select! {
                heard = listener.next() => Some(heard),
                _ = beats.tick() => None,
            };
            let text = match heard {
                None => SSE_HEARTBEAT.to_owned(),
                Some(Heard::Told(told)) => match told.sse() {
                    Some(text) => text,
                    None => break,
                },
                Some(Heard::Ended(End::Stopping)) => {
                    let retry = Duration::from_millis(1_000 + rand::random_range(0..SPREAD));
                    yield Ok(Bytes::from(sse_closing(retry)));
                    break;
                }
                Some(Heard::Ended(End::SessionClosed | End::TooSlow)) => break,
            };
            yield Ok(Bytes::from(text));
        }
    }
}

/// One open WebSocket.
struct Socket {
    session: Session,
    messages: AggregatedMessageStream,
    patience: Duration,
    connection: Option<Connection>,
}

/// Why a conversation over a socket is over, and with which code it is closed.
enum Over {
    /// The other side is gone or deaf: there is nobody to say anything to.
    Lost,
    /// The other side closed.
    Closed(Option<CloseReason>),
    /// We close, for this reason.
    Because(CloseCode, Cow<'static, str>),
}

impl From<Closed> for Over {
    fn from(_: Closed) -> Self {
        Self::Lost
    }
}

impl Socket {
    async fn converse(mut self, state: Data<State>, listener: Option<Listener>) {
        let over = match self.talk(&state, listener).await {
            Ok(never) => match never {},
            Err(over) => over,
        };
        let connection = self.connection.take();
        self.part(over).await;
        // One that never authenticated has no listener to end with.
        if let Some(connection) = connection {
            connection.end_within(FAREWELL).await;
        }
    }

    /// Says goodbye, where there is somebody to hear it.
    async fn part(self, over: Over) {
        let reason = match over {
            Over::Lost => return,
            Over::Closed(reason) => reason,
            Over::Because(code, text) => Some(CloseReason { code, description: Some(text.into_owned()) }),
        };
        // Whoever does not take the goodbye goes without.
        let _ = tokio::time::timeout(self.patience, self.session.close(reason)).await;
    }

    async fn talk(&mut self, state: &Data<State>, listener: Option<Listener>) -> Result<Infallible, Over> {
        let mut listener = match listener {
            Some(listener) => listener,
            None => self.authenticate(state).await?,
        };
        watch(state.hub(), self.connection.clone(), &listener);
        let mut beats = heartbeats(state);
        let silence = beats.period() * 2 + beats.period() / 2;
        let mut last_heard = Instant::now();
        loop {
            tokio::select! {
                heard = listener.next() => match heard {
                    Heard::Told(told) => {
                        if let Told::Gone(conversation) = &told {
                            listener.leave(conversation);
                        }
                        if let Some(text) = told.websocket() {
                            self.say(text).await?;
                        }
                    }
                    Heard::Ended(End::Stopping) => {
                        return Err(Over::Because(CloseCode::Restart, Cow::Borrowed("Connect again in a moment.")));
                    }
                    Heard::Ended(End::SessionClosed) => {
                        return Err(self.refuse(&Refusal::new("unauthenticated", "The session has ended.")).await?);
                    }
                    Heard::Ended(End::TooSlow) => {
                        return Err(Over::Because(CloseCode::Again, Cow::Borrowed("Events were not taken in time.")));
                    }
                },
                message = self.messages.next() => {
                    last_heard = Instant::now();
                    if let Some(text) = self.text(message).await? {
                        self.answer(state, &mut listener, &text).await?;
                    }
                }
                _ = beats.tick() => {
                    if last_heard.elapsed() > silence {
                        return Err(Over::Because(CloseCode::Policy, Cow::Borrowed("Pings were not answered.")));
                    }
                    self.within(async |session| session.ping(b"").await).await?;
                }
            }
        }
    }

    /// The first frame of a socket that came without a session.
    async fn authenticate(&mut self, state: &Data<State>) -> Result<Listener, Over> {
        let deadline = Instant::now() + state.hub().settings().authentication;
        let first = loop {
            match tokio::time::timeout_at(deadline, self.messages.next()).await {
                Ok(message) => {
                    if let Some(text) = self.text(message).await? {
                        break Some(text);
                    }
                }
                Err(_) => break None,
            }
        };
        let user = match first.as_deref().map(Request::read) {
            Some(Ok(Request::Auth(token))) => user_of(state, &token).await,
            _ => Ok(None),
        };
        let refusal = match user {
            Ok(Some(user)) => match listen(state, user, Transport::Websocket) {
                Ok(listener) => return Ok(listener),
                Err(refused) => self::refusal(refused, "conversation"),
            },
            Ok(None) => AppError::unauthenticated(),
            Err(error) => error,
        };
        Err(self.refuse(&frame(&refusal, None)).await?)
    }

    /// What a message says, if it says something; pings are answered by the way.
    async fn text(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
    ) -> Result<Option<String>, Over> {
        match message {
            None => Err(Over::Lost),
            Some(Ok(AggregatedMessage::Text(text))) => Ok(Some(text.to_string())),
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                self.within(async |session| session.pong(&bytes).await).await?;
                Ok(None)
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(None),
            Some(Ok(AggregatedMessage::Close(reason))) => Err(Over::Closed(reason)),
            Some(Ok(AggregatedMessage::Binary(_))) => {
                let refusal = Refusal::new("malformed_frame", "Frames are text.");
                self.say(refusal.frame()).await?;
                Ok(None)
            }
            Some(Err(ProtocolError::Overflow)) => {
                Err(Over::Because(CloseCode::Size, Cow::Borrowed("A frame is too large.")))
            }
            Some(Err(_)) => {
                Err(Over::Because(CloseCode::Protocol, Cow::Borrowed("A frame is not of WebSocket's form.")))
            }
        }
    }

    async fn answer(&mut self, state: &State, listener: &mut Listener, text: &str) -> Result<(), Over> {
        let refusal = match Request::read(text) {
            Err(refusal) => refusal,
            Ok(Request::Subscribe(conversation, start)) => {
                match listener.follow(conversation.clone(), start).await {
                    Ok(_) => return Ok(()),
                    Err(refused) => frame(&self::refusal(refused, "conversation"), Some(conversation)),
                }
            }
            Ok(Request::Unsubscribe(conversation)) => {
                listener.leave(&conversation);
                return Ok(());
            }
            // A client may send its token although a cookie came with the handshake.
            Ok(Request::Auth(token)) => match user_of(state, &token).await {
                Ok(Some(user)) if user.id == *listener.user() => return Ok(()),
                Ok(_) => frame(&AppError::unauthenticated(), None),
                Err(error) => frame(&error, None),
            },
        };
        self.say(refusal.frame()).await
    }

    /// Says why, and gives the reason to close with.
    async fn refuse(&mut self, refusal: &Refusal) -> Result<Over, Over> {
        self.say(refusal.frame()).await?;
        Ok(Over::Because(CloseCode::Policy, refusal.code.clone()))
    }

    async fn say(&mut self, text: String) -> Result<(), Over> {
        self.within(async |session| session.text(text).await).await
    }

    /// Whoever takes nothing for too long is as good as gone.
    async fn within(
        &mut self,
        send: impl AsyncFnOnce(&mut Session) -> Result<(), Closed>,
    ) -> Result<(), Over> {
        match tokio::time::timeout(self.patience, send(&mut self.session)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Over::Lost),
        }
    }
}

/// An error as a frame says it.
fn frame(error: &AppError, conversation: Option<ConversationId>) -> Refusal {
    let problem = error.problem("");
    if let Some(cause) = error.cause() {
        // The socket's own span knows the request that opened it.
        telemetry::event!(ERROR, SERVICE_REQUEST_FAILED, code = error.code(), error = cause);
    }
    Refusal { code: problem.code.into(), detail: problem.detail.into(), conversation }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_on_a_socket_is_logged_under_the_request_that_opened_it() {
        let log = telemetry::testing::Capture::install().unwrap();
        let span = tracing::info_span!("request", requestId = "socket-1");
        let refusal = span.in_scope(|| frame(&AppError::unavailable("the database is away"), None));
        assert_eq!(refusal.code, "unavailable");
        let mut lines = log.named(telemetry::catalogue::SERVICE_REQUEST_FAILED);
        lines.retain(|line| line.text("requestId") == Some("socket-1"));
        assert_eq!((lines.len(), lines[0].fault()), (1, None));
    }
}
