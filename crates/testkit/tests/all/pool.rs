//! Each runtime keeps the connections that it opened, and together they open no more than they may.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Db, Pooled};
use parlour_testkit::Database;

use crate::demo::goals::service;

const SIZE: usize = 2;

/// The server's process behind a connection.
async fn process(conn: &mut Pooled) -> i32 {
    let asked = diesel::select(sql::<Integer>("pg_backend_pid()"));
    asked.get_result(conn).await.unwrap()
}

/// The processes behind as many connections as there may be.
async fn processes(db: &Db) -> [i32; SIZE] {
    let (mut one, mut other) = (db.conn().await.unwrap(), db.conn().await.unwrap());
    let mut found = [process(&mut one).await, process(&mut other).await];
    found.sort_unstable();
    found
}

/// Runs `work` as a worker of a listener does, in a runtime of its own thread.
async fn elsewhere<R: Send + 'static>(work: impl AsyncFnOnce() -> R + Send + 'static) -> R {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(work())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn two_connections() -> (Database, Db) {
    let database = Database::of(&[service()]).await;
    let mut settings = database.settings();
    settings.pool_size = SIZE;
    let db = Db::new(&settings, "goals").unwrap();
    (database, db)
}

#[tokio::test]
async fn a_runtime_opens_its_own_though_another_has_one_to_spare() {
    let (_database, db) = two_connections().await;
    let ours = process(&mut db.conn().await.unwrap()).await;
    let shared = db.clone();
    let theirs = elsewhere(async move || {
        let first = process(&mut shared.conn().await.unwrap()).await;
        assert_eq!(process(&mut shared.conn().await.unwrap()).await, first);
        first
    })
    .await;
    assert_ne!(theirs, ours);
    assert_eq!(process(&mut db.conn().await.unwrap()).await, ours);
    assert_eq!(db.pool_status(), (0, SIZE));
}

#[tokio::test]
async fn a_runtime_that_may_open_none_borrows_those_of_another() {
    let (_database, db) = two_connections().await;
    let opened = processes(&db).await;
    let shared = db.clone();
    let borrowed = elsewhere(async move || processes(&shared).await).await;
    assert_eq!(borrowed, opened);
    assert_eq!(processes(&db).await, opened);
    assert_eq!(db.pool_status(), (0, SIZE));
}

#[tokio::test]
async fn who_borrows_often_comes_to_have_one() {
    let (_database, db) = two_connections().await;
    let opened = processes(&db).await;
    // A little longer than what the pool calls rested.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let shared = db.clone();
    let found = elsewhere(async move || {
        let mut found = Vec::new();
        for _ in 0..100 {
            found.push(process(&mut shared.conn().await.unwrap()).await);
        }
        found
    })
    .await;
    assert!(opened.contains(&found[0]), "{found:?}");
    let own = found[99];
    assert!(!opened.contains(&own), "{found:?}");
    assert_eq!(db.pool_status(), (0, SIZE));
    // What that runtime opened ended with it, and is replaced.
    assert!(!processes(&db).await.contains(&own));
    assert_eq!(db.pool_status(), (0, SIZE));
}
