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

use parlour_db::{Db, Lanes};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::hash::LANES;
use crate::{Broker, RelaySettings, metric};

/// Carries the outbox of one service to the broker.
pub struct Relay;

pub(crate) struct Context {
    pub(crate) db: Db,
    pub(crate) broker: Broker,
    pub(crate) settings: RelaySettings,
    /// One for each pipe, rung when its lanes may have new rows.
    bells: Vec<Arc<Notify>>,
    pub(crate) stop: CancellationToken,
}

impl Context {
    /// Wakes the pipes of these lanes.
    fn wake(&self, lanes: Lanes) {
        let pipes = self.bells.len();
        for (number, bell) in self.bells.iter().enumerate() {
            let mut its = (0..LANES).filter(|lane| pipe_of(*lane, pipes) == number);
            if its.any(|lane| lanes.contains(lane)) {
                bell.notify_one();
            }
        }
    }
}

/// The number of the pipe that a lane goes through.
fn pipe_of(lane: i16, pipes: usize) -> usize {
    usize::from(lane.unsigned_abs()) % pipes
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
            bells: (0..settings.pipes.max(1)).map(|_| Arc::default()).collect(),
            db,
            broker,
            settings,
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
