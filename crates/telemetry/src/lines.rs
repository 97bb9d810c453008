//! Writes an event as one line, in JSON for machines or prettily for eyes. Fields of the spans around it are
//! inherited (that is how `requestId` and `jobId` come onto every line of a request or a job), except those
//! with a dot in their name, which are OpenTelemetry's and belong to traces.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    io::Write as _,
};

use contract::Timestamp;
use opentelemetry::{Context as OtelContext, TraceId, trace::TraceContextExt};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tracing::{
    Event, Level, Span, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, Registry, layer::Context, registry::LookupSpan};

use crate::{
    init::{Format, Output},
    redaction::{REDACTED, is_secret_field, scrub},
};

/// The layer that writes lines.
pub(crate) struct Lines {
    pub(crate) service: &'static str,
    pub(crate) format: Format,
    pub(crate) output: Output,
    /// Whether pretty lines are coloured.
    pub(crate) colour: bool,
    /// The trace that lines outside of any span belong to: the process's own.
    pub(crate) process_trace: TraceId,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut inherited = Fields::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                inherited.add_missing(fields, &own);
            }
        }
        let trace_id = OtelContext::map_current(|current| current.span().span_context().trace_id());
        let line = Line {
            timestamp: Timestamp::now(),
            level: *event.metadata().level(),
            service: self.service,
            target: own.log_target.as_deref().unwrap_or(event.metadata().target()),
            own: &own,
            inherited: &inherited,
            trace_id: if trace_id == TraceId::INVALID { self.process_trace } else { trace_id },
        };
        self.write(&line);
    }
}

impl Lines {
    fn write(&self, line: &Line<'_>) {
        let mut text = match self.format {
            Format::Json => serde_json::to_string(line).unwrap_or_default(),
            Format::Pretty => line.pretty(self.colour),
        };
        text.push('\n');
        // A log that cannot be written (a closed pipe) has nobody left to tell.
        match &self.output {
            Output::Stdout => drop(std::io::stdout().lock().write_all(text.as_bytes())),
            Output::Stderr => drop(std::io::stderr().lock().write_all(text.as_bytes())),
            Output::Capture(capture) => capture.push(&text),
        }
    }
}

/// One event, ready to be written.
struct Line<'a> {
    timestamp: Timestamp,
    level: Level,
    service: &'a str,
    target: &'a str,
    own: &'a Fields,
    inherited: &'a Fields,
    trace_id: TraceId,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        map.serialize_entry("level", self.level.as_str())?;
        map.serialize_entry("service", self.service)?;
        map.serialize_entry("target", self.target)?;
        map.serialize_entry("message", &self.own.message)?;
        if let Some(component) = component(&self.own.message) {
            map.serialize_entry("component", component)?;
        }
        for (name, value) in self.own.entries.iter().chain(&self.inherited.entries) {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("traceId", &self.trace_id.to_string())?;
        map.end()
    }
}

impl Line<'_> {
    /// `14:03:07.120  INFO api-service    [COMPONENT] Action  field=value  traceId=…`: the event's own fields in plain
    /// sight, the inherited ones and the trace dimmed behind them.
    fn pretty(&self, colour: bool) -> String {
        let paint = |code: &'static str| if colour { code } else { "" };
        let (dim, bold, reset) = (paint("\x1b[2m"), paint("\x1b[1m"), paint("\x1b[0m"));
        let level_colour = paint(match self.level {
            Level::ERROR => "\x1b[31m",
            Level::WARN => "\x1b[33m",
            Level::INFO => "\x1b[32m",
            Level::DEBUG => "\x1b[34m",
            Level::TRACE => "\x1b[35m",
        });
        let timestamp = self.timestamp.to_string();
        let time = timestamp.get(11..23).unwrap_or(&timestamp);
        let mut text = format!(
            "{dim}{time}{reset} {level_colour}{:>5}{reset} {dim}{:<14}{reset} ",
            self.level, self.service
        );
        match component(&self.own.message) {
            Some(_) => _ = write!(text, "{bold}{}{reset}", self.own.message),
            None => _ = write!(text, "{dim}{}:{reset} {}", self.target, self.own.message),
        }
        for (name, value) in &self.own.entries {
            _ = write!(text, "  {dim}{name}={reset}{}", Shown(value));
        }
        text.push_str(dim);
        for (name, value) in &self.inherited.entries {
            _ = write!(text, "  {name}={}", Shown(value));
        }
        _ = write!(text, "  traceId={}{reset}", self.trace_id);
        text
    }
}

/// A value as people read it: a string of one word without its quotes.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            Some(text)
                if !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control()) =>
            {
                f.write_str(text)
            }
            _ => write!(f, "{}", self.0),
        }
    }
}

/// What the current span says in this field, or else the nearest span around it that says something.
pub(crate) fn text_of_current_span(name: &str) -> Option<String> {
    let found = Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| {
            let extensions = span.extensions();
            extensions.get::<Fields>()?.text(name).map(str::to_owned)
        })
    });
    found.flatten()
}

/// `COMPONENT` of a message that reads `[COMPONENT] Action`.
pub(crate) fn component(message: &str) -> Option<&str> {
    let (component, _) = message.strip_prefix('[')?.split_once("] ")?;
    let well_formed = component.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    (well_formed && !component.is_empty()).then_some(component)
}

/// The fields of an event or a span, in the order in which they were given, safe to be shown.
#[derive(Default)]
struct Fields {
    message: String,
    entries: Vec<(Cow<'static, str>, Value)>,
    /// Where an event of the `log` crate came from.
    log_target: Option<String>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("log.target", Value::String(text)) => self.log_target = Some(text),
            (dotted, _) if dotted.contains('.') => {}
            (name, value) => {
                let value = if is_secret_field(name) { Value::from(REDACTED) } else { value };
                let name = camel_case(name);
                match self.entries.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, old)) => *old = value,
                    None => self.entries.push((name, value)),
                }
            }
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.entries.iter().find(|(known, _)| *known == name)?;
        value.as_str()
    }

    /// Takes over what neither `self` nor the event itself says.
    fn add_missing(&mut self, outer: &Self, own: &Self) {
        for (name, value) in &outer.entries {
            let known = |fields: &Self| fields.entries.iter().any(|(known, _)| known == name);
            if !known(self) && !known(own) {
                self.entries.push((name.clone(), value.clone()));
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, scrub(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, scrub(&format!("{value:?}")).into());
    }
}

/// Our own fields are written in camelCase already; those of libraries are brought into line.
fn camel_case(name: &'static str) -> Cow<'static, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut joined = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        joined.push_str(&first.to_uppercase());
        joined.push_str(rest);
    }
    Cow::Owned(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_told_from_other_brackets() {
        assert_eq!(component("[JOB_MANAGER] Job created"), Some("JOB_MANAGER"));
        assert_eq!(component("[::1]:80 refused"), None);
        assert_eq!(component("[] nothing"), None);
        assert_eq!(component("plain"), None);
    }

    #[test]
    fn snake_case_becomes_camel_case() {
        assert_eq!(camel_case("jobId"), "jobId");
        assert_eq!(camel_case("request_id"), "requestId");
        assert_eq!(camel_case("_private"), "private");
    }

    #[test]
    fn a_pretty_line_shows_its_own_fields_first() {
        let own = Fields {
            message: "[JOB_MANAGER] Job failed".to_owned(),
            entries: vec![("jobId".into(), "job_1".into()), ("error".into(), "no luck".into())],
            log_target: None,
        };
        let inherited = Fields { entries: vec![("requestId".into(), "r1".into())], ..Fields::default() };
        let line = Line {
            timestamp: "2026-11-23T09:30:00.120Z".parse().unwrap(),
            level: Level::WARN,
            service: "worker-service",
            target: "reelay",
            own: &own,
            inherited: &inherited,
            trace_id: TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        };
        assert_eq!(
            line.pretty(false),
            "09:30:00.120  WARN worker-service [JOB_MANAGER] Job failed  jobId=job_1  error=\"no luck\"  \
             requestId=r1  traceId=0af7651916cd43dd8448eb211c80319c"
        );
        assert!(line.pretty(true).contains("\x1b[33m WARN\x1b[0m"));
    }
}
