//! A write of one statement is a transaction of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::sql_query;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Db, DbError, Tx};
use parlour_testkit::{Database, eventually_eq};
use uuid::Uuid;

use crate::demo::goals::service;

/// Inserts a goal as a function of the schema would, saying itself on whose behalf.
async fn insert(tx: &mut Tx, title: &str) -> Result<usize, DbError> {
    let sql = format!(
        "INSERT INTO goals (id, account_id, title) SELECT '{0}', '{0}', '{title}' \
         WHERE (SELECT set_config('parlour.service', 'on', true)) IS NOT NULL",
        Uuid::now_v7()
    );
    Ok(sql_query(sql).execute(tx).await?)
}

async fn goals(database: &Database) -> i64 {
    let row = database
        .admin()
        .await
        .query_one("SELECT count(*) FROM goals.goals", &[])
        .await;
    row.unwrap().get(0)
}

/// Counts what was done on a commit.
fn counted(done: &Arc<AtomicUsize>, tx: &mut Tx) {
    let done = done.clone();
    tx.on_commit(move || {
        done.fetch_add(1, Ordering::Relaxed);
    });
}

async fn database() -> (Database, Db) {
    let database = Database::of(&[service()]).await;
    let db = database.db("goals");
    (database, db)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stands_with_what_was_left_for_its_commit() {
    let (database, db) = database().await;
    let done = Arc::new(AtomicUsize::new(0));
    let shared = done.clone();
    let written = db.write_one(async move |tx: &mut Tx| {
        let rows = insert(tx, "walk").await?;
        counted(&shared, tx);
        Ok::<_, DbError>(rows)
    });
    assert_eq!(written.await.unwrap(), 1);
    // What succeeded stands, whatever is answered.
    let shared = done.clone();
    let refused = db.write_one(async move |tx: &mut Tx| {
        insert(tx, "sleep").await?;
        counted(&shared, tx);
        Err::<(), _>(DbError::NotFound)
    });
    assert!(matches!(refused.await, Err(DbError::NotFound)));
    assert_eq!(
        (
            goals(&database).await,
            AtomicUsize::load(&done, Ordering::Relaxed)
        ),
        (2, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_leaves_nothing_and_a_caller_who_left_does_not_stop_it() {
    let (database, db) = database().await;
    let failed = db.write_one(async |tx: &mut Tx| {
        let sql = "INSERT INTO goals (id) SELECT NULL";
        Ok::<_, DbError>(sql_query(sql).execute(tx).await?)
    });
    assert!(matches!(failed.await, Err(DbError::Query(_))));
    let slow = db.write_one(async |tx: &mut Tx| {
        sql_query("SELECT pg_sleep(0.05)").execute(tx).await?;
        insert(tx, "walk").await
    });
    drop(tokio::time::timeout(std::time::Duration::from_millis(1), slow).await);
    eventually_eq(1, async || goals(&database).await).await;
    eventually_eq(0, async || db.pool_status().0).await;
}
