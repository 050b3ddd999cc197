//! Metrics, by the names that the dashboards use.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Applied,
    Duplicate,
    Ignored,
    Stale,
    Waiting,
    Retrying,
    Parked,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Stale => "stale",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Parked => "parked",
        }
    }
}

pub(crate) fn published(service: &'static str, count: usize) {
    metrics::counter!("parlour_events_published_total", "service" => service).increment(count as u64);
}

/// The relay's counters are there before they count, so that the first increase is seen as one.
pub(crate) fn relay_starts(service: &'static str) {
    metrics::counter!("parlour_events_published_total", "service" => service).increment(0);
    metrics::counter!("parlour_events_publish_failures_total", "service" => service).increment(0);
}

pub(crate) fn publish_failed(service: &'static str) {
    metrics::counter!("parlour_events_publish_failures_total", "service" => service).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn outbox(service: &'static str, unpublished: i64, lag_seconds: f64) {
    metrics::gauge!("parlour_outbox_unpublished", "service" => service).set(unpublished as f64);
    metrics::gauge!("parlour_outbox_lag_seconds", "service" => service).set(lag_seconds);
}

pub(crate) fn consumed(service: &'static str, event_type: &str, outcome: Outcome) {
    metrics::counter!(
        "parlour_events_consumed_total",
        "service" => service, "type" => event_type.to_owned(), "outcome" => outcome.name(),
    )
    .increment(1);
}

pub(crate) fn handled(service: &'static str, event_type: &str, took: Duration) {
    metrics::histogram!(
        "parlour_event_handler_seconds",
        "service" => service, "type" => event_type.to_owned(),
    )
    .record(took.as_secs_f64());
}

/// How long after its commit an event was handled for the first time.
pub(crate) fn age(service: &'static str, committed: DateTime<Utc>) {
    let age = (Utc::now() - committed).to_std().unwrap_or_default();
    metrics::histogram!("parlour_event_age_seconds", "service" => service).record(age.as_secs_f64());
}

/// What waits in a queue at the broker; what a consumer has been handed is not in it.
pub(crate) fn queue(service: &'static str, kind: &'static str, messages: u32) {
    metrics::gauge!("parlour_queue_messages", "service" => service, "queue" => kind).set(f64::from(messages));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn parked(service: &'static str, state: &'static str, count: i64) {
    metrics::gauge!("parlour_events_parked", "service" => service, "state" => state).set(count as f64);
}
