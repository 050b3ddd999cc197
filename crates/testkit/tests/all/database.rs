use parlour_testkit::Database;

use crate::demo::{counter, goals};

#[tokio::test]
async fn each_test_has_its_own() {
    let services = [goals::service(), counter::service()];
    let first = Database::of(&services).await;
    let sql = "INSERT INTO counter.counts VALUES ('00000000-0000-0000-0000-000000000001', 1)";
    first.admin().await.batch_execute(sql).await.unwrap();
    let other = Database::of(&services).await;
    let count = other
        .admin()
        .await
        .query_one("SELECT count(*) FROM counter.counts", &[])
        .await
        .unwrap();
    assert_eq!(count.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_database_is_gone_after_its_test_also_when_it_panics() {
    let watcher = Database::empty().await;
    let server = watcher.admin().await;
    let (name, panicked) = {
        let database = Database::of(&[goals::service()]).await;
        let name = database.name().to_owned();
        let test = tokio::spawn(async move {
            let _kept_open = database.db("goals").conn().await.unwrap();
            assert_eq!(database.name(), "another");
        });
        (name, test.await.is_err())
    };
    assert!(panicked);
    let there = server
        .query("SELECT FROM pg_database WHERE datname = $1", &[&name])
        .await
        .unwrap();
    assert!(there.is_empty(), "{name} is still there");
}

#[tokio::test]
async fn templates_are_made_once_and_again_when_migrations_change() {
    let one = || goals::service();
    let other = || parlour_chassis::Service {
        migrations: Vec::new,
        ..goals::service()
    };
    let tables = async |database: Database| {
        let sql = "SELECT count(*) FROM pg_tables WHERE tablename = 'goals'";
        let row = database.admin().await.query_one(sql, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    // Both are of the same set of services; they must not be taken for each other.
    for _ in 0..2 {
        assert_eq!(tables(Database::of(&[one()]).await).await, 1);
        assert_eq!(tables(Database::of(&[other()]).await).await, 0);
    }
}
