//! Logs, traces, metrics and the panic hook of a process.

mod logs;
mod metrics;
mod sender;

pub use logs::{LogFormat, Settings, Telemetry, TelemetryError, init};
pub use metrics::{Metrics, install_metrics};
