//! What the broker gave up delivering is parked with the rest, where a person can see it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use parlour_db::{DbError, Scope, Tx};

use super::Context;
use super::inbox::{self, Entry};
use super::parked::{self, Setback, State};
use super::queue::ConsumeError;
use crate::backoff::Backoff;
use crate::broker::Purpose;
use crate::metric::{self, Outcome};
use crate::{BrokerError, Envelope, topology};

/// Empties the dead-letter queue until the stop.
pub(super) async fn run(context: &Arc<Context>) {
    let mut backoff = Backoff::engine();
    while !context.stop.is_cancelled() {
        if let Err(error) = session(context, &mut backoff).await {
            tracing::debug!(service = context.db.service(), %error, "the dead-letter queue waits");
            backoff.wait(&context.stop).await;
        }
    }
}

async fn session(context: &Arc<Context>, backoff: &mut Backoff) -> Result<(), ConsumeError> {
    let (broker, service) = (&context.broker, context.db.service());
    let connection = broker.connection(Purpose::Consume).await?;
    topology::declare_consumer(broker, &connection, service, &context.settings).await?;
    let channel = broker.channel(Purpose::Consume).await?;
    broker
        .in_time(channel.basic_qos(8, BasicQosOptions::default()))
        .await?;
    let consuming = channel.basic_consume(
        topology::dead_queue(service).as_str().into(),
        "".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut deliveries = broker.in_time(consuming).await?;
    loop {
        let delivery = tokio::select! {
            biased;
            () = context.stop.cancelled() => return Ok(()),
            delivery = deliveries.next() => delivery,
        };
        let delivery = delivery.ok_or(ConsumeError::Ended)?.map_err(BrokerError::from)?;
        backoff.reset();
        park(context, &delivery).await?;
        broker.in_time(delivery.ack(BasicAckOptions::default())).await?;
    }
}

/// Later events of its aggregate may have overtaken it. It is parked even so, and
/// those that come now wait behind it.
async fn park(context: &Arc<Context>, delivery: &Delivery) -> Result<(), ConsumeError> {
    let key = delivery.routing_key.as_str();
    let event = Envelope::parse(&delivery.properties, &delivery.data)
        .unwrap_or_else(|_| Envelope::unreadable(key, &delivery.properties, &delivery.data));
    let kind = event.event_type.clone();
    tracing::error!(event.id = %event.id, event.r#type = kind, "the broker gave up delivering an event");
    let outcome = context
        .db
        .write(Scope::Service, async move |tx: &mut Tx| {
            if inbox::enter(tx, &event, false).await? == Entry::Duplicate {
                return Ok::<_, DbError>(Outcome::Duplicate);
            }
            let setback = Setback {
                state: State::Parked,
                attempts: 0,
                pause: Duration::ZERO,
                error: "the broker gave up delivering it",
            };
            parked::park(tx, &event, &setback).await?;
            Ok(Outcome::Parked)
        })
        .await?;
    metric::consumed(context.db.service(), &kind, outcome);
    Ok(())
}
