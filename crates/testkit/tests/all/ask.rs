//! A statement that brings its caller sees what a transaction of that caller sees, however PostgreSQL plans it.

use diesel::dsl::{count_star, exists, select, sql};
use diesel::sql_types::{Integer, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use futures_util::future::{join_all, try_join};
use parlour_db::{Caller, Conn, Constant, Db, DbError, Scope, Statement, caller};
use uuid::Uuid;

use crate::demo::goals::schema::goals;
use crate::fetch::database_with_goals;

/// Settings that make PostgreSQL plan in other ways than it would for a few rows.
pub(crate) const PLANS: [&str; 4] = [
    "plan_cache_mode = force_custom_plan",
    "plan_cache_mode = force_generic_plan",
    "enable_indexscan = off",
    "enable_seqscan = off",
];

async fn titles(db: &Db, scope: Scope) -> Vec<String> {
    let read = async move |mut conn: &Conn| {
        let mine = goals::table.filter(Caller::from(scope));
        let titles = mine.order(goals::title).select(goals::title);
        Constant(titles).load(&mut conn).await
    };
    db.ask(read).await.unwrap()
}

/// The same twice and together, by a statement written by hand.
async fn twice(db: &Db, scope: Scope) -> Vec<String> {
    let read = async move |conn: &Conn| {
        let caller = Caller::from(scope);
        let sql = concat!("SELECT title FROM goals WHERE ", caller!(), " ORDER BY title");
        let once = async |mut conn: &Conn| -> QueryResult<Vec<(String,)>> {
            Statement::<(Text,)>::of(sql)
                .for_caller(&caller)
                .load(&mut conn)
                .await
        };
        try_join(once(conn), once(conn)).await
    };
    let (first, second) = db.ask_alone(read).await.unwrap();
    assert_eq!(first, second);
    first.into_iter().map(|(title,)| title).collect()
}

/// How many goals there are, and whether there is one, whose tables are read below the condition.
async fn counted(db: &Db, scope: Scope) -> (i64, bool) {
    let read = async move |mut conn: &Conn| -> QueryResult<(i64, bool)> {
        let number = goals::table
            .filter(Caller::from(scope))
            .select(count_star())
            .first(&mut conn)
            .await?;
        let any = select(exists(goals::table.filter(goals::title.ne(""))))
            .filter(Caller::from(scope))
            .get_result(&mut conn)
            .await?;
        Ok((number, any))
    };
    db.ask(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_sees_their_own_however_it_is_planned() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let admin = database.admin().await;
    for plan in PLANS {
        let name = database.name();
        let sql =
            format!("ANALYZE goals.goals; ALTER DATABASE {name} RESET ALL; ALTER DATABASE {name} SET {plan}");
        admin.batch_execute(&sql).await.unwrap();
        // Through the same few connections, so that a caller left behind would show.
        let db = database.db("goals");
        for _ in 0..8 {
            assert_eq!(titles(&db, Scope::Person(people[0])).await, ["walk"], "{plan}");
            assert!(titles(&db, Scope::Nobody).await.is_empty(), "{plan}");
            assert_eq!(titles(&db, Scope::Person(people[1])).await, ["sleep"], "{plan}");
            assert_eq!(titles(&db, Scope::Service).await, ["sleep", "walk"], "{plan}");
            assert_eq!(twice(&db, Scope::Person(people[0])).await, ["walk"], "{plan}");
            assert!(twice(&db, Scope::Nobody).await.is_empty(), "{plan}");
            assert_eq!(twice(&db, Scope::Service).await, ["sleep", "walk"], "{plan}");
            assert_eq!(counted(&db, Scope::Person(people[1])).await, (1, true), "{plan}");
            assert_eq!(counted(&db, Scope::Nobody).await, (0, false), "{plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_its_caller_sees_nothing() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    for _ in 0..8 {
        assert_eq!(titles(&db, Scope::Service).await.len(), 2);
        let found: Vec<String> = db
            .ask(async |mut conn: &Conn| goals::table.select(goals::title).load(&mut conn).await)
            .await
            .unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A statement that PostgreSQL refuses while it runs.
async fn broken(db: &Db) -> Result<i32, DbError> {
    db.ask(async |mut conn: &Conn| {
        select(sql::<Integer>("1 / (SELECT 0)"))
            .filter(Caller::from(Scope::Service))
            .get_result(&mut conn)
            .await
    })
    .await
}

#[tokio::test]
async fn reads_at_the_same_time_share_a_connection_and_nothing_else() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    for together in [2, 8, 64] {
        titles(&db, Scope::Nobody).await;
        let reads = (0..together).map(async |number| match number % 4 {
            0 => assert_eq!(titles(&db, Scope::Person(people[0])).await, ["walk"]),
            1 => assert_eq!(titles(&db, Scope::Person(people[1])).await, ["sleep"]),
            2 => assert!(titles(&db, Scope::Nobody).await.is_empty()),
            _ => assert!(matches!(broken(&db).await, Err(DbError::Query(_)))),
        });
        join_all(reads).await;
        let (in_use, open) = db.pool_status();
        assert_eq!(in_use, 0);
        if together <= 8 {
            assert_eq!(open, 1, "{together} reads");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_are_replaced_and_mistakes_are_not_repeated() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    for _ in 0..3 {
        let together = join_all((0..8).map(|_| titles(&db, Scope::Service))).await;
        assert!(together.iter().all(|found| found.len() == 2), "{together:?}");
        let alone = join_all((0..8).map(|_| twice(&db, Scope::Service))).await;
        assert!(alone.iter().all(|found| found.len() == 2), "{alone:?}");
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.admin().await.query(sql, &[]).await.unwrap();
    }
    let missing: Result<String, DbError> = db
        .ask(async |mut conn: &Conn| {
            goals::table
                .filter(Caller::from(Scope::Nobody))
                .select(goals::title)
                .first(&mut conn)
                .await
        })
        .await;
    assert!(matches!(missing, Err(DbError::NotFound)), "{missing:?}");
}
