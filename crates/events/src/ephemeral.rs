//! Queues that live as long as their connection.

use std::sync::Arc;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer as Deliveries};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::broker::Purpose;
use crate::failure::Cause;
use crate::{Broker, BrokerError, topology};

/// What is listened to.
pub(crate) struct Subject {
    pub(crate) exchange: &'static str,
    pub(crate) keys: Vec<String>,
    pub(crate) arguments: FieldTable,
}

/// Listens until the stop, over any number of connections. `caught_up` is true
/// from the end of `on_connect` to the moment the connection is known to be lost.
pub(crate) async fn run<C, H>(
    broker: Broker,
    subject: Subject,
    on_connect: C,
    handler: H,
    caught_up: watch::Sender<bool>,
    stop: CancellationToken,
) where
    C: AsyncConnect,
    H: AsyncHandle,
{
    let caught_up = Arc::new(caught_up);
    let mut backoff = Backoff::engine();
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            ended = session(&broker, &subject, &on_connect, &handler, &caught_up, &mut backoff) => ended,
        };
        caught_up.send_replace(false);
        tracing::debug!(keys = ?subject.keys, reason = %ended, "listening starts over");
        if !backoff.wait(&stop).await {
            break;
        }
    }
    caught_up.send_replace(false);
}

/// What is done after each connect.
pub(crate) trait AsyncConnect: Send + Sync {
    fn connected(&self) -> impl Future<Output = Result<(), Cause>> + Send;
}

/// What is done with each message.
pub(crate) trait AsyncHandle: Send + Sync {
    fn handle(&self, delivery: Delivery) -> impl Future<Output = ()> + Send;
}

async fn session<C: AsyncConnect, H: AsyncHandle>(
    broker: &Broker,
    subject: &Subject,
    on_connect: &C,
    handler: &H,
    caught_up: &Arc<watch::Sender<bool>>,
    backoff: &mut Backoff,
) -> Cause {
    let (_channel, deliveries) = match open(broker, subject).await {
        Ok(opened) => opened,
        Err(error) => return error.into(),
    };
    let lost = CancellationToken::new();
    let _reader_ends = lost.clone().drop_guard();
    let (sender, mut received) = mpsc::unbounded_channel();
    tokio::spawn(read(deliveries, sender, caught_up.clone(), lost.clone()));
    let connected = tokio::select! {
        biased;
        () = lost.cancelled() => Err("the connection was lost while catching up".into()),
        connected = on_connect.connected() => connected,
    };
    if let Err(error) = connected {
        return error;
    }
    backoff.reset();
    // Under the same lock as the reader's report: what is lost stays lost.
    caught_up.send_modify(|up| *up = !lost.is_cancelled());
    while let Some(delivery) = received.recv().await {
        handler.handle(delivery).await;
    }
    "the connection was lost".into()
}

/// Reads on while the handler is at work, so that a loss is reported at once.
async fn read(
    mut deliveries: Deliveries,
    sender: mpsc::UnboundedSender<Delivery>,
    caught_up: Arc<watch::Sender<bool>>,
    lost: CancellationToken,
) {
    loop {
        let delivery = tokio::select! {
            biased;
            () = lost.cancelled() => break,
            delivery = deliveries.next() => delivery,
        };
        let Some(Ok(delivery)) = delivery else { break };
        if sender.send(delivery).is_err() {
            break;
        }
    }
    lost.cancel();
    caught_up.send_replace(false);
}

async fn open(broker: &Broker, subject: &Subject) -> Result<(Channel, Deliveries), BrokerError> {
    let channel = broker.channel(Purpose::Consume).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..Default::default()
    };
    let declaring = channel.queue_declare("".into(), options, subject.arguments.clone());
    let queue = broker.in_time(declaring).await?;
    let name = queue.name().to_string();
    for key in &subject.keys {
        topology::bind(broker, &channel, &name, subject.exchange, key).await?;
    }
    let options = BasicConsumeOptions {
        no_ack: true,
        exclusive: true,
        ..Default::default()
    };
    let consuming = channel.basic_consume(name.as_str().into(), "".into(), options, FieldTable::default());
    let deliveries = broker.in_time(consuming).await?;
    Ok((channel, deliveries))
}
