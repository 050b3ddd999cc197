//! What is done about deliveries until they are acknowledged.

use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::acks::Acks;
use super::{Context, apply, together};
use crate::backoff::Backoff;
use crate::envelope::headers;
use crate::metric::{self, Outcome};
use crate::{Envelope, Failure};

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
    /// What it is about: of an aggregate one event is handled after the other.
    pub(super) fn aggregate(&self) -> &str {
        &self.event.aggregate
    }

    /// Whether it may take effect together with others: all that is done about it is gathered, and it
    /// was not delivered before, when it may be what ended its consumer.
    pub(super) fn may_share(&self, context: &Context) -> bool {
        self.refused.is_none() && !self.delivery.redelivered && context.gathers(&self.event.event_type)
    }

    /// Whether nothing is done about it.
    pub(super) fn is_of_no_interest(&self, context: &Context) -> bool {
        self.refused.is_none() && !context.wants(&self.event)
    }
}

/// Settles and acknowledges `jobs` in their order: together when they are several, else one by one. Once one is not
/// settled, whatever comes after it in this channel must not be either, and it is `over`.
pub(super) async fn work(context: &Arc<Context>, acks: &Acks, jobs: Vec<Job>, over: &CancellationToken) {
    let together = together(context, &jobs).await;
    for (place, mut job) in jobs.into_iter().enumerate() {
        let outcome = match together.get(place) {
            Some(outcome) => Some(*outcome),
            None if over.is_cancelled() => None,
            None => settle(context, &mut job, over).await,
        };
        match outcome {
            Some(outcome) => acknowledge(context, acks, &job, outcome),
            None => return over.cancel(),
        }
    }
}

/// Tells the broker that it is settled.
pub(super) fn acknowledge(context: &Context, acks: &Acks, job: &Job, outcome: Outcome) {
    metric::consumed(context.db.service(), &job.event.event_type, outcome);
    if outcome == Outcome::Applied {
        metric::age(context.db.service(), job.event.time);
    }
    acks.add(job.delivery.delivery_tag);
}

/// What became of all of them, or nothing: then each has to be settled alone.
async fn together(context: &Arc<Context>, jobs: &[Job]) -> Vec<Outcome> {
    if jobs.len() < 2 {
        return Vec::new();
    }
    let events = jobs.iter().map(|job| job.event.clone()).collect();
    let done = together::deliver(context, events).await;
    done.unwrap_or_else(|trouble| {
        tracing::debug!(
            service = context.db.service(),
            ?trouble,
            "events are handled one by one"
        );
        Vec::new()
    })
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
