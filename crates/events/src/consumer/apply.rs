//! One event, one transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use parlour_db::{DbError, Scope, Tx};
use tracing::{Instrument as _, Span};

use super::Context;
use super::gather::Gathered;
use super::inbox::{self, Entry};
use super::parked::{self, Setback, State};
use crate::metric::{self, Outcome};
use crate::{Envelope, Failure, trace};

/// How often work that lost a race is repeated before it counts as failed.
const RACES: u32 = 5;

/// Why a transaction did not come about.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database failed around the handler.
    Database(DbError),
    /// The handler failed.
    Handler(Failure),
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl Trouble {
    /// What is said of the event, or the outage that says nothing of it.
    pub(super) fn judge(self) -> Result<Failure, DbError> {
        let failure = match self {
            Self::Database(error) => Failure::from(error),
            Self::Handler(failure) => failure,
        };
        if failure.is_outage() {
            Err(DbError::Unavailable(failure.to_string()))
        } else {
            Ok(failure)
        }
    }
}

/// Handles a delivered event, or puts it aside when it fails. It only fails when
/// the database is away: then nothing has been written, or what was written is found again.
pub(super) async fn deliver(context: &Arc<Context>, event: &Arc<Envelope>) -> Result<Outcome, DbError> {
    let failure = match attempt(context, event, first_attempt).await {
        Ok(outcome) => return Ok(outcome),
        Err(trouble) => trouble.judge()?,
    };
    put_aside(context, event, &failure).await
}

/// What is done with an event in its transaction.
pub(super) type Work =
    for<'t> fn(&'t mut Tx, Arc<Context>, Arc<Envelope>) -> BoxFuture<'t, Result<Outcome, Trouble>>;

/// Runs `work` in a span that continues the event's trace, again when it lost a race.
pub(super) async fn attempt(
    context: &Arc<Context>,
    event: &Arc<Envelope>,
    work: Work,
) -> Result<Outcome, Trouble> {
    let mut races = 0;
    loop {
        let span = span(event);
        let (shared, copy) = (context.clone(), event.clone());
        let done = context
            .db
            .write(Scope::Service, async move |tx: &mut Tx| {
                work(tx, shared, copy).await
            })
            .instrument(span)
            .await;
        let contended = match &done {
            Err(Trouble::Database(error)) => matches!(error, DbError::Contended(_)),
            Err(Trouble::Handler(failure)) => failure.is_contention(),
            Ok(_) => false,
        };
        races += 1;
        if !contended || races > RACES {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(5 * u64::from(races))).await;
    }
}

/// The span of what is done about an event, in the event's trace.
pub(super) fn span(event: &Envelope) -> Span {
    let span = tracing::info_span!(
        "event", otel.kind = "consumer", event.r#type = event.event_type, event.id = %event.id,
    );
    trace::continue_from(&span, event.traceparent.as_deref());
    span
}

fn first_attempt(
    tx: &mut Tx,
    context: Arc<Context>,
    event: Arc<Envelope>,
) -> BoxFuture<'_, Result<Outcome, Trouble>> {
    Box::pin(async move {
        match inbox::enter(tx, &event, true).await? {
            Entry::New => {
                handle(tx, &context, &event).await?;
                Ok(Outcome::Applied)
            }
            Entry::Behind => {
                wait_behind(tx, &event).await?;
                Ok(Outcome::Waiting)
            }
            Entry::Duplicate => Ok(Outcome::Duplicate),
            Entry::Stale => Ok(stale(&event)),
        }
    })
}

/// What becomes of an event that is none any more.
pub(super) fn stale(event: &Envelope) -> Outcome {
    tracing::warn!(
        event.id = %event.id, aggregate = event.aggregate, version = event.version,
        "an event that is not a duplicate came after a later one of its aggregate: skipped",
    );
    Outcome::Stale
}

/// Does all that is to be done about an event.
pub(super) async fn handle(tx: &mut Tx, context: &Context, event: &Envelope) -> Result<(), Trouble> {
    let started = Instant::now();
    let mut gathered = Gathered::default();
    let mut done = call(tx, context, event, &mut gathered).await;
    if done.is_ok() {
        done = gathered.settle(tx).await.map_err(Trouble::Handler);
    }
    // How long it took counts when it failed as well.
    metric::handled(context.db.service(), &event.event_type, started.elapsed());
    done
}

/// Calls the handlers. A type that nobody here handles is worth a retry: while
/// versions are rolled, the next replica may know it.
pub(super) async fn call(
    tx: &mut Tx,
    context: &Context,
    event: &Envelope,
    gathered: &mut Gathered,
) -> Result<(), Trouble> {
    if !context.wants(event) {
        // It was put aside before it was known to be of no interest.
        return Ok(());
    }
    let mut entries = context.entries(&event.event_type).peekable();
    if entries.peek().is_none() {
        let text = format!("{} handles no {}", context.db.service(), event.event_type);
        return Err(Trouble::Handler(Failure::retry(text)));
    }
    for entry in entries {
        entry.call(tx, event, gathered).await.map_err(Trouble::Handler)?;
    }
    Ok(())
}

pub(super) async fn wait_behind(tx: &mut Tx, event: &Envelope) -> Result<(), DbError> {
    let setback = Setback {
        state: State::Waiting,
        attempts: 0,
        pause: Duration::ZERO,
        error: "",
    };
    parked::park(tx, event, &setback).await
}

/// Where a failure after `attempts` leads.
pub(super) fn verdict(context: &Context, failure: &Failure, attempts: i32) -> (State, Duration) {
    match failure {
        Failure::Poison(_) => (State::Parked, Duration::ZERO),
        Failure::Retry(_) => match context.settings.pause_after(attempts) {
            Some(pause) => (State::Retrying, pause),
            None => (State::Parked, Duration::ZERO),
        },
    }
}

/// Puts a failed event on the ladder or parks it, in a transaction of its own.
pub(super) async fn put_aside(
    context: &Arc<Context>,
    event: &Arc<Envelope>,
    failure: &Failure,
) -> Result<Outcome, DbError> {
    let (state, pause) = verdict(context, failure, 1);
    let error = failure.chain();
    tracing::warn!(
        event.id = %event.id, event.r#type = event.event_type, aggregate = event.aggregate,
        state = state.name(), error, "an event failed",
    );
    let event = event.clone();
    let outcome = context
        .db
        .write(Scope::Service, async move |tx: &mut Tx| {
            let setback = Setback {
                state,
                attempts: 1,
                pause,
                error: &error,
            };
            Ok::<_, DbError>(match inbox::enter(tx, &event, false).await? {
                Entry::New => {
                    parked::park(tx, &event, &setback).await?;
                    if state == State::Parked {
                        Outcome::Parked
                    } else {
                        Outcome::Retrying
                    }
                }
                Entry::Behind => {
                    wait_behind(tx, &event).await?;
                    Outcome::Waiting
                }
                Entry::Duplicate => Outcome::Duplicate,
                Entry::Stale => Outcome::Stale,
            })
        })
        .await?;
    context.due.notify_one();
    Ok(outcome)
}
