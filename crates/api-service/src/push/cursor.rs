//! Where a listener begins, and whether the table still holds what comes after. Pure.

use contract::{ConversationId, GenerationId};
use serde_json::Value;

/// Where a listener wants to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From now on.
    Now,
    /// After the event with this cursor.
    After(i64),
    /// After a cursor that no event of ours can have had.
    Impossible,
}

impl Start {
    /// Reads a cursor as `Last-Event-ID`, `?after=` or `after` give it; an empty one is none.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        match text.map(str::trim) {
            None | Some("") => Self::Now,
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_or(Self::Impossible, Self::After)
            }
            Some(_) => Self::Impossible,
        }
    }
}

/// One event of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place among the conversation's events.
    pub cursor: i64,
    /// `message.created` or `generation.updated`.
    pub name: String,
    /// The generation that it is about.
    pub generation: Option<GenerationId>,
    /// The message or the generation in its GET form, links unsigned.
    pub payload: Value,
}

impl Event {
    /// What listeners are told: `{conversationId, message}` or `{conversationId, generation}`.
    #[must_use]
    pub fn data(&self, conversation: &ConversationId, payload: &Value) -> String {
        let key = if self.name == "message.created" { "message" } else { "generation" };
        serde_json::json!({ "conversationId": conversation, key: payload }).to_string()
    }
}

/// A page of a conversation's events after some cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The cursor of the conversation's last event, read before the events themselves.
    pub last: i64,
    /// The events, in order.
    pub events: Vec<Event>,
}

impl Window {
    /// Whether this is really what follows `cursor`: cursors have no gaps, so a missing next event was
    /// pruned, and a cursor beyond the last one was never given out.
    #[must_use]
    pub fn follows(&self, cursor: i64) -> bool {
        match self.events.first() {
            Some(event) => event.cursor == cursor + 1,
            None => self.last == cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_digits_and_anything_else_is_impossible() {
        for (text, start) in [
            (None, Start::Now),
            (Some(""), Start::Now),
            (Some("  "), Start::Now),
            (Some("0"), Start::After(0)),
            (Some(" 42 "), Start::After(42)),
            (Some("9223372036854775807"), Start::After(i64::MAX)),
            (Some("9223372036854775808"), Start::Impossible),
            (Some("-1"), Start::Impossible),
            (Some("+1"), Start::Impossible),
            (Some("4 2"), Start::Impossible),
            (Some("evt_42"), Start::Impossible),
        ] {
            assert_eq!(Start::read(text), start, "{text:?}");
        }
    }

    fn window(last: i64, cursors: std::ops::Range<i64>) -> Window {
        let event = |cursor| Event {
            cursor,
            name: "message.created".to_owned(),
            generation: None,
            payload: Value::Null,
        };
        Window { last, events: cursors.map(event).collect() }
    }

    #[test]
    fn a_gap_is_seen_wherever_it_is() {
        for (cursor, window, follows) in [
            (0, window(0, 0..0), true),
            (5, window(5, 0..0), true),
            (5, window(7, 6..8), true),
            // Committed between the two reads.
            (5, window(5, 6..7), true),
            // Pruned: in part, and altogether.
            (5, window(9, 8..10), false),
            (5, window(9, 0..0), false),
            // Of another conversation, or from before a restored backup.
            (9, window(5, 0..0), false),
        ] {
            assert_eq!(window.follows(cursor), follows, "{cursor}: {window:?}");
        }
    }

    #[test]
    fn data_names_what_it_carries() {
        let conversation = ConversationId::new();
        let event = &window(1, 1..2).events[0];
        let data: Value =
            serde_json::from_str(&event.data(&conversation, &serde_json::json!({"id": 1}))).unwrap();
        assert_eq!(data, serde_json::json!({"conversationId": conversation, "message": {"id": 1}}));
        let event = Event { name: "generation.updated".to_owned(), ..event.clone() };
        let data: Value =
            serde_json::from_str(&event.data(&conversation, &serde_json::json!({"id": 1}))).unwrap();
        assert_eq!(data, serde_json::json!({"conversationId": conversation, "generation": {"id": 1}}));
    }
}
