//! What a read costs: a bare `SELECT 1` on a pooled connection, and the same in a read-only
//! transaction that carries its caller, in three round trips (`read`) and in one (`fetch`), and in a
//! statement that carries it itself (`ask`).
//!
//! `cargo run --release -p parlour-db --example reads -- URL [seconds] [readers]`
//! prints for each: reads a second, and their number over that of the bare ones.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::QueryDsl as _;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, Db, DbError, Scope, Settings, Tx};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_default();
    let seconds = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(3);
    let readers = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(32);
    let settings = Settings {
        url: url.into(),
        urls: std::collections::BTreeMap::new(),
        migration_url: None,
        ca: None,
        pool_size: 16,
        acquire_timeout_ms: 10_000,
        statement_timeout_ms: 10_000,
        lock_timeout_ms: 10_000,
    };
    let db = Db::new(&settings, "public").unwrap();
    let time = Duration::from_secs(seconds);
    for round in 1..=3 {
        let bare = rate(&db, time, readers, bare).await;
        let read = rate(&db, time, readers, read).await;
        let fetch = rate(&db, time, readers, fetch).await;
        let ask = rate(&db, time, readers, ask).await;
        println!(
            "round {round}: bare {bare:.0}/s, read {read:.0}/s ({:.2}), fetch {fetch:.0}/s ({:.2}), ask {ask:.0}/s ({:.2})",
            read / bare,
            fetch / bare,
            ask / bare
        );
    }
}

async fn rate<F>(db: &Db, time: Duration, readers: usize, once: impl Fn(Db) -> F) -> f64
where
    F: Future<Output = Result<i32, DbError>> + Send + 'static,
{
    let done = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + time;
    let once = &once;
    let reading = (0..readers).map(|_| {
        let done = done.clone();
        async move {
            while Instant::now() < end {
                once(db.clone()).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    futures_util::future::join_all(reading).await;
    AtomicU64::load(&done, Ordering::Relaxed) as f64 / time.as_secs_f64()
}

fn one() -> diesel::dsl::select<diesel::dsl::AsExprOf<i32, Integer>> {
    diesel::select(diesel::IntoSql::into_sql::<Integer>(1))
}

async fn bare(db: Db) -> Result<i32, DbError> {
    let mut conn = db.conn().await?;
    Ok(one().get_result(&mut conn).await?)
}

async fn read(db: Db) -> Result<i32, DbError> {
    db.read(Scope::Service, async |tx: &mut Tx| -> Result<i32, DbError> {
        Ok(one().get_result(tx).await?)
    })
    .await
}

async fn fetch(db: Db) -> Result<i32, DbError> {
    db.fetch(Scope::Service, async |mut conn: &Conn| -> Result<i32, DbError> {
        Ok(one().get_result(&mut conn).await?)
    })
    .await
}

async fn ask(db: Db) -> Result<i32, DbError> {
    db.ask(async |mut conn: &Conn| {
        one()
            .filter(Caller::from(Scope::Service))
            .get_result(&mut conn)
            .await
    })
    .await
}
