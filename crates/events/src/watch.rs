//! Listening to events for as long as this process lives: for what is kept in
//! memory, such as the list of revoked sessions.

use lapin::message::Delivery;
use lapin::types::FieldTable;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::ephemeral::{self, AsyncConnect, AsyncHandle, Subject};
use crate::failure::Cause;
use crate::topology::DURABLE_EXCHANGE;
use crate::{Broker, Envelope};

/// Calls `handler` with every event of `types` (topic patterns) that is published
/// from now until `stop`, one after the other.
///
/// After each connect, when events are being collected already but none has been
/// handled, `on_connect` runs: there the caller catches up what it missed. While
/// it fails, it is tried again with a new connection. The answer is true while
/// the caller is caught up, and false from the moment a lost connection is known.
pub fn watch<C, CF, H, HF>(
    broker: Broker,
    types: &[&str],
    on_connect: C,
    handler: H,
    stop: CancellationToken,
) -> watch::Receiver<bool>
where
    C: Fn() -> CF + Send + Sync + 'static,
    CF: Future<Output = Result<(), Cause>> + Send,
    H: Fn(Envelope) -> HF + Send + Sync + 'static,
    HF: Future<Output = ()> + Send,
{
    let (sender, receiver) = watch::channel(false);
    let subject = Subject {
        exchange: DURABLE_EXCHANGE,
        keys: types.iter().map(ToString::to_string).collect(),
        arguments: FieldTable::default(),
    };
    tokio::spawn(ephemeral::run(
        broker,
        subject,
        OnConnect(on_connect),
        OnEvent(handler),
        sender,
        stop,
    ));
    receiver
}

struct OnConnect<C>(C);

impl<C, CF> AsyncConnect for OnConnect<C>
where
    C: Fn() -> CF + Send + Sync,
    CF: Future<Output = Result<(), Cause>> + Send,
{
    fn connected(&self) -> impl Future<Output = Result<(), Cause>> + Send {
        (self.0)()
    }
}

struct OnEvent<H>(H);

impl<H, HF> AsyncHandle for OnEvent<H>
where
    H: Fn(Envelope) -> HF + Send + Sync,
    HF: Future<Output = ()> + Send,
{
    async fn handle(&self, delivery: Delivery) {
        match Envelope::parse(&delivery.properties, &delivery.data) {
            Ok(event) => (self.0)(event).await,
            Err(error) => {
                tracing::warn!(key = %delivery.routing_key, %error, "a message was passed over");
            }
        }
    }
}
