//! Carries a trace from process to process: `traceparent` as in W3C Trace Context (level 1) in and out of
//! HTTP headers and of database rows. `tracestate` is not passed on; we have nothing to say in it.

use std::{fmt, str::FromStr};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A place in a trace: what the header `traceparent` says. Store its text with work that goes on later, and
/// let the span of that work [continue](TraceParent::continue_in) it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    sampled: bool,
}

/// The text is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of W3C Trace Context")]
pub struct MalformedTraceParent;

impl TraceParent {
    /// The header's name.
    pub const HEADER: &'static str = "traceparent";

    /// Where the current span stands; outside of any span (or of any telemetry), the start of a new trace.
    #[must_use]
    pub fn current() -> Self {
        let context = Span::current().context();
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            Self { trace_id: span.trace_id(), span_id: span.span_id(), sampled: span.is_sampled() }
        } else {
            let random = RandomIdGenerator::default();
            Self { trace_id: random.new_trace_id(), span_id: random.new_span_id(), sampled: true }
        }
    }

    /// Makes `span` a child of this place. It must be called before the span is first entered; later, or
    /// without telemetry, it does nothing.
    pub fn continue_in(&self, span: &Span) {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let remote = SpanContext::new(self.trace_id, self.span_id, flags, true, TraceState::default());
        // The error says that the span has started, is filtered out, or has no trace to be part of.
        drop(span.set_parent(Context::new().with_remote_span_context(remote)));
    }

    /// Writes the header, in place of any that is there.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            headers.insert(HeaderName::from_static(Self::HEADER), value);
        }
    }

    /// The trace's id: 32 hexadecimal digits, as in the field `traceId`.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace_id.to_string()
    }
}

/// Makes `span` continue what an incoming header or a stored text says, if it is well-formed: a caller's bad
/// header costs it the connection of its trace with ours, and nothing else.
pub fn continue_trace(span: &Span, traceparent: Option<&str>) {
    if let Some(Ok(parent)) = traceparent.map(TraceParent::from_str) {
        parent.continue_in(span);
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl FromStr for TraceParent {
    type Err = MalformedTraceParent;

    /// Of a version that we do not know, the parts that we do know are taken, as the standard asks.
    fn from_str(text: &str) -> Result<Self, MalformedTraceParent> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits).ok_or(MalformedTraceParent)?;
            let lower_hex = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if lower_hex { Ok(part) } else { Err(MalformedTraceParent) }
        };
        let (version, trace_id, span_id, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(MalformedTraceParent);
        }
        let trace_id = TraceId::from_hex(trace_id).map_err(|_| MalformedTraceParent)?;
        let span_id = SpanId::from_hex(span_id).map_err(|_| MalformedTraceParent)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| MalformedTraceParent)?;
        if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
            return Err(MalformedTraceParent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_reads_back_as_it_was_written() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!(parent.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let mut headers = HeaderMap::new();
        parent.inject(&mut headers);
        parent.inject(&mut headers);
        assert_eq!(headers.get_all("traceparent").iter().collect::<Vec<_>>(), [GOOD]);
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more".parse::<TraceParent>();
        assert_eq!(later.unwrap().to_string(), GOOD.replace("-01", "-00"));
    }

    #[test]
    fn malformed_traceparents_are_refused() {
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033311-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(MalformedTraceParent), "{bad}");
        }
    }

    #[test]
    fn outside_of_any_span_each_place_is_a_new_trace() {
        let (one, other) = (TraceParent::current(), TraceParent::current());
        assert_ne!(one.trace_id(), other.trace_id());
        assert_eq!(one.to_string().parse(), Ok(one));
    }
}
