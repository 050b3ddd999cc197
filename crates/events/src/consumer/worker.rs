//! Deliveries of the same aggregate go to the same worker, one after the other.

use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::apply;
use crate::backoff::Backoff;
use crate::envelope::headers;
use crate::metric::{self, Outcome};
use crate::{Envelope, Failure, hash};

/// So many outages in a row, with the database there in between, are an event's own doing.
const OUTAGES: u32 = 8;

/// A delivery whose attributes have been read.
pub(super) struct Job {
    event: Arc<Envelope>,
    /// Why it must not be handled.
    refused: Option<Failure>,
    delivery: Delivery,
}

/// Reads a delivery's attributes.
pub(super) fn job(context: &Context, delivery: Delivery) -> Job {
    let parsed = Envelope::parse(&delivery.properties, &delivery.data);
    let key = delivery.routing_key.as_str();
    let (event, refused) = match parsed {
        Ok(event) => {
            let refused = crashes(context, &delivery).then(|| {
                Failure::poison(
                    "it was delivered again and again without an outcome: it may kill its consumer",
                )
            });
            (event, refused)
        }
        Err(error) => {
            let event = Envelope::unreadable(key, &delivery.properties, &delivery.data);
            (event, Some(Failure::poison(error)))
        }
    };
    Job {
        event: Arc::new(event),
        refused,
        delivery,
    }
}

fn crashes(context: &Context, delivery: &Delivery) -> bool {
    headers(&delivery.properties)
        .get("x-delivery-count")
        .and_then(|count| count.parse::<i64>().ok())
        .is_some_and(|count| count >= context.settings.crash_limit)
}

impl Job {
    /// The worker for it, of `workers`.
    pub(super) fn place(&self, workers: usize) -> usize {
        hash::below(self.event.aggregate.as_bytes(), workers)
    }
}

/// Works until `over`. What it has not begun then goes back to the queue with the channel.
pub(super) async fn run(context: Arc<Context>, mut jobs: mpsc::Receiver<Job>, over: CancellationToken) {
    loop {
        let job = tokio::select! {
            biased;
            () = over.cancelled() => return,
            job = jobs.recv() => job,
        };
        let Some(mut job) = job else { return };
        let Some(outcome) = settle(&context, &mut job, &over).await else {
            // Not settled: whatever comes after it in this channel must not be either.
            over.cancel();
            return;
        };
        metric::consumed(context.db.service(), &job.event.event_type, outcome);
        if outcome == Outcome::Applied {
            metric::age(context.db.service(), job.event.time);
        }
        // In time: an acknowledgement that is under way when its connection dies may never be answered.
        let ack = job.delivery.ack(BasicAckOptions::default());
        if context.broker.in_time(ack).await.is_err() {
            // The broker will deliver it again, and the inbox will know it.
            over.cancel();
            return;
        }
    }
}

/// Tries until the database has answered; gives up with the session, or when the
/// broker would soon take the silence for a dead consumer. An event whose every
/// attempt loses a connection while others do not is the cause, and has failed.
async fn settle(context: &Arc<Context>, job: &mut Job, over: &CancellationToken) -> Option<Outcome> {
    let mut backoff = Backoff::engine();
    let mut outages = 0;
    let held_until = Instant::now() + Duration::from_millis(context.settings.hold_ms);
    loop {
        let done = match &job.refused {
            Some(failure) => apply::put_aside(context, &job.event, failure).await,
            None => apply::deliver(context, &job.event).await,
        };
        match done {
            Ok(outcome) => return Some(outcome),
            Err(error) => {
                tracing::warn!(event.id = %job.event.id, %error, "an event is held until the database answers");
            }
        }
        outages += 1;
        if outages >= OUTAGES && job.refused.is_none() && context.db.ping().await.is_ok() {
            job.refused = Some(Failure::retry("every attempt lost its database connection"));
        }
        if Instant::now() >= held_until || !backoff.wait(over).await {
            return None;
        }
    }
}
