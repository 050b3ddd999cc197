//! What is in a broker, whoever put it there.

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel};

use super::{Vhost, find, text};

/// How a mark at the end of a stream begins; each reading puts one of its own.
const END: &str = "the end, as the testkit sees it";

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
    /// messages routing key, properties and body as bytes. Nothing is taken away. Whoever
    /// consumes from them has stopped: what was delivered and is not acknowledged is not seen.
    pub async fn contents(&self) -> Vec<(String, Vec<Vec<u8>>)> {
        let mut found = Vec::new();
        for queue in self.api.list(&format!("queues/{}", self.name)).await {
            let name = text(&queue, "name").unwrap_or_default().to_owned();
            let messages = if text(&queue, "type") == Some("stream") {
                self.stream(&name).await
            } else {
                waiting(&self.channel().await, &name).await
            };
            found.push((name, messages));
        }
        found
    }

    /// The messages of a stream, as [`Vhost::contents`] has them, also while others read it.
    pub async fn stream(&self, name: &str) -> Vec<Vec<u8>> {
        whole_stream(&self.channel().await, name).await
    }
}

/// Reads what waits in a queue. It goes back when the channel is closed.
async fn waiting(channel: &Channel, name: &str) -> Vec<Vec<u8>> {
    // One that went with its connection is not there any more.
    let Some(queue) = find(channel, name).await else {
        return Vec::new();
    };
    let count = queue.message_count();
    let deliveries = consume(channel, name, FieldTable::default()).await;
    let count = usize::try_from(count).expect("a count of messages");
    let read = deliveries.take(count).map(|delivery| {
        let delivery = delivery.expect("RabbitMQ delivers what waits");
        whole(&delivery)
    });
    let messages = read.collect().await;
    let closed = channel.close(200, "read".into()).await;
    closed.expect("RabbitMQ closes a channel");
    messages
}

async fn consume(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Consumer {
    let options = BasicConsumeOptions::default();
    let consuming = channel.basic_consume(name.into(), "".into(), options, arguments);
    consuming.await.expect("RabbitMQ delivers")
}

/// Reads a stream from its beginning to a mark that is put at its end.
async fn whole_stream(channel: &Channel, name: &str) -> Vec<Vec<u8>> {
    let mark = format!("{END} {:032x}", rand::random::<u128>()).into_bytes();
    let (options, none) = (BasicPublishOptions::default(), BasicProperties::default());
    let marking = channel.basic_publish("".into(), name.into(), options, &mark, none);
    marking.await.expect("RabbitMQ takes the mark");
    let qos = channel.basic_qos(1000, BasicQosOptions::default()).await;
    qos.expect("RabbitMQ limits what it sends ahead");
    let mut from = FieldTable::default();
    from.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let mut deliveries = consume(channel, name, from).await;
    let mut messages = Vec::new();
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery.expect("RabbitMQ delivers a stream");
        let acknowledged = delivery.ack(BasicAckOptions::default()).await;
        acknowledged.expect("RabbitMQ goes on");
        if delivery.data == mark {
            break;
        }
        if !delivery.data.starts_with(END.as_bytes()) {
            messages.push(whole(&delivery));
        }
    }
    messages
}

fn whole(delivery: &Delivery) -> Vec<u8> {
    let head = format!("{} {:?}\n", delivery.routing_key, delivery.properties);
    [head.as_bytes(), &delivery.data].concat()
}
