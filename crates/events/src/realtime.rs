//! What only matters now: pushes to sockets, typing, presence. Nothing is kept;
//! what must not be missed has a sequence number and is filled from the database.
//!
//! A push reaches the listeners of its own process without the way through the broker, which tells
//! the other processes. Pushes that are sent together travel in one message.

mod afar;
mod target;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use futures_util::{FutureExt as _, poll};
use lapin::message::Delivery;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel};
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::broker::Purpose;
use crate::envelope::headers;
use crate::ephemeral::{self, AsyncConnect, AsyncHandle, Subject};
use crate::failure::Cause;
use crate::listeners::Listener;
use crate::topology::{REALTIME_EXCHANGE, table, text};
use crate::{Broker, BrokerError, trace};

pub use afar::Afar;
pub use target::Target;

use afar::{Packed, Parcel};

/// The header with the trace that a push belongs to.
const TRACE: &str = "traceparent";
/// A push that takes longer has lost its point.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pushes that a replica may be behind before the oldest are dropped.
const BACKLOG: i64 = 100_000;

/// Something to tell whoever is connected now.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// For whom.
    pub target: Target,
    /// What it is called on the socket.
    pub name: String,
    /// What it says.
    pub payload: Value,
}

/// The way to the sockets. Cheap to clone.
#[derive(Clone)]
pub struct Realtime {
    broker: Broker,
    channel: Arc<Mutex<Option<Channel>>>,
}

impl Realtime {
    /// Connects when first used.
    pub fn new(broker: Broker) -> Self {
        Self {
            broker,
            channel: Arc::default(),
        }
    }

    /// Sends `payload` to whoever of `target` is connected now. An error means
    /// that it was not sent; success does not mean that anybody heard it.
    pub async fn send(&self, target: &Target, name: &str, payload: &Value) -> Result<(), BrokerError> {
        let push = Push {
            target: target.clone(),
            name: name.to_owned(),
            payload: payload.clone(),
        };
        let (_, error) = self.send_all(&[(&push, &Span::current())]).await;
        error.map_or(Ok(()), Err)
    }

    /// Sends many in their order, each in its span. Answers how many were sent before the first that was
    /// not, and what kept that one; the listeners of this process hear of those that were sent.
    pub async fn send_all(&self, pushes: &[(&Push, &Span)]) -> (usize, Option<BrokerError>) {
        let mut sent = 0;
        let sending = async {
            let parcels = afar::pack(pushes.iter().map(|(push, span)| Afar::of(push, span)));
            for (count, publishing) in self.put_on_the_way(parcels).await? {
                done(publishing).await?;
                for (push, span) in pushes.iter().skip(sent).take(count) {
                    self.broker.listeners().tell(Cow::Borrowed(*push), span);
                }
                sent += count;
            }
            Ok(())
        };
        let ended = in_time(sending).await;
        (sent, ended.err())
    }

    /// Tells the listeners of this process, in the current span, and answers what the others are to be told
    /// ([`Self::send_afar`]), whatever becomes of that. For pushes that nobody sends again, and whose listeners find
    /// out what they missed.
    pub fn tell_here(&self, push: Push) -> Afar {
        let span = Span::current();
        let afar = Afar::of(&push, &span);
        self.broker.listeners().tell(Cow::Owned(push), &span);
        afar
    }

    /// Sends what the other processes are to be told, in its order.
    pub async fn send_afar(&self, told: impl Iterator<Item = Afar>) -> Result<(), BrokerError> {
        in_time(async {
            for (_, publishing) in self.put_on_the_way(afar::pack(told)).await? {
                done(publishing).await?;
            }
            Ok(())
        })
        .await
    }

    /// Puts messages behind each other. They go to the connection together: its thread is woken once for all.
    async fn put_on_the_way(&self, parcels: Vec<Parcel>) -> Result<Vec<OnItsWay>, BrokerError> {
        let channel = self.channel().await?;
        let process = self.broker.listeners().process();
        let mut on_their_way = Vec::new();
        for parcel in parcels {
            let pushes = parcel.pushes;
            let mut publishing = maybe_done(publish(channel.clone(), parcel, process).boxed());
            // Puts it behind the one before.
            let _ = poll!(&mut publishing);
            on_their_way.push((pushes, publishing));
        }
        Ok(on_their_way)
    }

    async fn channel(&self) -> Result<Channel, BrokerError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = current.as_ref().filter(|c| c.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.broker.channel(Purpose::Publish).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }

    /// Calls `handler` with every push to `keys` (such as `user.*`, or `#` for
    /// all) until `stop`. It must not wait for anything. The answer is true while pushes of
    /// other processes are being received.
    pub fn subscribe<H>(&self, keys: &[&str], handler: H, stop: CancellationToken) -> watch::Receiver<bool>
    where
        H: Fn(Push) + Send + Sync + 'static,
    {
        let (sender, receiver) = watch::channel(false);
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let listener = Arc::new(Listener::new(keys.clone(), handler));
        keys.push(afar::MANY.to_owned());
        let subject = Subject {
            exchange: REALTIME_EXCHANGE,
            keys,
            arguments: table([
                ("x-max-length", BACKLOG.into()),
                ("x-overflow", text("drop-head")),
            ]),
        };
        let broker = self.broker.clone();
        broker.listeners().add(&listener);
        tokio::spawn(async move {
            let from_afar = FromAfar {
                process: broker.listeners().process().to_string(),
                listener,
            };
            // With the end of this nobody holds the listener any more.
            ephemeral::run(broker, subject, Nothing, from_afar, sender, stop).await;
        });
        receiver
    }
}

/// The span of what a push does where it arrives.
pub(crate) fn span(name: &str) -> Span {
    tracing::info_span!("push", otel.kind = "consumer", otel.name = %format_args!("push {name}"))
}

/// A message that the connection has or is about to have, and how many pushes are in it.
type OnItsWay = (usize, MaybeDone<BoxFuture<'static, Result<(), BrokerError>>>);

async fn done(
    mut publishing: MaybeDone<BoxFuture<'static, Result<(), BrokerError>>>,
) -> Result<(), BrokerError> {
    (&mut publishing).await;
    Pin::new(&mut publishing).take_output().unwrap_or(Ok(()))
}

async fn in_time(sending: impl Future<Output = Result<(), BrokerError>>) -> Result<(), BrokerError> {
    let ended = timeout(PATIENCE, sending).await;
    ended.unwrap_or(Err(BrokerError::Timeout(PATIENCE)))
}

async fn publish(channel: Channel, parcel: Parcel, process: Uuid) -> Result<(), BrokerError> {
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(1)
        .with_app_id(process.to_string().into());
    let properties = match parcel.name {
        Some(name) => properties.with_type(name.into()),
        None => properties,
    };
    let properties = match parcel.trace {
        Some(parent) => properties.with_headers(table([(TRACE, text(&parent))])),
        None => properties,
    };
    channel
        .basic_publish(
            REALTIME_EXCHANGE.into(),
            parcel.key.into(),
            BasicPublishOptions::default(),
            parcel.body.as_bytes(),
            properties,
        )
        .await?;
    Ok(())
}

struct Nothing;

impl AsyncConnect for Nothing {
    async fn connected(&self) -> Result<(), Cause> {
        Ok(())
    }
}

/// Pushes that the broker brings.
struct FromAfar {
    process: String,
    listener: Arc<Listener>,
}

impl AsyncHandle for FromAfar {
    async fn handle(&self, delivery: Delivery) {
        let properties = &delivery.properties;
        let sender = properties.app_id().as_ref().map(ShortString::as_str);
        if sender == Some(self.process.as_str()) {
            return;
        }
        let trace = headers(properties).remove(TRACE);
        let name = properties.kind().as_ref().map(ToString::to_string);
        let mut packed = afar::unpack(delivery.routing_key.as_str(), name, trace, &delivery.data);
        // Of many, those of others are in it as well.
        packed.retain(|packed| self.listener.wants(&packed.key));
        for (push, trace) in packed.into_iter().filter_map(Packed::open) {
            let span = span(&push.name);
            trace::continue_from(&span, trace.as_deref());
            span.in_scope(|| self.listener.hear(push));
        }
    }
}
