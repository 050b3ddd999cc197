//! The connections to RabbitMQ.

use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Connect as _, Connection, ConnectionProperties};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use lapin::Channel;

use crate::listeners::Listeners;
use crate::{BrokerSettings, topology};

/// The broker cannot be reached, or it refused.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address in the settings is not one.
    #[error("broker.url is not an AMQP address: {0}")]
    Address(String),
    /// The file of certificates cannot be read.
    #[error("broker.ca, {0}: {1}")]
    Certificates(String, #[source] std::io::Error),
    /// It did not answer in time.
    #[error("the broker did not answer within {0:?}")]
    Timeout(Duration),
    /// It refused, or the connection broke.
    #[error("the broker cannot be used: {0}")]
    Lapin(#[from] lapin::Error),
    /// It took a message back: nothing is bound that would keep it.
    #[error("the broker returned {0} events that nothing is bound to")]
    Returned(usize),
    /// It refused to keep a message.
    #[error("the broker refused {0} events")]
    Refused(usize),
}

/// What a channel is for. Publishing has a connection of its own: when the broker
/// is short of memory it stops reading from those that publish, and consumers have to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Publish,
    Consume,
}

/// The largest frame, in bytes; what is larger goes in several. The client keeps room for 32 of
/// them in each direction of a connection: 8 MiB where the broker's 128 KiB are used.
const FRAME_MAX: u32 = 16 * 1024;

/// How often it is seen whether a connection still stands.
const WATCH: Duration = Duration::from_secs(1);

/// RabbitMQ, as one process sees it. Cheap to clone, connects when first used.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    settings: BrokerSettings,
    uri: AMQPUri,
    /// The authorities to trust, PEM.
    ca: Option<String>,
    publishing: Slot,
    consuming: Slot,
    listeners: Listeners,
}

#[derive(Default)]
struct Slot {
    current: RwLock<Option<Arc<Connection>>>,
    connecting: Mutex<()>,
}

impl Slot {
    fn usable(&self) -> Option<Arc<Connection>> {
        let current = self
            .current
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        current.clone().filter(|c| c.status().connected())
    }

    /// Whether this is the connection that was made last.
    fn holds(&self, connection: &Weak<Connection>) -> bool {
        let current = self
            .current
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        current
            .as_ref()
            .is_some_and(|current| std::ptr::eq(Arc::as_ptr(current), connection.as_ptr()))
    }

    /// None when it was never used.
    fn state(&self) -> Option<bool> {
        let current = self
            .current
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        current.as_ref().map(|c| c.status().connected())
    }

    fn set(&self, connection: Option<Arc<Connection>>) -> Option<Arc<Connection>> {
        let mut current = self
            .current
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::replace(&mut *current, connection)
    }
}

impl Broker {
    /// Checks the address; connects later.
    pub fn new(settings: BrokerSettings) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = settings
            .url
            .expose_secret()
            .parse()
            .map_err(BrokerError::Address)?;
        uri.query.heartbeat = Some(settings.heartbeat_s);
        uri.query.frame_max = Some(FRAME_MAX);
        uri.query.connection_timeout = Some(settings.connect_timeout_ms);
        let ca = settings.ca.as_ref().map(|file| {
            std::fs::read_to_string(file)
                .map_err(|error| BrokerError::Certificates(file.display().to_string(), error))
        });
        Ok(Self(Arc::new(Inner {
            ca: ca.transpose()?,
            settings,
            uri,
            publishing: Slot::default(),
            consuming: Slot::default(),
            listeners: Listeners::default(),
        })))
    }

    /// Whether every connection that is in use stands. For readiness.
    pub fn is_up(&self) -> bool {
        let states = [self.0.publishing.state(), self.0.consuming.state()];
        states.iter().flatten().count() > 0 && states.iter().flatten().all(|up| *up)
    }

    /// Connects if need be and declares the topology. For the start-up's wait.
    pub async fn ping(&self) -> Result<(), BrokerError> {
        self.connection(Purpose::Publish).await.map(drop)
    }

    /// Closes the connections in an orderly way.
    pub async fn close(&self) {
        for slot in [&self.0.publishing, &self.0.consuming] {
            if let Some(connection) = slot.set(None) {
                let closing = connection.close(200, "stopping".into());
                drop(timeout(Duration::from_secs(2), closing).await);
            }
        }
    }

    pub(crate) fn settings(&self) -> &BrokerSettings {
        &self.0.settings
    }

    /// Those of this process who listen to pushes.
    pub(crate) fn listeners(&self) -> &Listeners {
        &self.0.listeners
    }

    /// A new channel. It is never repaired: whoever holds it asks for another when it breaks.
    pub(crate) async fn channel(&self, purpose: Purpose) -> Result<Channel, BrokerError> {
        let connection = self.connection(purpose).await?;
        self.in_time(connection.create_channel()).await
    }

    /// Bounds a call to the broker: a peer that is half dead must not hold its caller for ever.
    pub(crate) async fn in_time<T>(
        &self,
        call: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BrokerError> {
        let limit = Duration::from_millis(self.0.settings.connect_timeout_ms);
        match timeout(limit, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(BrokerError::Timeout(limit)),
        }
    }

    /// The connection for `purpose`, made when there is none that stands.
    pub(crate) async fn connection(&self, purpose: Purpose) -> Result<Arc<Connection>, BrokerError> {
        let slot = self.slot(purpose);
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        let _one_at_a_time = slot.connecting.lock().await;
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        let connection = Arc::new(self.connect(purpose).await?);
        topology::declare(self, &connection).await?;
        drop(slot.set(Some(connection.clone())));
        self.renew_in_time(purpose, &connection);
        Ok(connection)
    }

    fn slot(&self, purpose: Purpose) -> &Slot {
        match purpose {
            Purpose::Publish => &self.0.publishing,
            Purpose::Consume => &self.0.consuming,
        }
    }

    /// Makes another connection once this one has broken, whether anybody needs it or not: a process with
    /// nothing to publish would call itself degraded until it has.
    fn renew_in_time(&self, purpose: Purpose, connection: &Arc<Connection>) {
        let (inner, watched) = (Arc::downgrade(&self.0), Arc::downgrade(connection));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WATCH).await;
                let Some(broker) = inner.upgrade().map(Broker) else {
                    return;
                };
                if !broker.slot(purpose).holds(&watched) {
                    return;
                }
                // The next connection is watched by itself.
                if broker.slot(purpose).usable().is_none() && broker.connection(purpose).await.is_ok() {
                    return;
                }
            }
        });
    }

    /// Declares the topology again, after a sign that something of it is missing.
    pub(crate) async fn redeclare(&self) -> Result<(), BrokerError> {
        let connection = self.connection(Purpose::Publish).await?;
        topology::declare(self, &connection).await
    }

    async fn connect(&self, purpose: Purpose) -> Result<Connection, BrokerError> {
        let name = format!("parlour {purpose:?}").to_lowercase();
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let runtime = lapin::runtime::default_runtime()?;
        let uri = self.0.uri.clone();
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: self.0.ca.clone(),
        };
        let connecting = uri.connect_with_config(properties, tls, runtime);
        let connection = self.in_time(connecting).await?;
        tracing::info!(?purpose, "connected to the broker");
        Ok(connection)
    }
}
