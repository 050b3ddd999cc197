//! Consuming: each event takes effect once, in order within its aggregate.

mod acks;
mod apply;
mod dead;
mod depth;
mod gather;
mod handler;
pub(crate) mod inbox;
mod ladder;
pub(crate) mod parked;
mod queue;
mod together;
mod waiting;
mod worker;

use std::sync::Arc;

use parlour_contracts::{Event, events::v1::AuditRecorded};
use parlour_db::{Db, Tx};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use gather::Gather;
use handler::{Entry, entry, reader};
pub use handler::{HandlerFuture, Incoming};

use crate::{Broker, ConsumerSettings, Envelope, Failure, topology};

/// What one service does about the events of others (and its own).
pub struct Consumer {
    service: &'static str,
    entries: Vec<Entry>,
    interests: Vec<Interest>,
    stands: watch::Sender<bool>,
}

type Wants = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Which events of a type there is something to do about, by their payloads.
struct Interest {
    event_type: &'static str,
    wants: Box<Wants>,
}

/// What the tasks of a running consumer share.
pub(crate) struct Context {
    pub(crate) db: Db,
    pub(crate) broker: Broker,
    pub(crate) settings: ConsumerSettings,
    entries: Vec<Entry>,
    interests: Vec<Interest>,
    /// Whether the queue stands.
    stands: watch::Sender<bool>,
    /// A row of the ladder may be due earlier than it was.
    pub(crate) due: Notify,
    pub(crate) stop: CancellationToken,
}

impl Context {
    /// What is done about a type, in the order in which it was registered.
    pub(crate) fn entries(&self, event_type: &str) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |e| topology::matches(&e.pattern, event_type))
    }

    /// Whether an event is of interest here.
    fn wants(&self, event: &Envelope) -> bool {
        let of_type = self
            .interests
            .iter()
            .filter(|interest| interest.event_type == event.event_type);
        of_type
            .map(|interest| &interest.wants)
            .all(|wants| wants(&event.payload))
    }

    /// Whether all that is done about a type is gathered.
    fn gathers(&self, event_type: &str) -> bool {
        let mut entries = self.entries(event_type).peekable();
        entries.peek().is_some() && entries.all(Entry::gathers)
    }
}

impl Consumer {
    /// A consumer of `service` that handles nothing yet.
    pub fn new(service: &'static str) -> Self {
        Self {
            service,
            entries: Vec::new(),
            interests: Vec::new(),
            stands: watch::Sender::new(false),
        }
    }

    /// Handles events of type `E`. What the handler does in the transaction it is
    /// given is committed together with the note that the event has been handled.
    /// It may run again for an event whose transaction did not commit. Several
    /// handlers of one type run one after the other in one transaction.
    #[must_use]
    pub fn on<E, F>(self, handler: F) -> Self
    where
        E: Event + 'static,
        for<'t> F: AsyncFnOnce(&'t mut Tx, Incoming<E>) -> Result<(), Failure>
            + HandlerFuture<&'t mut Tx, Incoming<E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.with(entry(E::TYPE, handler))
    }

    /// Says that of the events of type `E` only those are handled that `of_interest` says yes to. The others
    /// are acknowledged at once, without a transaction and without a note: for types of which most are
    /// of no interest.
    #[must_use]
    pub fn only<E: Event + 'static>(self, of_interest: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        // What cannot be read is for the handler, which says so.
        self.interested(E::TYPE, move |payload| {
            E::decode(payload).map_or(true, |event| of_interest(&event))
        })
    }

    /// Says that events of type `E`, which this service has listened to before or does under other settings,
    /// are of no interest any more: without a handler the queue is not bound to them, and those that are
    /// still in it are acknowledged.
    #[must_use]
    pub fn retired<E: Event + 'static>(self) -> Self {
        self.interested(E::TYPE, |_| false)
    }

    /// Handles events of type `E` by reading from them what `by` settles, if anything. When several wait of
    /// which this is all that is done, they share a transaction; see [`Gather`].
    #[must_use]
    pub fn gather<E, S, F>(self, by: &Gather<S>, read: F) -> Self
    where
        E: Event + 'static,
        S: Send + 'static,
        F: Fn(Incoming<E>) -> Result<Option<S>, Failure> + Send + Sync + 'static,
    {
        self.with(reader(E::TYPE, by, read))
    }

    /// Handles the audit records of every service.
    #[must_use]
    pub fn on_audit<F>(self, handler: F) -> Self
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx, Incoming<AuditRecorded>) -> Result<(), Failure>
            + HandlerFuture<&'t mut Tx, Incoming<AuditRecorded>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.with(entry("*.audit.recorded", handler))
    }

    fn interested(
        mut self,
        event_type: &'static str,
        wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        let wants = Box::new(wants);
        self.interests.push(Interest { event_type, wants });
        self
    }

    fn with(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// The service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The types handled (topic patterns), sorted. For the documentation.
    pub fn types(&self) -> Vec<String> {
        let mut types: Vec<String> = self.entries.iter().map(|e| e.pattern.clone()).collect();
        types.sort();
        types.dedup();
        types
    }

    /// Whether its queue stands and is bound to all that is handled, so that nothing that is
    /// published passes it by. True from the first time on: what the broker keeps through its
    /// restarts does not go away with a connection. While the broker is away it counts that the
    /// queue was bound by a process before this one.
    pub fn stands(&self) -> watch::Receiver<bool> {
        self.stands.subscribe()
    }

    /// Consumes until `stop`; what is being handled then is finished.
    /// Neither a dead broker nor a dead database ends it.
    pub fn spawn(
        self,
        db: Db,
        broker: Broker,
        settings: ConsumerSettings,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        let context = Arc::new(Context {
            db,
            broker,
            settings,
            entries: self.entries,
            interests: self.interests,
            stands: self.stands,
            due: Notify::new(),
            stop,
        });
        tokio::spawn(async move {
            tokio::join!(
                queue::run(&context),
                ladder::run(&context),
                dead::run(&context),
                depth::run(&context)
            );
        })
    }
}
