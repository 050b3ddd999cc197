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

/// Settles and acknowledges a job, or several together. Hands back those that did not take effect together: each
/// of them has to be settled alone.
pub(super) async fn work(
    context: &Arc<Context>,
    acks: &Acks,
    jobs: Vec<Job>,
    over: &CancellationToken,
) -> Vec<Job> {
    match <[Job; 1]>::try_from(jobs) {
        Ok([mut job]) => {
            match settle(context, &mut job, over).await {
                Some(outcome) => acknowledge(context, acks, &job, outcome),
                // Whatever comes after it in this channel must not be settled either.
                None => over.cancel(),
            }
            Vec::new()
        }
        Err(jobs) => together(context, acks, jobs).await,
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

/// Settles and acknowledges all of them, or hands them back.
async fn together(context: &Arc<Context>, acks: &Acks, jobs: Vec<Job>) -> Vec<Job> {
    let events = jobs.iter().map(|job| job.event.clone()).collect();
    match together::deliver(context, events).await {
        Ok(outcomes) => {
            for (job, outcome) in jobs.iter().zip(outcomes) {
                acknowledge(context, acks, job, outcome);
            }
            Vec::new()
        }
        Err(trouble) => {
            let service = context.db.service();
            tracing::debug!(service, ?trouble, "events are handled one by one");
            jobs
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
