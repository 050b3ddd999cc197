//! The service's queue: declared, bound to what is handled, consumed.

use std::sync::Arc;

use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer as Deliveries};
use parlour_db::{Db, DbError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::acks::Acks;
use super::waiting::{Begun, Turn, Waiting};
use super::worker::{self, Job};
use crate::BrokerError;
use crate::backoff::Backoff;
use crate::broker::Purpose;
use crate::metric::Outcome;
use crate::topology::{self, DURABLE_EXCHANGE};

diesel::table! {
    event_bindings (pattern) {
        pattern -> Text,
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ConsumeError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("the deliveries ended")]
    Ended,
}

/// Consumes until the stop, over any number of connections.
pub(super) async fn run(context: &Arc<Context>) {
    let mut backoff = Backoff::engine();
    let mut before = None;
    while !context.stop.is_cancelled() {
        // Without the database nothing can be settled, so nothing is taken.
        let ended = match context.db.ping().await {
            Ok(()) => begin(context, &mut before, &mut backoff).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = ended
            && !context.stop.is_cancelled()
        {
            tracing::warn!(service = context.db.service(), %error, "consuming starts over");
            backoff.wait(&context.stop).await;
        }
    }
}

/// A session. When its queue cannot be reached, it is known to stand if it was bound to all that
/// is handled `before` this process touched it, which is found out once.
async fn begin(
    context: &Arc<Context>,
    before: &mut Option<bool>,
    backoff: &mut Backoff,
) -> Result<(), ConsumeError> {
    let stood = match *before {
        Some(stood) => stood,
        None => *before.insert(was_bound(context).await?),
    };
    let ended = session(context, backoff).await;
    if stood && matches!(ended, Err(ConsumeError::Broker(_))) {
        context.stands.send_replace(true);
    }
    ended
}

async fn was_bound(context: &Context) -> Result<bool, DbError> {
    let bound = remembered(&context.db).await?;
    Ok(context.entries.iter().all(|entry| bound.contains(&entry.pattern)))
}

async fn session(context: &Arc<Context>, backoff: &mut Backoff) -> Result<(), ConsumeError> {
    let channel = open(context).await?;
    let over = CancellationToken::new();
    let acks = Arc::new(Acks::new(
        channel.clone(),
        context.settings.prefetch,
        over.clone(),
    ));
    let mut deliveries = consume(context, &channel).await?;
    let mut work = JoinSet::new();
    let ended = tokio::select! {
        ended = deliver(context, &mut deliveries, &mut work, &acks, &over, backoff) => ended,
        () = acks.run() => Err(ConsumeError::Ended),
    };
    // What is being handled is finished and acknowledged. Closing the channel then
    // returns the rest in order. Cancelling the consumer first (dropping it does)
    // would not do: the next active consumer would begin while this one is still at work.
    over.cancel();
    while work.join_next().await.is_some() {}
    acks.flush();
    if channel.status().connected() {
        let closing = channel.close(200, "stopping".into());
        drop(context.broker.in_time(closing).await);
    }
    drop(deliveries);
    ended
}

async fn consume(context: &Context, channel: &Channel) -> Result<Deliveries, ConsumeError> {
    let queue = topology::queue(context.db.service());
    let consuming = channel.basic_consume(
        queue.as_str().into(),
        "".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    Ok(context.broker.in_time(consuming).await?)
}

/// Takes deliveries and has them worked on until the stop (`Ok`) or the session's end.
async fn deliver(
    context: &Arc<Context>,
    deliveries: &mut Deliveries,
    work: &mut JoinSet<(Turn, Vec<Job>)>,
    acks: &Arc<Acks>,
    over: &CancellationToken,
    backoff: &mut Backoff,
) -> Result<(), ConsumeError> {
    let mut waiting = Waiting::new(context.settings.batch);
    loop {
        let patience = waiting.patience(Instant::now());
        let delivery = tokio::select! {
            biased;
            () = context.stop.cancelled() => return Ok(()),
            () = over.cancelled() => return Err(ConsumeError::Ended),
            Some(ended) = work.join_next() => {
                let (turn, alone) = ended.map_err(|_| ConsumeError::Ended)?;
                waiting.ended(turn, alone);
                None
            }
            delivery = deliveries.next() => Some(delivery.ok_or(ConsumeError::Ended)?),
            () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => None,
        };
        // All that is there already, so that it may begin together.
        let mut next = delivery;
        while let Some(delivery) = next {
            backoff.reset();
            take(context, delivery.map_err(BrokerError::from)?, acks, &mut waiting);
            next = deliveries.next().now_or_never().flatten();
        }
        while work.len() < context.settings.workers.max(1)
            && let Some(Begun { jobs, turn }) = waiting.next(Instant::now())
        {
            let (context, acks, over) = (context.clone(), acks.clone(), over.clone());
            work.spawn(async move {
                let alone = worker::work(&context, &acks, jobs, &over).await;
                (turn, alone)
            });
        }
    }
}

/// Puts a delivery behind what waits, or acknowledges it when nothing is done about it.
fn take(context: &Context, delivery: Delivery, acks: &Acks, waiting: &mut Waiting<Job>) {
    let job = worker::job(context, delivery);
    if job.is_of_no_interest(context) {
        worker::acknowledge(context, acks, &job, Outcome::Ignored);
    } else {
        waiting.add(job.aggregate().to_owned(), job.may_share(context), job);
    }
}

async fn open(context: &Context) -> Result<Channel, ConsumeError> {
    let (broker, service) = (&context.broker, context.db.service());
    let connection = broker.connection(Purpose::Consume).await?;
    topology::declare_consumer(broker, &connection, service, &context.settings).await?;
    let channel = broker.channel(Purpose::Consume).await?;
    bind(context, &channel).await?;
    context.stands.send_replace(true);
    let qos = channel.basic_qos(context.settings.prefetch, BasicQosOptions::default());
    broker.in_time(qos).await?;
    Ok(channel)
}

/// Binds the queue to what is handled and takes away what is not any more. The
/// broker does not list bindings, so the schema keeps the list, written before
/// the first binding and cleared after the last one is gone.
async fn bind(context: &Context, channel: &Channel) -> Result<(), ConsumeError> {
    let (broker, db) = (&context.broker, &context.db);
    let queue = topology::queue(db.service());
    let wanted: Vec<String> = context.entries.iter().map(|e| e.pattern.clone()).collect();
    remember(db, &wanted).await?;
    for pattern in &wanted {
        topology::bind(broker, channel, &queue, DURABLE_EXCHANGE, pattern).await?;
    }
    for pattern in remembered(db).await?.iter().filter(|p| !wanted.contains(p)) {
        topology::unbind(broker, channel, &queue, pattern).await?;
        forget(db, pattern).await?;
    }
    Ok(())
}

async fn remember(db: &Db, patterns: &[String]) -> Result<(), DbError> {
    let rows: Vec<_> = patterns.iter().map(|p| event_bindings::pattern.eq(p)).collect();
    let mut conn = db.conn().await?;
    diesel::insert_into(event_bindings::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

async fn remembered(db: &Db) -> Result<Vec<String>, DbError> {
    let mut conn = db.conn().await?;
    Ok(event_bindings::table
        .select(event_bindings::pattern)
        .load(&mut conn)
        .await?)
}

async fn forget(db: &Db, pattern: &str) -> Result<(), DbError> {
    let mut conn = db.conn().await?;
    diesel::delete(event_bindings::table.find(pattern))
        .execute(&mut conn)
        .await?;
    Ok(())
}
