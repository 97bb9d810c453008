//! The words of both transports: what a listener is told as text of an event stream (WHATWG HTML,
//! "server-sent events") or as a WebSocket's frame, and what a WebSocket's frames ask for. Pure.

use std::{borrow::Cow, time::Duration};

use contract::ConversationId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cursor::Start;

/// What a listener is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something happened.
    Event {
        /// Where.
        conversation: ConversationId,
        /// Its place among the conversation's events.
        cursor: i64,
        /// `message.created` or `generation.updated`.
        name: String,
        /// The data, JSON on one line.
        data: String,
    },
    /// Events were missed: read the conversation anew.
    Resync {
        /// Which conversation.
        conversation: ConversationId,
        /// What is told from here on comes after this cursor; absent if nothing more is told.
        cursor: Option<i64>,
    },
    /// Nothing that concerns this listener happened up to this cursor.
    Passed(i64),
    /// The conversation was deleted.
    Gone(ConversationId),
}

/// Why a frame, or the whole connection, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, for programs.
    pub code: Cow<'static, str>,
    /// For a person.
    pub detail: Cow<'static, str>,
    /// The conversation that was asked for.
    pub conversation: Option<ConversationId>,
}

impl Refusal {
    /// A refusal of the whole frame.
    pub fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code), detail: detail.into(), conversation: None }
    }

    /// A conversation that is not there, or another's (I22).
    #[must_use]
    pub fn not_found(conversation: Option<ConversationId>) -> Self {
        Self { conversation, ..Self::new("not_found", "There is no such conversation.") }
    }

    /// The frame that says so: `{"error":{"code","detail","conversationId"?}}`.
    #[must_use]
    pub fn frame(&self) -> String {
        let mut error = json!({ "code": self.code, "detail": self.detail });
        if let Some(conversation) = &self.conversation {
            error["conversationId"] = json!(conversation);
        }
        json!({ "error": error }).to_string()
    }
}

/// What a WebSocket's frame asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// Be known by this token, which must not be shown.
    Auth(String),
    /// Follow a conversation.
    Subscribe(ConversationId, Start),
    /// Follow it no more.
    Unsubscribe(ConversationId),
}

impl Request {
    /// Reads a frame: `{"auth":"…"}`, `{"subscribe":"conv_…","after":"cursor"}` or `{"unsubscribe":"conv_…"}`.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Raw {
            auth: Option<String>,
            subscribe: Option<String>,
            unsubscribe: Option<String>,
            after: Option<Value>,
        }
        let malformed = || {
            let form = "Send {\"subscribe\":\"conv_…\",\"after\":\"cursor\"}, {\"unsubscribe\":\"conv_…\"} or \
                {\"auth\":\"token\"}, as JSON.";
            Refusal::new("malformed_frame", form)
        };
        // A text that is no id names nothing that exists.
        let id = |text: String| text.parse().map_err(|_| Refusal::not_found(None));
        if contract::json::is_too_deep(text.as_bytes()) {
            return Err(malformed());
        }
        let raw: Raw = contract::json::from_slice(text.as_bytes()).map_err(|_| malformed())?;
        match raw {
            Raw { auth: Some(token), subscribe: None, unsubscribe: None, after: None } => {
                Ok(Self::Auth(token))
            }
            Raw { subscribe: Some(conversation), auth: None, unsubscribe: None, after } => {
                let start = match after {
                    None | Some(Value::Null) => Start::Now,
                    Some(Value::String(text)) => Start::read(Some(&text)),
                    Some(other) => Start::read(Some(&other.to_string())),
                };
                Ok(Self::Subscribe(id(conversation)?, start))
            }
            Raw { unsubscribe: Some(conversation), auth: None, subscribe: None, after: None } => {
                Ok(Self::Unsubscribe(id(conversation)?))
            }
            _ => Err(malformed()),
        }
    }
}

/// The beginning of an event stream: how long to wait before a reconnect, and the cursor that it would resume
/// from, so that a listener which began without one misses nothing either.
#[must_use]
pub fn sse_opening(retry: Duration, cursor: i64) -> String {
    format!("retry: {}\nid: {cursor}\n\n", retry.as_millis())
}

/// A sign of life.
pub const SSE_HEARTBEAT: &str = ": still here\n\n";

/// The end of an event stream that the service closes: come back after this time.
#[must_use]
pub fn sse_closing(retry: Duration) -> String {
    format!(": goodbye\nretry: {}\n\n", retry.as_millis())
}

impl Told {
    /// The text in an event stream; none where only the stream's end can say it.
    #[must_use]
    pub fn sse(&self) -> Option<String> {
        match self {
            Self::Event { cursor, name, data, .. } => {
                Some(format!("id: {cursor}\nevent: {name}\ndata: {data}\n\n"))
            }
            Self::Resync { conversation, cursor } => {
                let id = cursor.map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
                let data = json!({ "conversationId": conversation });
                Some(format!("{id}event: resync\ndata: {data}\n\n"))
            }
            // Without data nothing is dispatched, but the id is remembered.
            Self::Passed(cursor) => Some(format!("id: {cursor}\n\n")),
            Self::Gone(_) => None,
        }
    }

    /// The frame of a WebSocket: `{"id","event","data"}`; none where there is nothing to say.
    #[must_use]
    pub fn websocket(&self) -> Option<String> {
        match self {
            Self::Event { cursor, name, data, .. } => {
                // The data is JSON already and is not parsed again.
                Some(format!("{{\"id\":\"{cursor}\",\"event\":\"{name}\",\"data\":{data}}}"))
            }
            Self::Resync { conversation, cursor } => {
                let id = cursor.map(|cursor| cursor.to_string());
                let data = json!({ "conversationId": conversation });
                Some(json!({ "id": id, "event": "resync", "data": data }).to_string())
            }
            Self::Passed(_) => None,
            Self::Gone(conversation) => Some(Refusal::not_found(Some(conversation.clone())).frame()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVERSATION: &str = "conv_0192f0c1d2e37a4b8c5d6e7f80912a3b";

    fn conversation() -> ConversationId {
        CONVERSATION.parse().unwrap()
    }

    fn read(text: &str) -> Result<Request, String> {
        Request::read(text).map_err(|refusal| refusal.code.into_owned())
    }

    #[test]
    fn frames_are_read() {
        let subscribe = |start| Ok(Request::Subscribe(conversation(), start));
        let with = |rest: &str| format!("{{\"subscribe\":\"{CONVERSATION}\"{rest}}}");
        for (text, request) in [
            (with(""), subscribe(Start::Now)),
            (with(",\"after\":null"), subscribe(Start::Now)),
            (with(",\"after\":\"\""), subscribe(Start::Now)),
            (with(",\"after\":\"7\""), subscribe(Start::After(7))),
            (with(",\"after\":7"), subscribe(Start::After(7))),
            (with(",\"after\":0"), subscribe(Start::After(0))),
            (with(",\"after\":-1"), subscribe(Start::Impossible)),
            (with(",\"after\":[1]"), subscribe(Start::Impossible)),
            (with(",\"unknown\":true"), subscribe(Start::Now)),
            (with(",\"auth\":\"x\""), Err("malformed_frame".to_owned())),
            (format!("{{\"unsubscribe\":\"{CONVERSATION}\"}}"), Ok(Request::Unsubscribe(conversation()))),
            ("{\"auth\":\"secret\"}".to_owned(), Ok(Request::Auth("secret".to_owned()))),
            ("{\"auth\":7}".to_owned(), Err("malformed_frame".to_owned())),
            ("{\"subscribe\":\"conv_1\"}".to_owned(), Err("not_found".to_owned())),
            (
                "{\"subscribe\":\"gen_0192f0c1d2e37a4b8c5d6e7f80912a3b\"}".to_owned(),
                Err("not_found".to_owned()),
            ),
            ("{}".to_owned(), Err("malformed_frame".to_owned())),
            ("[]".to_owned(), Err("malformed_frame".to_owned())),
            ("[\"secret\",null,null,null]".to_owned(), Err("malformed_frame".to_owned())),
            (
                with(&format!(",\"after\":{}{}", "[".repeat(32), "]".repeat(32))),
                Err("malformed_frame".to_owned()),
            ),
            (String::new(), Err("malformed_frame".to_owned())),
            ("hello".to_owned(), Err("malformed_frame".to_owned())),
            ("[".repeat(4_000), Err("malformed_frame".to_owned())),
        ] {
            assert!(read(&text) == request, "{text}");
        }
    }

    #[test]
    fn refusals_name_the_conversation_where_there_is_one() {
        let frame: Value = serde_json::from_str(&Refusal::not_found(Some(conversation())).frame()).unwrap();
        assert_eq!(frame["error"]["code"], "not_found");
        assert_eq!(frame["error"]["conversationId"], CONVERSATION);
        let frame: Value = serde_json::from_str(&Refusal::new("x", "y").frame()).unwrap();
        assert_eq!(frame, json!({"error": {"code": "x", "detail": "y"}}));
    }

    #[test]
    fn an_event_is_one_block_of_a_stream_and_one_frame_of_a_socket() {
        let told = Told::Event {
            conversation: conversation(),
            cursor: 7,
            name: "message.created".to_owned(),
            data: json!({"message": {"content": "two\nlines"}}).to_string(),
        };
        let expected = "id: 7\nevent: message.created\ndata: {\"message\":{\"content\":\"two\\nlines\"}}\n\n";
        assert_eq!(told.sse().unwrap(), expected);
        let frame: Value = serde_json::from_str(&told.websocket().unwrap()).unwrap();
        let data = json!({"message": {"content": "two\nlines"}});
        assert_eq!(frame, json!({"id": "7", "event": "message.created", "data": data}));
    }

    #[test]
    fn a_resync_says_where_it_goes_on() {
        let told = Told::Resync { conversation: conversation(), cursor: Some(9) };
        let data = json!({"conversationId": CONVERSATION});
        assert_eq!(told.sse().unwrap(), format!("id: 9\nevent: resync\ndata: {data}\n\n"));
        let frame: Value = serde_json::from_str(&told.websocket().unwrap()).unwrap();
        assert_eq!(frame, json!({"id": "9", "event": "resync", "data": data}));
        let told = Told::Resync { conversation: conversation(), cursor: None };
        assert_eq!(told.sse().unwrap(), format!("event: resync\ndata: {data}\n\n"));
        let frame: Value = serde_json::from_str(&told.websocket().unwrap()).unwrap();
        assert_eq!(frame["id"], Value::Null);
    }

    #[test]
    fn what_only_moves_the_cursor_is_no_event() {
        assert_eq!(Told::Passed(8).sse().unwrap(), "id: 8\n\n");
        assert_eq!(Told::Passed(8).websocket(), None);
        assert_eq!(sse_opening(Duration::from_secs(2), 0), "retry: 2000\nid: 0\n\n");
        assert!(SSE_HEARTBEAT.starts_with(':'));
    }

    #[test]
    fn a_deleted_conversation_ends_a_stream_and_is_told_to_a_socket() {
        assert_eq!(Told::Gone(conversation()).sse(), None);
        assert!(Told::Gone(conversation()).websocket().unwrap().contains("not_found"));
    }
}
