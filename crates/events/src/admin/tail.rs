//! The log stream, read from any point.

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::AMQPValue;
use lapin::{Channel, Consumer as Deliveries};

use super::Shown;
use crate::broker::Purpose;
use crate::topology::{LOG_STREAM, matches, table, text};
use crate::{Broker, BrokerError, Envelope};

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what is published from now on.
    Now,
    /// With the oldest event that the log still has.
    First,
    /// With what was published at this time.
    At(DateTime<Utc>),
}

/// An open reading of the log.
pub struct Tail {
    _channel: Channel,
    deliveries: Deliveries,
    since: Option<DateTime<Utc>>,
    only: Option<String>,
}

/// Reads the log of all services from `start` on, without an end.
pub async fn tail(broker: &Broker, start: Start) -> Result<Tail, BrokerError> {
    let channel = broker.channel(Purpose::Consume).await?;
    broker
        .in_time(channel.basic_qos(100, BasicQosOptions::default()))
        .await?;
    let offset = match start {
        Start::Now => text("next"),
        Start::First => text("first"),
        Start::At(time) => AMQPValue::Timestamp(u64::try_from(time.timestamp()).unwrap_or(0)),
    };
    let consuming = channel.basic_consume(
        LOG_STREAM.into(),
        "".into(),
        BasicConsumeOptions::default(),
        table([("x-stream-offset", offset)]),
    );
    let deliveries = broker.in_time(consuming).await?;
    Ok(Tail {
        _channel: channel,
        deliveries,
        // The broker begins with the chunk that holds the time, a little before it.
        since: match start {
            Start::At(time) => Some(time),
            Start::Now | Start::First => None,
        },
        only: None,
    })
}

impl Tail {
    /// Leaves out events whose type is not of the topic `pattern`: `*` is one word,
    /// `#` any number of words.
    #[must_use]
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.only = Some(pattern.into());
        self
    }

    /// The next event; waits for it. None when the connection has ended.
    pub async fn next(&mut self) -> Option<Result<Shown, BrokerError>> {
        loop {
            let delivery = match self.deliveries.next().await? {
                Ok(delivery) => delivery,
                Err(error) => return Some(Err(error.into())),
            };
            if let Err(error) = delivery.ack(BasicAckOptions::default()).await {
                return Some(Err(error.into()));
            }
            let key = delivery.routing_key.as_str();
            let event = Envelope::parse(&delivery.properties, &delivery.data)
                .unwrap_or_else(|_| Envelope::unreadable(key, &delivery.properties, &delivery.data));
            if self.wants(&event) {
                return Some(Ok(Shown::from(&event)));
            }
        }
    }

    fn wants(&self, event: &Envelope) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self
                .only
                .as_ref()
                .is_none_or(|pattern| matches(pattern, &event.event_type))
    }
}
