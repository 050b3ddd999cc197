//! From the outbox to the broker, in order, at least once.
//!
//! A session with the database holds advisory locks on lanes, listens for other
//! replicas' publications, and reads and marks rows, all on one connection: when
//! it is lost, the locks and the means to go on are lost with it. Even a moment
//! with two relays on a lane would only make duplicates, never a wrong order:
//! nobody publishes an event before somebody had the confirm of the one before.

mod lanes;
mod pipe;
mod rows;
mod session;
mod wave;

use std::sync::Arc;

use parlour_db::Db;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::{Broker, RelaySettings, metric};

/// Carries the outbox of one service to the broker.
pub struct Relay;

pub(crate) struct Context {
    pub(crate) db: Db,
    pub(crate) broker: Broker,
    pub(crate) settings: RelaySettings,
    /// Counts what may have brought new rows.
    pub(crate) wake: watch::Sender<u64>,
    pub(crate) stop: CancellationToken,
}

impl Context {
    pub(crate) fn wake(&self) {
        self.wake.send_modify(|n| *n = n.wrapping_add(1));
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("the relay's database session: {0}")]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Connect(#[from] parlour_db::DbError),
    #[error(transparent)]
    Broker(#[from] crate::BrokerError),
    #[error("the relay's database session was lost")]
    Lost,
}

impl Relay {
    /// Relays until `stop`, and then until what is committed is out or `flush_ms` have passed.
    /// Neither a dead broker nor a dead database ends it. One per service and process.
    pub fn spawn(db: Db, broker: Broker, settings: RelaySettings, stop: CancellationToken) -> JoinHandle<()> {
        metric::relay_starts(db.service());
        let context = Arc::new(Context {
            db,
            broker,
            settings,
            wake: watch::Sender::new(0),
            stop,
        });
        tokio::spawn(run(context))
    }
}

async fn run(context: Arc<Context>) {
    let mut backoff = Backoff::engine();
    while !context.stop.is_cancelled() {
        match session::run(&context, &mut backoff).await {
            Ok(()) => break,
            Err(error) => {
                tracing::warn!(service = context.db.service(), %error, "the relay starts over");
                if !backoff.wait(&context.stop).await {
                    break;
                }
            }
        }
    }
}
