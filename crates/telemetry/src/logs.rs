//! The subscriber: readable lines in a terminal, JSON in production, spans to an
//! OTLP collector when one is configured.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::Deserialize;
use tokio::runtime::{Handle, TryCurrentError};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::sender::Sender;

/// The target of the spans of transactions, as `crates/db` names them.
const SQL: &str = "parlour_sql";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged and where spans go (`[telemetry]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `tracing` directives, such as `info,lapin=warn`.
    pub log: String,
    /// How lines look.
    pub format: LogFormat,
    /// Base URL of an OTLP/HTTP collector; spans stay here without one.
    pub otlp_endpoint: Option<String>,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives cannot be read.
    #[error("telemetry.log: {0}")]
    Directives(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be built.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The client of the collector cannot be built.
    #[error("telemetry.otlp_endpoint: {0}")]
    Client(#[from] reqwest::Error),
    /// Spans are sent by tasks.
    #[error("telemetry.otlp_endpoint needs a runtime: {0}")]
    Runtime(#[from] TryCurrentError),
    /// Somebody installed a subscriber before.
    #[error("telemetry was set up twice")]
    Twice,
}

/// Flushes what is still to be exported when the process ends.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends what is buffered and stops exporting.
    pub fn shutdown(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last spans could not be exported");
        }
    }
}

/// Sets logs and traces up for the whole process.
pub fn init(settings: &Settings, instance: &str) -> Result<Telemetry, TelemetryError> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let mut filter = EnvFilter::try_new(&settings.log)?;
    if settings.otlp_endpoint.is_none() {
        // Only a collector wants a span for each transaction.
        filter = filter.add_directive(format!("{SQL}=off").parse()?);
    }
    // What a line belongs to is the request around a transaction.
    let readable = filter_fn(|metadata| metadata.target() != SQL);
    let lines = match settings.format {
        LogFormat::Text => tracing_subscriber::fmt::layer().with_target(true).boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    };
    let provider = settings
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| exporter(endpoint, instance))
        .transpose()?;
    let builder = SdkTracerProvider::builder();
    // Without a collector spans are still made: their trace ids go into logs, events and answers.
    let tracer = provider
        .clone()
        .unwrap_or_else(|| builder.build())
        .tracer("parlour");
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(readable))
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    log_panics();
    Ok(Telemetry(provider))
}

fn exporter(endpoint: &str, instance: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(Handle::try_current()?)?)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    let resource = Resource::builder()
        .with_service_name(format!("parlour-{instance}"))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

/// A panic is a log line with its place; the payload may hold a person's data and stays out.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(%place, %backtrace, "panicked");
    }));
}
