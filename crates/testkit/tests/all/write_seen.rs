//! A write that stands on what was read before, and what it does when that is no longer so.

use diesel::{QueryDsl as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use futures_util::future::{join_all, try_join_all};
use parlour_db::{Caller, Conn, Db, DbError, Scope, Statement, Tx, caller};
use uuid::Uuid;

use crate::ask::PLANS;
use crate::demo::goals::schema::goals;
use crate::fetch::database_with_goals;

type Goal = (Uuid, String);

async fn goal(mut conn: &Conn, scope: Scope) -> QueryResult<Goal> {
    let mine = goals::table.filter(Caller::from(scope));
    mine.select((goals::id, goals::title)).first(&mut conn).await
}

/// Gives a goal another title, on behalf of `scope`, unless it has another one already.
async fn rename(tx: &mut Tx, scope: Scope, goal: &Goal, title: &str) -> Result<bool, DbError> {
    let caller = Caller::from(scope);
    let sql = concat!(
        "UPDATE goals SET title = ? WHERE ",
        caller!(),
        " AND id = ? AND title = ?"
    );
    let statement = Statement::new(sql)
        .with(title)
        .for_caller(&caller)
        .with(goal.0)
        .with(goal.1.as_str());
    Ok(statement.execute(tx).await? == 1)
}

/// Adds a letter to the title of what `sees` sees first, on behalf of `writes`. Answers the new one.
async fn lengthen(db: &Db, sees: Scope, writes: Scope) -> Result<String, DbError> {
    let look = async move |conn: &Conn| goal(conn, sees).await;
    let write = async move |(tx, goal): (&mut Tx, Goal)| -> Result<Option<String>, DbError> {
        let title = format!("{}!", goal.1);
        let renamed = rename(tx, writes, &goal, &title).await?;
        Ok(renamed.then_some(title))
    };
    db.write_seen(look, write).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_each_stands_on_the_one_before() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    let me = Scope::Person(people[0]);
    let mut titles = try_join_all((0..20).map(|_| lengthen(&db, me, me)))
        .await
        .unwrap();
    titles.sort_unstable();
    let expected: Vec<String> = (1..=20)
        .map(|times| format!("walk{}", "!".repeat(times)))
        .collect();
    assert_eq!(titles, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_what_they_do_not_see_however_it_is_planned() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let admin = database.admin().await;
    let (me, other) = (Scope::Person(people[0]), Scope::Person(people[1]));
    for (times, plan) in PLANS.iter().enumerate() {
        let name = database.name();
        let sql =
            format!("ANALYZE goals.goals; ALTER DATABASE {name} RESET ALL; ALTER DATABASE {name} SET {plan}");
        admin.batch_execute(&sql).await.unwrap();
        // Through the same few connections, so that a caller left behind would show.
        let db = database.db("goals");
        for of in 1..=8 {
            let title = format!("walk{}", "!".repeat(times * 8 + of));
            assert_eq!(lengthen(&db, me, me).await.unwrap(), title, "{plan}");
            for writes in [other, Scope::Nobody] {
                let goal = db
                    .ask(async move |conn: &Conn| goal(conn, me).await)
                    .await
                    .unwrap();
                let renamed = db.write_one(async move |tx: &mut Tx| rename(tx, writes, &goal, "mine").await);
                assert!(!renamed.await.unwrap(), "{plan}");
            }
            let unseen = lengthen(&db, Scope::Nobody, me).await;
            assert!(matches!(unseen, Err(DbError::NotFound)), "{plan}: {unseen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_written_is_given_up() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let given_up = lengthen(&database.db("goals"), Scope::Person(people[0]), Scope::Nobody).await;
    assert!(matches!(given_up, Err(DbError::Contended(_))), "{given_up:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_are_replaced() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    let me = Scope::Person(people[0]);
    join_all((0..4).map(|_| lengthen(&db, me, me))).await;
    let admin = database.admin().await;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.batch_execute(sql).await.unwrap();
    assert_eq!(lengthen(&db, me, me).await.unwrap(), "walk!!!!!");
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_transaction_it_ends_with_that() {
    let people = [Uuid::now_v7(), Uuid::now_v7()];
    let database = database_with_goals(people).await;
    let db = database.db("goals");
    let me = Scope::Person(people[0]);
    let look = async move |conn: &Conn| goal(conn, me).await;
    let write = async move |(tx, goal): (&mut Tx, Goal)| -> Result<Option<()>, DbError> {
        Ok(rename(tx, me, &goal, "run").await?.then_some(()))
    };
    let undone = db.write(me, async move |tx: &mut Tx| {
        tx.write_seen(look, write).await?;
        assert_eq!(goal(tx, me).await?.1, "run");
        Err::<(), _>(DbError::NotFound)
    });
    assert!(matches!(undone.await, Err(DbError::NotFound)));
    let title = db
        .ask(async move |conn: &Conn| goal(conn, me).await)
        .await
        .unwrap()
        .1;
    assert_eq!(title, "walk");
}
