//! Logs, traces, metrics and the panic hook.
