//! Log lines as tests read them: captured in the process, or parsed from what a child process printed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use crate::{
    catalogue::{self, CATALOGUE, Entry},
    init::{Format, Guard, InitError, Options, Output, init},
    lines::component,
};

/// One log line, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When, in RFC 3339 with milliseconds.
    pub timestamp: String,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: String,
    /// Which service spoke.
    pub service: String,
    /// Which part of the code; [`TARGET`](crate::TARGET) for catalogue events.
    pub target: String,
    /// `[COMPONENT] Action`, or a library's own words.
    pub message: String,
    /// The trace that it belongs to.
    pub trace_id: String,
    /// Everything else, `requestId` and what else the spans gave included.
    pub fields: Map<String, Value>,
}

impl Record {
    /// A field's text, if it has one.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// The catalogue's entry for this line, if it is one.
    #[must_use]
    pub fn entry(&self) -> Option<&'static Entry> {
        catalogue::find(&self.message)
    }

    /// What is wrong with this line by the catalogue: a message of its form that is not in it, or a missing
    /// field.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        component(&self.message)?;
        let Some(entry) = self.entry() else { return Some(format!("\"{}\" is no entry", self.message)) };
        let missing = entry.required_fields().find(|field| !self.fields.contains_key(*field))?;
        Some(format!("\"{}\" lacks {missing}: {:?}", self.message, self.fields))
    }
}

/// Reads a line of `LOG_FORMAT=json`; nothing if it is something else.
#[must_use]
pub fn parse_line(line: &str) -> Option<Record> {
    let mut fields: Map<String, Value> = serde_json::from_str(line.trim()).ok()?;
    let mut take = |name: &str| fields.remove(name)?.as_str().map(str::to_owned);
    let (timestamp, level, service) = (take("timestamp")?, take("level")?, take("service")?);
    let (target, message, trace_id) = (take("target")?, take("message")?, take("traceId")?);
    fields.remove("component");
    Some(Record { timestamp, level, service, target, message, trace_id, fields })
}

/// The entries of services (not of the page) that no record shows.
pub fn missing<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<&'static str> {
    let seen: std::collections::HashSet<_> =
        records.into_iter().map(|record| record.message.as_str()).collect();
    let expected = CATALOGUE.iter().filter(|entry| !entry.is_page_side());
    expected.map(|entry| entry.name).filter(|name| !seen.contains(name)).collect()
}

/// The lines that a process has logged, kept for its tests.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Mutex<Vec<Record>>>);

impl Capture {
    /// Captures everything that this process logs, at DEBUG for catalogue events and INFO for all else. A
    /// process has one capture: tests that share a process share it, and look for their own ids in it.
    pub fn install() -> Result<Self, InitError> {
        static INSTALLED: OnceLock<(Capture, Result<Guard, InitError>)> = OnceLock::new();
        let (capture, guard) = INSTALLED.get_or_init(|| {
            let capture = Self::default();
            let options = Options {
                service: "test",
                format: Format::Json,
                filter: format!("info,{}=debug", crate::TARGET),
                output: Output::Capture(capture.clone()),
                otlp_endpoint: None,
                no_colour: true,
            };
            (capture, init(options))
        });
        guard.as_ref().map(|_| capture.clone()).map_err(|_| InitError::Twice)
    }

    /// What has been logged so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What has been logged so far with this message (a constant of the catalogue).
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| record.message == name);
        records
    }

    pub(crate) fn push(&self, line: &str) {
        if let Some(record) = parse_line(line) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        }
    }
}
