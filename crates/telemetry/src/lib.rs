//! Logs, traces and metrics: their set-up, the catalogue of event names, and trace context in and out of HTTP.
//! It knows nothing of what Reelay does, and it must not be told secrets; what looks like one is cut out.
//!
//! A line is logged by the constant of its catalogue entry, with field names as they shall stand in the JSON:
//!
//! ```
//! let (id, status) = ("job_0190", "pending");
//! telemetry::event!(INFO, JOB_MANAGER_JOB_CREATED, jobId = %id, status = %status);
//! ```

pub mod catalogue;
mod init;
mod lines;
pub mod metric;
mod redaction;
mod request_id;
pub mod testing;
mod trace_context;

pub use init::{DEFAULT_FILTER, Format, Guard, InitError, Options, Output, init};
pub use metric::{Metrics, install_metrics};
pub use request_id::RequestId;
pub use trace_context::{MalformedTraceParent, TraceParent, continue_trace};

#[doc(hidden)]
pub use tracing as __tracing;

/// The target of every catalogue event, so that `RUST_LOG=warn,reelay=debug` speaks of them alone.
pub const TARGET: &str = "reelay";

/// Logs an entry of the [`catalogue`]: `event!(LEVEL, CONSTANT, field = value, …)`, with levels and fields as
/// in `tracing` (`%value` by `Display`, `?value` by `Debug`, an `Option` that is `None` leaves its field out).
/// A name outside of the catalogue does not compile:
///
/// ```compile_fail
/// telemetry::event!(INFO, JOB_MANAGER_JOB_VANISHED, jobId = "job_0190");
/// ```
#[macro_export]
macro_rules! event {
    ($level:ident, $constant:ident $(, $($fields:tt)*)?) => {
        $crate::__tracing::event!(
            target: $crate::TARGET,
            $crate::__tracing::Level::$level,
            message = $crate::catalogue::$constant,
            $($($fields)*)?
        )
    };
}

/// A user's prompt as the field `prompt` may show it: cut to 80 characters, and only where catalogue events
/// are logged at DEBUG; prompts are the users' own.
#[must_use]
pub fn prompt(text: &str) -> Option<&str> {
    if !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
        return None;
    }
    let end = text.char_indices().nth(80).map_or(text.len(), |(index, _)| index);
    text.get(..end)
}
