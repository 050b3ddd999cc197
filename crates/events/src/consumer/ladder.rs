//! Tries failed events again when their time has come, in order within an aggregate.
//!
//! Every replica does this. Two that take up the same event wait for each other
//! at the aggregate's lock, and the second finds the row changed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use parlour_db::{DbError, Scope, Tx};
use uuid::Uuid;

use super::Context;
use super::apply::{self, Trouble};
use super::inbox;
use super::parked::{self, Setback, State};
use crate::backoff::Backoff;
use crate::metric::{self, Outcome};
use crate::{Envelope, Failure};

/// How often the table is looked at when nothing is due: another process may have replayed something.
const POLL: Duration = Duration::from_secs(1);
const BATCH: i64 = 64;
const CONCURRENT: usize = 4;

/// Works off what is due until the stop.
pub(super) async fn run(context: &Arc<Context>) {
    let mut backoff = Backoff::engine();
    while !context.stop.is_cancelled() {
        match rounds(context).await {
            Ok(pause) => {
                backoff.reset();
                tokio::select! {
                    () = context.stop.cancelled() => {}
                    () = context.due.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Err(error) => {
                tracing::warn!(service = context.db.service(), %error, "the retry ladder waits for the database");
                backoff.wait(&context.stop).await;
            }
        }
    }
}

/// Works until nothing is due; answers how long that lasts.
async fn rounds(context: &Arc<Context>) -> Result<Duration, DbError> {
    loop {
        let due = parked::due(&mut *context.db.conn().await?, BATCH).await?;
        if due.is_empty() || context.stop.is_cancelled() {
            let next = parked::next_due(&mut *context.db.conn().await?).await?;
            measure(context).await?;
            return Ok(next.map_or(POLL, |next| next.min(POLL)));
        }
        let tries = futures_util::stream::iter(due)
            .map(|id| retry(context, id))
            .buffer_unordered(CONCURRENT);
        let results: Vec<_> = tries.collect().await;
        results.into_iter().collect::<Result<Vec<()>, DbError>>()?;
    }
}

async fn measure(context: &Context) -> Result<(), DbError> {
    let counts = parked::counts(&mut *context.db.conn().await?).await?;
    for state in [State::Retrying, State::Parked, State::Waiting] {
        let count = counts
            .iter()
            .find(|(name, _)| name == state.name())
            .map_or(0, |(_, n)| *n);
        metric::parked(context.db.service(), state.name(), count);
    }
    Ok(())
}

async fn retry(context: &Arc<Context>, id: Uuid) -> Result<(), DbError> {
    let row = parked::peek(&mut *context.db.conn().await?, id).await?;
    let Some(row) = row else { return Ok(()) };
    let event = Arc::new(row.envelope());
    let outcome = match apply::attempt(context, &event, another_attempt).await {
        Ok(outcome) => outcome,
        Err(trouble) => {
            let failure = match trouble.judge() {
                Ok(failure) => failure,
                // If the database is there for others, the event may be what broke the connection.
                Err(outage) => {
                    context.db.ping().await?;
                    Failure::retry(outage)
                }
            };
            set_back(context, &event, failure).await?
        }
    };
    metric::consumed(context.db.service(), &event.event_type, outcome);
    Ok(())
}

fn another_attempt(
    tx: &mut Tx,
    context: Arc<Context>,
    event: Arc<Envelope>,
) -> BoxFuture<'_, Result<Outcome, Trouble>> {
    Box::pin(async move {
        inbox::lock(tx, &event.source, &event.aggregate).await?;
        if !parked::is_due(tx, event.id).await? {
            return Ok(Outcome::Duplicate);
        }
        apply::handle(tx, &context, &event).await?;
        inbox::record(tx, &event).await?;
        parked::remove(tx, &event).await?;
        Ok(Outcome::Applied)
    })
}

async fn set_back(
    context: &Arc<Context>,
    event: &Arc<Envelope>,
    failure: Failure,
) -> Result<Outcome, DbError> {
    let (event, shared) = (event.clone(), context.clone());
    context
        .db
        .write(Scope::Service, async move |tx: &mut Tx| {
            inbox::lock(tx, &event.source, &event.aggregate).await?;
            let Some(row) = parked::find(tx, event.id).await? else {
                return Ok::<_, DbError>(Outcome::Duplicate);
            };
            if row.state != State::Retrying.name() {
                return Ok(Outcome::Duplicate);
            }
            let attempts = row.attempts.saturating_add(1);
            let (state, pause) = apply::verdict(&shared, &failure, attempts);
            let error = failure.chain();
            tracing::warn!(
                event.id = %event.id, event.r#type = event.event_type, attempts,
                state = state.name(), error, "an event failed again",
            );
            let setback = Setback {
                state,
                attempts,
                pause,
                error: &error,
            };
            parked::set_back(tx, event.id, &setback).await?;
            Ok(if state == State::Parked {
                Outcome::Parked
            } else {
                Outcome::Retrying
            })
        })
        .await
}
