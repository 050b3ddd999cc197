//! A database and a vhost of its own for each test, and ways to hurt them.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test uses some of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    reason = "tests"
)]

mod postgres;
mod rabbit;
mod world;

use std::time::{Duration, Instant};

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::{Db, DbError, Scope, Tx};
use parlour_events::{ConsumerSettings, Failure, Incoming};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use rabbit::Rabbit;
pub use world::World;

pub const PUBLISHER: &str = "identity";
pub const CONSUMER: &str = "orders";

/// An answer within half a minute, or the test fails: never a sleep that hopes.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(45);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 45 s: {what}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

pub struct Running {
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Running {
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task)
            .await
            .expect("it stops")
            .unwrap();
    }
}

/// A ladder that a test can wait for.
pub fn quick() -> ConsumerSettings {
    ConsumerSettings {
        retry_ms: vec![20, 40, 60, 80],
        ..ConsumerSettings::default()
    }
}

pub fn profile(word: &str) -> ProfileUpdated {
    ProfileUpdated {
        username: word.to_owned(),
        ..Default::default()
    }
}

pub async fn publish(db: &Db, aggregate: &str, word: &str) -> uuid::Uuid {
    try_publish(db, aggregate, word).await.unwrap()
}

pub async fn try_publish(db: &Db, aggregate: &str, word: &str) -> Result<uuid::Uuid, DbError> {
    let (aggregate, event) = (aggregate.to_owned(), profile(word));
    db.write(Scope::Service, async move |tx: &mut Tx| {
        parlour_events::publish(tx, aggregate, &event).await
    })
    .await
}

pub async fn record(tx: &mut Tx, event: &Incoming<ProfileUpdated>) -> Result<(), Failure> {
    use diesel::sql_types::{BigInt, Text, Uuid};
    let query =
        diesel::sql_query("INSERT INTO applied (event_id, aggregate, version, word) VALUES ($1, $2, $3, $4)")
            .bind::<Uuid, _>(event.id)
            .bind::<Text, _>(event.aggregate.clone())
            .bind::<BigInt, _>(event.version)
            .bind::<Text, _>(event.data.username.clone());
    diesel_async::RunQueryDsl::execute(query, &mut **tx).await?;
    Ok(())
}

/// `RUST_LOG=parlour_events=debug` shows what happens.
pub fn log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer()
            .try_init(),
    );
}
