//! The trace goes on from the publisher's span to the handler's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::collections::BTreeSet;

use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::{Db, Tx};
use parlour_events::{Consumer, ConsumerSettings, Failure, Gather, Incoming, Many};
use support::{CONSUMER, World, profile, publish, quick};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

fn trace_id() -> TraceId {
    let context = tracing::Span::current().context();
    let span = context.span();
    span.span_context().trace_id()
}

/// Traces, in the whole process, once.
fn traced() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    });
}

/// Publishes within a trace of its own, which it answers.
async fn publish_traced(db: &Db, aggregate: &str, word: &str) -> TraceId {
    let publishing = async {
        publish(db, aggregate, word).await;
        trace_id()
    };
    publishing
        .instrument(tracing::info_span!(parent: None, "request"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_from_the_publisher_to_the_handler() {
    traced();
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let (sender, mut traces) = tokio::sync::mpsc::unbounded_channel();
    let consumer = Consumer::new(CONSUMER).on(async move |_: &mut Tx, _: Incoming<ProfileUpdated>| {
        sender.send(trace_id()).map_err(Failure::retry)
    });
    let _task = consumer.spawn(
        world.db(CONSUMER),
        world.broker(),
        quick(),
        world.stop.child_token(),
    );
    world.bound().await;
    let expected = publish_traced(&db, "account:1", "traced").await;
    assert_ne!(expected, TraceId::INVALID);
    assert_eq!(traces.recv().await.unwrap(), expected);
}

/// What was read of an event, and in which span.
type Said = (String, Span);

/// Publishes about each event again, all in one statement, each in its own span.
async fn publish_again(tx: &mut Tx, said: Vec<Said>) -> Result<(), Failure> {
    let mut many = Many::default();
    for (word, span) in said {
        span.in_scope(|| many.add(tx, format!("account:{word}"), &profile(&word)))?;
    }
    Ok(many.write(tx).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_share_a_transaction_keep_their_traces() {
    traced();
    let world = World::new().await;
    world.consumer(|_| Ok(())).await.stop().await;
    let (db, _relay) = world.relay();
    let mut expected = Vec::new();
    for n in 0..40 {
        let word = n.to_string();
        let trace = publish_traced(&db, &format!("account:{word}"), &word).await;
        expected.push((format!("account:{word}"), trace.to_string()));
    }
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 40)
        .await;
    let again = Gather::new(async |tx: &mut Tx, said: Vec<Said>| publish_again(tx, said).await);
    let consumer = Consumer::new(CONSUMER).gather(&again, |event: Incoming<ProfileUpdated>| {
        Ok(Some((event.data.username, Span::current())))
    });
    let settings = ConsumerSettings {
        workers: 1,
        ..quick()
    };
    let _task = consumer.spawn(
        world.db(CONSUMER),
        world.broker(),
        settings,
        world.stop.child_token(),
    );
    world.eventually_count("orders.outbox", 40).await;
    let sql = "SELECT aggregate, split_part(traceparent, '-', 2), xmin::text FROM orders.outbox";
    let rows = world.sql.query(sql, &[]).await.unwrap();
    let transactions: BTreeSet<String> = rows.iter().map(|row| row.get(2)).collect();
    assert!(transactions.len() < 40, "some shared one");
    let mut found: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
