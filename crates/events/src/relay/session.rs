//! One session with the database: locks, notifications, pipes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use parlour_db::Lanes;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lanes::{self, Keys};
use super::pipe::Pipe;
use super::rows::Statements;
use super::{Context, RelayError};
use crate::backoff::Backoff;
use crate::hash::LANES;
use crate::metric;

/// How often lanes are balanced and the backlog is measured.
const TICK: Duration = Duration::from_secs(1);
/// The session has to answer within this, or it is taken for dead.
const PATIENCE: Duration = Duration::from_secs(5);
/// At most one NOTIFY in this time.
const COALESCE: Duration = Duration::from_millis(10);

struct Session {
    context: Arc<Context>,
    client: Arc<Client>,
    statements: Statements,
    keys: Keys,
    lanes: Arc<RwLock<Vec<i16>>>,
    lost: CancellationToken,
    _ends_with_this: DropGuard,
}

/// Runs until the stop is complete (`Ok`) or the session is lost.
pub(super) async fn run(context: &Arc<Context>, backoff: &mut Backoff) -> Result<(), RelayError> {
    let session = Session::open(context).await?;
    backoff.reset();
    let mut pipes = session.start_pipes();
    let ended = tokio::select! {
        biased;
        () = session.lost.cancelled() => Err(RelayError::Lost),
        () = context.stop.cancelled() => Ok(()),
        error = session.tick() => Err(error),
        error = session.tell_others() => Err(error),
    };
    if ended.is_ok() {
        let flush = Duration::from_millis(context.settings.flush_ms);
        let flushed = async { while pipes.join_next().await.is_some() {} };
        if timeout(flush, flushed).await.is_err() {
            tracing::warn!(
                service = context.db.service(),
                "the relay stops with events unpublished"
            );
        }
    }
    session.lost.cancel();
    pipes.shutdown().await;
    ended
}

impl Session {
    async fn open(context: &Arc<Context>) -> Result<Self, RelayError> {
        let (client, connection) = context.db.session().await?;
        let lost = CancellationToken::new();
        tokio::spawn(drive(context.clone(), connection, lost.clone()));
        let guard = lost.clone().drop_guard();
        let keys = Keys::of(context.db.service());
        // All that it asks for has an index. A plan that was made while the outbox was empty would read
        // the whole of it, and is kept until PostgreSQL analyses the table. A mark need not be on disk: what a crash
        // of PostgreSQL takes back is published again with the same id, which every inbox knows.
        let settings = format!(
            "SET enable_seqscan = off; SET synchronous_commit = off; LISTEN {}",
            channel(context)
        );
        client.batch_execute(&settings).await?;
        lanes::enter(&client, &keys).await?;
        let statements = Statements::prepare(&client).await?;
        let session = Self {
            context: context.clone(),
            client: Arc::new(client),
            statements,
            keys,
            lanes: Arc::default(),
            lost,
            _ends_with_this: guard,
        };
        session.balance().await?;
        Ok(session)
    }

    fn start_pipes(&self) -> JoinSet<()> {
        let mut pipes = JoinSet::new();
        for (number, bell) in self.context.bells.iter().enumerate() {
            let pipe = Pipe {
                context: self.context.clone(),
                client: self.client.clone(),
                statements: self.statements.clone(),
                lanes: self.lanes.clone(),
                number,
                bell: bell.clone(),
                lost: self.lost.clone(),
            };
            pipes.spawn(pipe.run());
        }
        pipes
    }

    async fn tick(&self) -> RelayError {
        loop {
            sleep(TICK).await;
            let ticked = timeout(PATIENCE, async {
                let (count, lag) = self.statements.backlog(&self.client).await?;
                metric::outbox(self.context.db.service(), count, lag);
                self.balance().await
            });
            match ticked.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return RelayError::Lost,
            }
        }
    }

    /// Takes what is free of this relay's share, gives back what is over it.
    async fn balance(&self) -> Result<(), RelayError> {
        let share = lanes::fair_share(&self.client, &self.keys).await?;
        if self.lanes.read().await.len() == share {
            return Ok(());
        }
        // No round is under way while this is held. One that hangs on the broker
        // must not hold up this session: the next tick comes soon.
        let Ok(mut held) = timeout(TICK, self.lanes.write()).await else {
            return Ok(());
        };
        if held.len() < share {
            let taken = lanes::take(&self.client, &self.keys, &held, share).await?;
            if !taken.is_empty() {
                tracing::debug!(service = self.context.db.service(), ?taken, "lanes taken");
                held.extend(taken);
                self.context.wake(Lanes::ALL);
            }
        }
        while held.len() > share
            && let Some(lane) = held.pop()
        {
            lanes::give(&self.client, &self.keys, lane).await?;
        }
        Ok(())
    }

    /// Passes on that this process published: to its own pipes, and to the other
    /// relays when some lanes are theirs.
    async fn tell_others(&self) -> RelayError {
        let mut next = Instant::now();
        let mut untold = false;
        loop {
            tokio::select! {
                lanes = self.context.db.published().heard() => {
                    self.context.wake(lanes);
                    untold |= self.lanes.read().await.len() < usize::from(LANES.unsigned_abs());
                }
                () = sleep_until(next), if untold => {
                    let notify = format!("NOTIFY {}", channel(&self.context));
                    if let Err(error) = self.client.batch_execute(&notify).await {
                        return error.into();
                    }
                    untold = false;
                    next = Instant::now() + COALESCE;
                }
            }
        }
    }
}

/// One channel for each service; its name is a schema's, so letters, digits and underscores.
fn channel(context: &Context) -> String {
    format!("parlour_outbox_{}", context.db.service())
}

async fn drive<S, T>(
    context: Arc<Context>,
    mut connection: tokio_postgres::Connection<S, T>,
    lost: CancellationToken,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut messages = poll_fn(|cx| connection.poll_message(cx));
    loop {
        let message = tokio::select! {
            biased;
            () = lost.cancelled() => break,
            message = messages.next() => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(_))) => context.wake(Lanes::ALL),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    lost.cancel();
}
