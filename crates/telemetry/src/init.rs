//! Sets up logs and traces for a process, once, from its settings; and takes them down at its end.

use std::{fmt, io::IsTerminal, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider, SpanData},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    lines::Lines,
    redaction::{REDACTED, is_secret_field, scrub},
    testing::Capture,
};

/// What is logged where `RUST_LOG` says nothing.
pub const DEFAULT_FILTER: &str = "info,actix_server=warn";

/// How long the last spans may take to reach the collector when a process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: aligned, and coloured on a terminal.
    #[default]
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// Where log lines go.
#[derive(Clone, Debug)]
pub enum Output {
    /// Standard output: what a service alone does.
    Stdout,
    /// Standard error: for a process whose standard output is its answer.
    Stderr,
    /// Into a test's memory.
    Capture(Capture),
}

/// How a process logs and traces.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who is speaking: on every line, and the `service.name` of traces.
    pub service: &'static str,
    /// `LOG_FORMAT`: `pretty` (the default) or `json`.
    pub format: Format,
    /// `RUST_LOG`: directives as of the crate `env_logger`; [`DEFAULT_FILTER`] by default.
    pub filter: String,
    /// Where lines go; standard output by default.
    pub output: Output,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the base URL of a collector that takes OTLP over HTTP. Without it nothing
    /// is exported; trace ids are there all the same.
    pub otlp_endpoint: Option<String>,
    /// `NO_COLOR`: set to anything, it keeps pretty lines plain on a terminal too.
    pub no_colour: bool,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A setting's value cannot be used.
    #[error("{setting}: {problem}")]
    Setting {
        /// The environment variable's name.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is telemetry in this process already.
    #[error("telemetry was set up twice in one process")]
    Twice,
    /// The recorder of metrics could not be installed.
    #[error("metrics: {0}")]
    Metrics(String),
}

impl Options {
    /// Reads the settings through `lookup`, which gives an environment variable's value.
    pub fn from_settings(
        service: &'static str,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InitError> {
        let filled = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let format = match filled("LOG_FORMAT").as_deref() {
            None | Some("pretty") => Format::Pretty,
            Some("json") => Format::Json,
            Some(other) => {
                let problem = format!("\"{other}\" is neither \"pretty\" nor \"json\"");
                return Err(InitError::Setting { setting: "LOG_FORMAT", problem });
            }
        };
        Ok(Self {
            service,
            format,
            filter: filled("RUST_LOG").unwrap_or_else(|| DEFAULT_FILTER.to_owned()),
            output: Output::Stdout,
            otlp_endpoint: filled("OTEL_EXPORTER_OTLP_ENDPOINT"),
            no_colour: filled("NO_COLOR").is_some(),
        })
    }

    /// The same, logging to standard error.
    #[must_use]
    pub fn to_stderr(self) -> Self {
        Self { output: Output::Stderr, ..self }
    }

    fn colour(&self) -> bool {
        let terminal = match self.output {
            Output::Stdout => std::io::stdout().is_terminal(),
            Output::Stderr => std::io::stderr().is_terminal(),
            Output::Capture(_) => false,
        };
        terminal && !self.no_colour
    }
}

/// Sets up the process's logs and traces. Call it once, after the TLS provider is installed; keep the guard
/// until the last thing worth logging has been logged.
pub fn init(options: Options) -> Result<Guard, InitError> {
    let filter = EnvFilter::builder().parse(&options.filter).map_err(|error| InitError::Setting {
        setting: "RUST_LOG",
        problem: format!("\"{}\": {error}", options.filter),
    })?;
    // However quiet the log is set, spans are kept: they carry request ids and traces from hand to hand.
    let spans = filter_fn(|metadata| metadata.is_span() && *metadata.level() <= LevelFilter::INFO)
        .with_max_level_hint(LevelFilter::INFO);

    let exporter = options.otlp_endpoint.as_deref().map(exporter).transpose()?;
    let exports = exporter.is_some();
    let resource = Resource::builder()
        .with_service_name(options.service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let mut provider = SdkTracerProvider::builder().with_resource(resource);
    if let Some(exporter) = exporter {
        provider = provider.with_batch_exporter(Redacting(exporter));
    }
    let provider = provider.build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    opentelemetry::global::set_tracer_provider(provider.clone());

    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("reelay"))
        .with_location(false)
        .with_threads(false)
        // Events are copied into spans only for someone to read them there.
        .with_filter(filter_fn(move |metadata| exports || metadata.is_span()));
    let lines = Lines {
        colour: options.colour(),
        service: options.service,
        format: options.format,
        output: options.output,
        process_trace: RandomIdGenerator::default().new_trace_id(),
    };
    tracing_subscriber::registry()
        .with(traces.and_then(lines).with_filter(filter.or(spans)))
        .try_init()
        .map_err(|_| InitError::Twice)?;
    Ok(Guard { provider: Some(provider) })
}

fn exporter(endpoint: &str) -> Result<SpanExporter, InitError> {
    let is_url =
        endpoint.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some());
    let refused = |problem: String| InitError::Setting { setting: "OTEL_EXPORTER_OTLP_ENDPOINT", problem };
    if !is_url {
        return Err(refused(format!("\"{endpoint}\" is not a URL, such as http://localhost:4318")));
    }
    SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| refused(error.to_string()))
}

/// Keeps telemetry up. Dropped, it loses the spans that have not been exported; [`shutdown`](Self::shutdown)
/// does not.
#[derive(Debug)]
#[must_use = "telemetry ends when its guard is dropped"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

impl Guard {
    /// Exports what is left, for at most five seconds, and ends. The last step of an ordered shutdown.
    pub async fn shutdown(mut self) {
        let Some(provider) = self.provider.take() else { return };
        // The exporter's client is a blocking one, which must not wait on a runtime's own thread.
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "The last spans were not exported");
        }
    }
}

/// Exports spans without the secrets that may have got into them.
#[derive(Debug)]
struct Redacting<E>(E);

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter for Redacting<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            redact(&mut span.attributes);
            for event in &mut span.events.events {
                redact(&mut event.attributes);
            }
        }
        self.0.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn redact(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        if is_secret_field(attribute.key.as_str()) {
            attribute.value = REDACTED.into();
        } else if let opentelemetry::Value::String(text) = &attribute.value {
            let clean = scrub(text.as_str()).into_owned();
            attribute.value = clean.into();
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pretty => "pretty",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(settings: &[(&str, &str)]) -> Result<Options, InitError> {
        Options::from_settings("test", |name| {
            settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn settings_have_defaults() {
        let options = options(&[("LOG_FORMAT", "")]).unwrap();
        assert_eq!(options.format, Format::Pretty);
        assert_eq!(options.filter, DEFAULT_FILTER);
        assert_eq!(options.otlp_endpoint, None);
    }

    #[test]
    fn a_bad_setting_is_named() {
        let message = |settings: &[(&str, &str)]| match options(settings).and_then(init) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{settings:?} was accepted"),
        };
        assert!(message(&[("LOG_FORMAT", "xml")]).starts_with("LOG_FORMAT: \"xml\""));
        assert!(message(&[("RUST_LOG", "reelay=loud")]).starts_with("RUST_LOG: \"reelay=loud\""));
        let endpoint = message(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318/x")]);
        assert!(endpoint.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: "), "{endpoint}");
    }

    #[test]
    fn exported_attributes_are_scrubbed() {
        let mut attributes = vec![
            KeyValue::new("authorization", "anything"),
            KeyValue::new("error", "refused whsec_abc"),
            KeyValue::new("attempt", 2),
        ];
        redact(&mut attributes);
        let values: Vec<_> = attributes.iter().map(|attribute| attribute.value.to_string()).collect();
        assert_eq!(values, ["[redacted]", "refused whsec_[redacted]", "2"]);
    }
}
