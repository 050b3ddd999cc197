//! The trace goes on from the publisher's span to the handler's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use support::{CONSUMER, World, publish, quick};
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

fn trace_id() -> TraceId {
    let context = tracing::Span::current().context();
    let span = context.span();
    span.span_context().trace_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_from_the_publisher_to_the_handler() {
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

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
    let expected = async {
        publish(&db, "account:1", "traced").await;
        trace_id()
    }
    .instrument(tracing::info_span!("request"))
    .await;
    assert_ne!(expected, TraceId::INVALID);
    assert_eq!(traces.recv().await.unwrap(), expected);
}
