//! What only matters now: pushes to sockets, typing, presence. Nothing is kept;
//! what must not be missed has a sequence number and is filled from the database.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::maybe_done;
use futures_util::poll;
use lapin::message::Delivery;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel};
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::broker::Purpose;
use crate::envelope::headers;
use crate::ephemeral::{self, AsyncConnect, AsyncHandle, Subject};
use crate::failure::Cause;
use crate::topology::{REALTIME_EXCHANGE, table, text};
use crate::{Broker, BrokerError, trace};

/// The header with the trace that a push belongs to.
const TRACE: &str = "traceparent";
/// A push that takes longer has lost its point.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pushes that a replica may be behind before the oldest are dropped.
const BACKLOG: i64 = 100_000;

/// For whom a push is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every socket of a person.
    User(Uuid),
    /// Everybody who has a role.
    Role(String),
    /// Everybody in a session.
    Session(Uuid),
    /// The processes that hold sockets, for what they have to tell each other.
    Sockets,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user.{id}"),
            Self::Role(name) => write!(f, "role.{name}"),
            Self::Session(id) => write!(f, "session.{id}"),
            Self::Sockets => f.write_str("sockets"),
        }
    }
}

impl Target {
    fn parse(key: &str) -> Option<Self> {
        if key == "sockets" {
            return Some(Self::Sockets);
        }
        match key.split_once('.')? {
            ("user", id) => id.parse().ok().map(Self::User),
            ("session", id) => id.parse().ok().map(Self::Session),
            ("role", name) => Some(Self::Role(name.to_owned())),
            _ => None,
        }
    }
}

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
        let sending = async { publish(&self.channel().await?, target, name, payload).await };
        timeout(PATIENCE, sending)
            .await
            .unwrap_or(Err(BrokerError::Timeout(PATIENCE)))
    }

    /// Sends many in their order, each in its span. Answers how many were sent before the first that was
    /// not, and what kept that one. They go to the connection together: its thread is woken once for all.
    pub async fn send_all(&self, pushes: &[(&Push, &Span)]) -> (usize, Option<BrokerError>) {
        let mut sent = 0;
        let sending = async {
            let channel = self.channel().await?;
            let mut under_way = Vec::with_capacity(pushes.len());
            for (push, span) in pushes {
                let publishing = publish(&channel, &push.target, &push.name, &push.payload);
                let mut publishing = Box::pin(maybe_done(publishing.instrument((*span).clone())));
                // Puts it behind the one before.
                let _ = poll!(publishing.as_mut());
                under_way.push(publishing);
            }
            for mut publishing in under_way {
                publishing.as_mut().await;
                publishing.as_mut().take_output().transpose()?;
                sent += 1;
            }
            Ok(())
        };
        let ended = timeout(PATIENCE, sending).await;
        let ended = ended.unwrap_or(Err(BrokerError::Timeout(PATIENCE)));
        (sent, ended.err())
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
    /// all) until `stop`. The answer is true while pushes are being received.
    pub fn subscribe<H, HF>(
        &self,
        keys: &[&str],
        handler: H,
        stop: CancellationToken,
    ) -> watch::Receiver<bool>
    where
        H: Fn(Push) -> HF + Send + Sync + 'static,
        HF: Future<Output = ()> + Send,
    {
        let (sender, receiver) = watch::channel(false);
        let subject = Subject {
            exchange: REALTIME_EXCHANGE,
            keys: keys.iter().map(ToString::to_string).collect(),
            arguments: table([
                ("x-max-length", BACKLOG.into()),
                ("x-overflow", text("drop-head")),
            ]),
        };
        let broker = self.broker.clone();
        tokio::spawn(ephemeral::run(
            broker,
            subject,
            Nothing,
            OnPush(handler),
            sender,
            stop,
        ));
        receiver
    }
}

async fn publish(channel: &Channel, target: &Target, name: &str, payload: &Value) -> Result<(), BrokerError> {
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(1)
        .with_type(name.into());
    let properties = match trace::current() {
        Some(parent) => properties.with_headers(table([(TRACE, text(&parent))])),
        None => properties,
    };
    channel
        .basic_publish(
            REALTIME_EXCHANGE.into(),
            target.to_string().into(),
            BasicPublishOptions::default(),
            payload.to_string().as_bytes(),
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

struct OnPush<H>(H);

impl<H, HF> AsyncHandle for OnPush<H>
where
    H: Fn(Push) -> HF + Send + Sync,
    HF: Future<Output = ()> + Send,
{
    async fn handle(&self, delivery: Delivery) {
        let target = Target::parse(delivery.routing_key.as_str());
        let name = delivery.properties.kind().as_ref().map(ToString::to_string);
        let payload = serde_json::from_slice(&delivery.data);
        if let (Some(target), Some(name), Ok(payload)) = (target, name, payload) {
            let span =
                tracing::info_span!("push", otel.kind = "consumer", otel.name = %format_args!("push {name}"));
            let headers = headers(&delivery.properties);
            trace::continue_from(&span, headers.get(TRACE).map(String::as_str));
            let push = Push {
                target,
                name,
                payload,
            };
            (self.0)(push).instrument(span).await;
        }
    }
}
