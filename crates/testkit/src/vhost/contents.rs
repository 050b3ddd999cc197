//! What is in a broker, whoever put it there.

use futures_util::StreamExt as _;
use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use super::{Vhost, text};

/// What marks the end of a stream for whoever reads it.
const END: &[u8] = b"the end, as the testkit sees it";

impl Vhost {
    /// Has the queue `name` get a copy of everything that is published from now on through the
    /// exchanges that are there.
    pub async fn tap(&self, name: &str) {
        let channel = self.channel().await;
        let options = QueueDeclareOptions::default();
        let declared = channel.queue_declare(name.into(), options, FieldTable::default());
        declared.await.expect("RabbitMQ makes a queue");
        for exchange in self.api.list(&format!("exchanges/{}", self.name)).await {
            let exchange = text(&exchange, "name").unwrap_or_default();
            // Those of the protocol itself are nobody's here.
            if exchange.is_empty() || exchange.starts_with("amq.") {
                continue;
            }
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            let bound = channel.queue_bind(name.into(), exchange.into(), "#".into(), options, none);
            bound.await.expect("RabbitMQ binds a queue");
        }
    }

    /// All that the queues and streams hold at this moment: the name of each, and of each of its
    /// messages routing key, properties and body as bytes. Nothing is taken away. What another
    /// connection has to itself, and what was delivered and is not acknowledged, is not seen.
    pub async fn contents(&self) -> Vec<(String, Vec<Vec<u8>>)> {
        let mut found = Vec::new();
        for queue in self.api.list(&format!("queues/{}", self.name)).await {
            let name = text(&queue, "name").unwrap_or_default().to_owned();
            if queue["exclusive"] == true {
                continue;
            }
            let channel = self.channel().await;
            let messages = if text(&queue, "type") == Some("stream") {
                stream(&channel, &name).await
            } else {
                waiting(&channel, &name).await
            };
            found.push((name, messages));
        }
        found
    }

    async fn channel(&self) -> Channel {
        let connection = Connection::connect(&self.url(None), ConnectionProperties::default()).await;
        let connection = connection.expect("RabbitMQ answers");
        let channel = connection.create_channel().await;
        channel.expect("RabbitMQ opens a channel")
    }
}

/// Reads a queue to its end. What was read goes back when the channel is closed.
async fn waiting(channel: &Channel, name: &str) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let next = async || {
        let got = channel.basic_get(name.into(), BasicGetOptions::default()).await;
        got.expect("RabbitMQ gives what waits")
    };
    while let Some(BasicGetMessage { delivery, .. }) = next().await {
        messages.push(whole(&delivery));
    }
    let closed = channel.close(200, "read".into()).await;
    closed.expect("RabbitMQ closes a channel");
    messages
}

/// Reads a stream from its beginning to a mark that is put at its end.
async fn stream(channel: &Channel, name: &str) -> Vec<Vec<u8>> {
    let options = BasicPublishOptions::default();
    let mark = channel.basic_publish("".into(), name.into(), options, END, BasicProperties::default());
    mark.await.expect("RabbitMQ takes the mark");
    let qos = channel.basic_qos(1000, BasicQosOptions::default()).await;
    qos.expect("RabbitMQ limits what it sends ahead");
    let mut from = FieldTable::default();
    from.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let consuming = channel.basic_consume(name.into(), "".into(), BasicConsumeOptions::default(), from);
    let mut deliveries = consuming.await.expect("RabbitMQ reads a stream");
    let mut messages = Vec::new();
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery.expect("RabbitMQ delivers a stream");
        let acknowledged = delivery.ack(lapin::options::BasicAckOptions::default()).await;
        acknowledged.expect("RabbitMQ goes on");
        if delivery.data == END {
            break;
        }
        messages.push(whole(&delivery));
    }
    messages
}

fn whole(delivery: &lapin::message::Delivery) -> Vec<u8> {
    let head = format!("{} {:?}\n", delivery.routing_key, delivery.properties);
    [head.as_bytes(), &delivery.data].concat()
}
