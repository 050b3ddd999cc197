//! Reads in one round trip see what a transaction of the same caller sees, and leave nothing open.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool};
use diesel::{QueryDsl as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use futures_util::future::join;
use parlour_db::{Conn, Db, DbError, Scope};
use parlour_testkit::{Database, eventually_eq};
use uuid::Uuid;

use crate::demo::goals::{schema::goals, service};

async fn titles(mut conn: &Conn) -> QueryResult<Vec<String>> {
    goals::table.select(goals::title).load(&mut conn).await
}

async fn titles_of(db: &Db, scope: Scope) -> Vec<String> {
    let found: Result<_, DbError> = db.fetch(scope, async |conn: &Conn| Ok(titles(conn).await?)).await;
    found.unwrap()
}

pub(crate) async fn database_with_goals(people: [Uuid; 2]) -> Database {
    let database = Database::of(&[service()]).await;
    for (person, title) in people.iter().zip(["walk", "sleep"]) {
        let sql = format!(
            "INSERT INTO goals.goals VALUES ('{}', '{person}', '{title}')",
            Uuid::now_v7()
        );
        database.admin().await.batch_execute(&sql).await.unwrap();
    }
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_sees_their_own() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    // Through the same few connections, so that a caller left behind would show.
    for _ in 0..20 {
        assert_eq!(titles_of(&db, Scope::Person(people[0])).await, ["walk"]);
        assert!(titles_of(&db, Scope::Nobody).await.is_empty());
        assert_eq!(titles_of(&db, Scope::Person(people[1])).await, ["sleep"]);
        assert_eq!(titles_of(&db, Scope::Service).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_travel_together_and_cannot_write() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    let both: Result<_, DbError> = db
        .fetch(Scope::Person(people[0]), async |conn: &Conn| {
            let (one, other) = join(titles(conn), titles(conn)).await;
            Ok((one?, other?))
        })
        .await;
    assert_eq!(both.unwrap(), (vec!["walk".to_owned()], vec!["walk".to_owned()]));
    let write: Result<usize, DbError> = db
        .fetch(Scope::Service, async |mut conn: &Conn| {
            Ok(diesel::delete(goals::table).execute(&mut conn).await?)
        })
        .await;
    assert!(write.unwrap_err().to_string().contains("read-only"));
    assert_eq!(titles_of(&db, Scope::Service).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_a_panic_and_a_caller_who_left_keep_no_connection() {
    let database = database_with_goals([Uuid::now_v7(), Uuid::now_v7()]).await;
    let db = database.db("goals");
    for _ in 0..10 {
        let failed: Result<i64, DbError> = db
            .fetch(Scope::Service, async |mut conn: &Conn| {
                let query =
                    goals::table.select(sql::<BigInt>("1 / (char_length(title) - char_length(title))"));
                Ok(query.first(&mut conn).await?)
            })
            .await;
        assert!(matches!(failed, Err(DbError::Query(_))), "{failed:?}");
        let panicked: Result<(), DbError> = db
            .fetch(Scope::Service, async |conn: &Conn| {
                titles(conn).await?;
                panic!("a mistake of the caller's")
            })
            .await;
        assert!(matches!(panicked, Err(DbError::Panicked)), "{panicked:?}");
        let slow = db.fetch(Scope::Service, async |mut conn: &Conn| {
            let query = goals::table.select(sql::<Bool>("pg_sleep(0.05) IS NULL"));
            Ok::<Vec<bool>, DbError>(query.load(&mut conn).await?)
        });
        drop(tokio::time::timeout(std::time::Duration::from_millis(1), slow).await);
    }
    assert_eq!(titles_of(&db, Scope::Service).await.len(), 2);
    eventually_eq(0, async || db.pool_status().0).await;
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    let open = database.admin().await.query_one(sql, &[]).await.unwrap();
    assert_eq!(open.get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_are_replaced() {
    let database = database_with_goals([Uuid::now_v7(), Uuid::now_v7()]).await;
    let db = database.db("goals");
    for _ in 0..3 {
        assert_eq!(titles_of(&db, Scope::Service).await.len(), 2);
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.admin().await.query(sql, &[]).await.unwrap();
    }
}
