//! Push: what happens in a conversation is told to whoever listens, by server-sent events or by WebSocket.
//!
//! The event table is the truth and signals are only hints: a listener reads from the table after its cursor,
//! and a signal says no more than that it is worth to look again. So a signal that is lost costs seconds, one
//! that comes twice costs a query, and nothing is ever skipped or told twice.
//!
//! ```text
//! commit → signal (SQLite: broadcast in the process; PostgreSQL: NOTIFY) → hub rings the conversation's room
//!        → its followers read after their cursors → listener's bounded queue → SSE or WebSocket
//! ```

pub mod cursor;
pub mod frame;
pub mod http;
pub mod hub;
mod listener;
mod room;

use std::time::Duration;

pub use self::{
    hub::{Hub, tasks},
    listener::{End, Heard, Listener, Refused, Transport},
};

foundation::settings! {
    /// How conversations are listened to.
    pub struct PushSettings {
        /// Open event streams and WebSockets at most, over all users.
        pub listeners: usize = or_default("PUSH_LISTENERS", "10000"),
        /// Open event streams and WebSockets of one user at most.
        pub listeners_per_user: usize = or_default("PUSH_LISTENERS_PER_USER", "50"),
        /// Conversations that one WebSocket may follow at once.
        pub subscriptions: usize = or_default("PUSH_SUBSCRIPTIONS", "50"),
        /// How often a silent stream says that it is alive.
        pub heartbeat: Duration = or_default("PUSH_HEARTBEAT", "15s"),
        /// How often the table is looked at without a signal, and sessions are checked.
        pub sweep: Duration = or_default("PUSH_SWEEP", "5s"),
        /// How long a listener may take no event before it is cut off.
        pub patience: Duration = or_default("PUSH_PATIENCE", "30s"),
        /// How long a WebSocket without a session may take to authenticate.
        pub authentication: Duration = or_default("PUSH_AUTHENTICATION", "5s"),
    }
}
