//! Access lines in JSON, put together by hand and written in batches: through `tracing`
//! a line costs a third of what the request itself does (decision 0105).

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};

/// A batch is written when it is this long, in bytes, or this old.
const BATCH: usize = 16 * 1024;
const OLDEST: Duration = Duration::from_millis(200);

/// What a line tells.
pub(crate) struct Line<'l> {
    pub(crate) method: &'l str,
    pub(crate) route: &'l str,
    pub(crate) status: u16,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) whole: bool,
    pub(crate) ms: f64,
    pub(crate) upstream_ms: Option<f64>,
    pub(crate) user: Option<uuid::Uuid>,
    pub(crate) request_id: &'l str,
    pub(crate) trace_id: &'l str,
}

impl Line<'_> {
    /// As a line of `telemetry.format = "json"` is, with the same names.
    fn write(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        write!(out, "{{\"timestamp\":\"{now}\",\"level\":\"INFO\",\"method\":")?;
        serde_json::to_writer(&mut *out, self.method)?;
        out.extend_from_slice(b",\"route\":");
        serde_json::to_writer(&mut *out, self.route)?;
        let Self {
            status,
            received,
            sent,
            whole,
            ms,
            ..
        } = self;
        write!(
            out,
            ",\"status\":{status},\"received\":{received},\"sent\":{sent},\"whole\":{whole},\"ms\":{ms}"
        )?;
        if let Some(upstream_ms) = self.upstream_ms {
            write!(out, ",\"upstream_ms\":{upstream_ms}")?;
        }
        if let Some(user) = self.user {
            write!(out, ",\"user\":\"{user}\"")?;
        }
        out.extend_from_slice(b",\"request_id\":");
        serde_json::to_writer(&mut *out, self.request_id)?;
        writeln!(out, ",\"trace_id\":\"{}\",\"target\":\"access\"}}", self.trace_id)
    }

    /// Through `tracing`, for eyes.
    fn tell(&self) {
        tracing::info!(
            target: "access",
            method = self.method,
            route = self.route,
            status = self.status,
            received = self.received,
            sent = self.sent,
            whole = self.whole,
            ms = self.ms,
            upstream_ms = self.upstream_ms,
            user = self.user.map(tracing::field::display),
            request_id = self.request_id,
            trace_id = self.trace_id,
        );
    }
}

/// One worker's lines on their way out.
pub(crate) struct Lines {
    json: bool,
    batch: RefCell<Vec<u8>>,
}

impl Lines {
    /// Begins to write; ends when the worker does.
    pub(crate) fn new(json: bool) -> Rc<Self> {
        let lines = Rc::new(Self {
            json,
            batch: RefCell::default(),
        });
        let writing = Rc::downgrade(&lines);
        actix_web::rt::spawn(async move {
            loop {
                tokio::time::sleep(OLDEST).await;
                let Some(lines) = writing.upgrade() else {
                    return;
                };
                lines.flush();
            }
        });
        lines
    }

    /// Adds one.
    pub(crate) fn add(&self, line: &Line<'_>) {
        if !tracing::enabled!(target: "access", tracing::Level::INFO) {
            return;
        }
        if !self.json {
            line.tell();
            return;
        }
        let long = {
            let mut batch = self.batch.borrow_mut();
            // Writing to memory does not fail.
            let _ = line.write(&mut batch);
            batch.len() >= BATCH
        };
        if long {
            self.flush();
        }
    }

    fn flush(&self) {
        let mut batch = self.batch.borrow_mut();
        if !batch.is_empty() {
            // Nobody can be told that the log is gone.
            let _ = std::io::stdout().lock().write_all(&batch);
            batch.clear();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let user = uuid::Uuid::from_u128(7);
        let line = Line {
            method: "GET",
            route: "/api/\"x\"/{id}",
            status: 200,
            received: 0,
            sent: 12,
            whole: true,
            ms: 1.25,
            upstream_ms: Some(0.5),
            user: Some(user),
            request_id: "abc",
            trace_id: "0af7",
        };
        let mut out = Vec::new();
        line.write(&mut out).unwrap();
        assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1));
        let mut read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(read["timestamp"].take().as_str().unwrap().ends_with('Z'));
        let expected = json!({
            "timestamp": null, "level": "INFO", "target": "access", "method": "GET",
            "route": "/api/\"x\"/{id}", "status": 200, "received": 0, "sent": 12, "whole": true, "ms": 1.25,
            "upstream_ms": 0.5, "user": user.to_string(), "request_id": "abc", "trace_id": "0af7",
        });
        assert_eq!(read, expected);
    }
}
