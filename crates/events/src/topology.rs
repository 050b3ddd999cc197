//! Exchanges and queues. Declaring is idempotent and done on every connect.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

use crate::{Broker, BrokerError, ConsumerSettings};

/// The exchange that carries every event.
pub const DURABLE_EXCHANGE: &str = "parlour.events";
/// The exchange of what only matters now.
pub const REALTIME_EXCHANGE: &str = "parlour.realtime";
/// The stream that keeps every event for a while.
pub const LOG_STREAM: &str = "parlour.log";

/// The queue of a consuming service.
pub fn queue(service: &str) -> String {
    format!("parlour.{service}")
}

/// Where the broker puts what it gave up delivering to `service`.
pub fn dead_queue(service: &str) -> String {
    format!("parlour.{service}.dead")
}

/// The exchanges, and the log stream bound to everything: because of it every
/// event has a queue to go to, and an event that is returned is a failure.
pub(crate) async fn declare(broker: &Broker, connection: &Connection) -> Result<(), BrokerError> {
    let channel = broker.in_time(connection.create_channel()).await?;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let transient = ExchangeDeclareOptions::default();
    for (name, options) in [(DURABLE_EXCHANGE, durable), (REALTIME_EXCHANGE, transient)] {
        let declaring =
            channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default());
        broker.in_time(declaring).await?;
    }
    declare_queue(broker, connection, LOG_STREAM, log_arguments(broker)).await?;
    bind(broker, &channel, LOG_STREAM, DURABLE_EXCHANGE, "#").await?;
    broker.in_time(channel.close(200, "declared".into())).await
}

fn log_arguments(broker: &Broker) -> FieldTable {
    let settings = broker.settings();
    // Retention drops whole segments, so they have to be small beside the whole.
    let segment = (settings.log_max_bytes / 20).clamp(1_000_000, 50_000_000);
    table([
        ("x-queue-type", text("stream")),
        ("x-max-age", text(&settings.log_max_age)),
        ("x-max-length-bytes", settings.log_max_bytes.into()),
        ("x-stream-max-segment-size-bytes", segment.into()),
    ])
}

/// The two queues of a consuming service.
///
/// Only one consumer of the queue is active: were it shared, two replicas would
/// work on two events of one aggregate at the same time. When the active one is
/// gone the broker hands what it had not acknowledged, in order, to the next.
///
/// Dead-lettering at least once needs `reject-publish` and, on 3.10, the feature
/// flag `stream_queue`, which the log stream needs too. No length limit is set, so
/// nothing is ever rejected. The limit on deliveries is a last resort below the
/// consumer's own (`crash_limit`), explicit because its default differs: none up to 3.13, 20 from 4.0.
pub(crate) async fn declare_consumer(
    broker: &Broker,
    connection: &Connection,
    service: &str,
    settings: &ConsumerSettings,
) -> Result<(), BrokerError> {
    let (queue, dead) = (queue(service), dead_queue(service));
    declare_queue(
        broker,
        connection,
        &dead,
        table([("x-queue-type", text("quorum"))]),
    )
    .await?;
    let arguments = table([
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", settings.delivery_limit.into()),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&dead)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]);
    declare_queue(broker, connection, &queue, arguments).await
}

/// Declares on a channel of its own, because a refusal closes it. A queue that
/// stands with other arguments is used as it is: a changed setting must not keep
/// the service from starting, and a queue with events in it cannot be replaced here.
async fn declare_queue(
    broker: &Broker,
    connection: &Connection,
    name: &str,
    arguments: FieldTable,
) -> Result<(), BrokerError> {
    let channel = broker.in_time(connection.create_channel()).await?;
    let declaring = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments);
    match broker.in_time(declaring).await {
        Ok(_) => broker.in_time(channel.close(200, "declared".into())).await,
        Err(BrokerError::Lapin(error)) if stands_otherwise(&error) => {
            tracing::warn!(queue = name, %error, "the queue stands with other arguments and is used as it is");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn stands_otherwise(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(e) if e.get_id() == 406)
}

pub(crate) async fn bind(
    broker: &Broker,
    channel: &Channel,
    queue: &str,
    exchange: &str,
    pattern: &str,
) -> Result<(), BrokerError> {
    let binding = channel.queue_bind(
        queue.into(),
        exchange.into(),
        pattern.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    broker.in_time(binding).await
}

pub(crate) async fn unbind(
    broker: &Broker,
    channel: &Channel,
    queue: &str,
    pattern: &str,
) -> Result<(), BrokerError> {
    let unbinding = channel.queue_unbind(
        queue.into(),
        DURABLE_EXCHANGE.into(),
        pattern.into(),
        FieldTable::default(),
    );
    broker.in_time(unbinding).await
}

pub(crate) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

pub(crate) fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

/// Whether a routing key is of a topic pattern (`*` one word, `#` any number of words).
pub(crate) fn matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern.split_first(), key.split_first()) {
            (None, None) => true,
            (Some((&"#", rest)), _) => {
                words(rest, key) || key.split_first().is_some_and(|(_, k)| words(pattern, k))
            }
            (Some((&"*", p)), Some((_, k))) => words(p, k),
            (Some((p, ps)), Some((k, ks))) => p == k && words(ps, ks),
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('.').collect();
    let key: Vec<&str> = key.split('.').collect();
    words(&pattern, &key)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_the_broker_does() {
        for (pattern, key, expected) in [
            ("a.b.c", "a.b.c", true),
            ("a.b.c", "a.b", false),
            ("*.audit.recorded", "orders.audit.recorded", true),
            ("*.audit.recorded", "audit.recorded", false),
            ("#", "a.b.c", true),
            ("a.#", "a", true),
            ("a.#.c", "a.b.b.c", true),
            ("a.#.c", "a.b.b", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }
}
