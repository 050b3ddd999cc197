//! How much waits at the broker, told again and again.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::Context;
use crate::broker::Purpose;
use crate::{BrokerError, metric, topology};

const EVERY: Duration = Duration::from_secs(5);

/// Asks for the lengths of the service's queues until the stop.
pub(super) async fn run(context: &Context) {
    while !context.stop.is_cancelled() {
        if let Err(error) = session(context).await {
            tracing::debug!(service = context.db.service(), %error, "the queues are not measured for now");
            pause(context).await;
        }
    }
}

async fn session(context: &Context) -> Result<(), BrokerError> {
    let (broker, service) = (&context.broker, context.db.service());
    let channel = broker.channel(Purpose::Consume).await?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::durable()
    };
    while !context.stop.is_cancelled() {
        for (name, kind) in [
            (topology::queue(service), "events"),
            (topology::dead_queue(service), "dead"),
        ] {
            let asking = channel.queue_declare(name.as_str().into(), passive, FieldTable::default());
            let queue = broker.in_time(asking).await?;
            metric::queue(service, kind, queue.message_count());
        }
        pause(context).await;
    }
    broker.in_time(channel.close(200, "stopping".into())).await
}

async fn pause(context: &Context) {
    tokio::select! {
        () = context.stop.cancelled() => {}
        () = tokio::time::sleep(EVERY) => {}
    }
}
