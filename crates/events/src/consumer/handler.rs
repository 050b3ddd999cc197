//! Handlers of different events behind one type.

use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parlour_db::Tx;
use prost::Message;
use uuid::Uuid;

use super::gather::{Gather, Gathered};
use crate::{Envelope, Failure};

/// A decoded event with its attributes.
#[derive(Clone, Debug)]
pub struct Incoming<E> {
    /// The event's id, the same on every redelivery.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// The service that published it.
    pub source: String,
    /// What it happened to.
    pub aggregate: String,
    /// Its number among the events of the aggregate.
    pub version: i64,
    /// When it was published.
    pub time: DateTime<Utc>,
    /// The event itself.
    pub data: E,
}

/// An async closure of two arguments whose future may move between threads; see [`parlour_db::Work`].
pub trait HandlerFuture<A, B>: FnOnce(A, B) -> Self::Future {
    /// What the closure returns.
    type Future: Future<Output = Result<(), Failure>> + Send;
}

impl<F, A, B, Fut> HandlerFuture<A, B> for F
where
    F: FnOnce(A, B) -> Fut,
    Fut: Future<Output = Result<(), Failure>> + Send,
{
    type Future = Fut;
}

trait Handle: Send + Sync {
    fn call<'t>(
        &self,
        tx: &'t mut Tx,
        event: &Envelope,
        gathered: &mut Gathered,
    ) -> BoxFuture<'t, Result<(), Failure>>;

    /// Whether it has no effect of its own.
    fn gathers(&self) -> bool {
        false
    }
}

struct Typed<E, F> {
    handler: F,
    event: PhantomData<fn(E)>,
}

impl<E, F> Handle for Typed<E, F>
where
    E: Message + Default + 'static,
    for<'t> F: HandlerFuture<&'t mut Tx, Incoming<E>> + Clone + Send + Sync + 'static,
{
    fn call<'t>(
        &self,
        tx: &'t mut Tx,
        event: &Envelope,
        _: &mut Gathered,
    ) -> BoxFuture<'t, Result<(), Failure>> {
        match incoming::<E>(event) {
            Ok(event) => {
                let handler = self.handler.clone();
                async move { handler(tx, event).await }.boxed()
            }
            Err(error) => std::future::ready(Err(Failure::poison(error))).boxed(),
        }
    }
}

struct Reader<E, S, F> {
    read: F,
    by: Gather<S>,
    event: PhantomData<fn(E)>,
}

impl<E, S, F> Handle for Reader<E, S, F>
where
    E: Message + Default + 'static,
    S: Send + 'static,
    F: Fn(Incoming<E>) -> Result<Option<S>, Failure> + Send + Sync,
{
    fn call<'t>(
        &self,
        _: &'t mut Tx,
        event: &Envelope,
        gathered: &mut Gathered,
    ) -> BoxFuture<'t, Result<(), Failure>> {
        let said = incoming::<E>(event).map_err(Failure::poison).and_then(&self.read);
        let done = said.map(|said| {
            if let Some(said) = said {
                gathered.add(&self.by, said);
            }
        });
        std::future::ready(done).boxed()
    }

    fn gathers(&self) -> bool {
        true
    }
}

/// What is done about the types of one pattern.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) pattern: String,
    handler: Arc<dyn Handle>,
}

impl Entry {
    /// Decodes the event and hands it to the handler, which may leave something to be settled.
    pub(super) fn call<'t>(
        &self,
        tx: &'t mut Tx,
        envelope: &Envelope,
        gathered: &mut Gathered,
    ) -> BoxFuture<'t, Result<(), Failure>> {
        self.handler.call(tx, envelope, gathered)
    }

    /// Whether it only reads what is settled later.
    pub(super) fn gathers(&self) -> bool {
        self.handler.gathers()
    }
}

pub(super) fn entry<E, F>(pattern: &str, handler: F) -> Entry
where
    E: Message + Default + 'static,
    for<'t> F: AsyncFnOnce(&'t mut Tx, Incoming<E>) -> Result<(), Failure>
        + HandlerFuture<&'t mut Tx, Incoming<E>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    Entry {
        pattern: pattern.to_owned(),
        handler: Arc::new(Typed {
            handler,
            event: PhantomData,
        }),
    }
}

pub(super) fn reader<E, S, F>(pattern: &str, by: &Gather<S>, read: F) -> Entry
where
    E: Message + Default + 'static,
    S: Send + 'static,
    F: Fn(Incoming<E>) -> Result<Option<S>, Failure> + Send + Sync + 'static,
{
    Entry {
        pattern: pattern.to_owned(),
        handler: Arc::new(Reader {
            read,
            by: by.clone(),
            event: PhantomData,
        }),
    }
}

fn incoming<E: Message + Default>(envelope: &Envelope) -> Result<Incoming<E>, prost::DecodeError> {
    Ok(Incoming {
        id: envelope.id,
        event_type: envelope.event_type.clone(),
        source: envelope.source.clone(),
        aggregate: envelope.aggregate.clone(),
        version: envelope.version,
        time: envelope.time,
        data: E::decode(envelope.payload.as_slice())?,
    })
}
