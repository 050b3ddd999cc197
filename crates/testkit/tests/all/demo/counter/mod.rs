//! A service without routes that counts the goals of others.

use std::future::ready;
use std::sync::Arc;

use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, QueryableByName};
use diesel_async::RunQueryDsl as _;
use parlour_chassis::{Built, Service};
use parlour_contracts::wellbeing::v1::GoalSet;
use parlour_db::{EmbeddedMigrations, Scope, Tx};
use parlour_events::{Consumer, Failure, Incoming};
use parlour_http::Routes;
use parlour_testkit::Database;
use uuid::Uuid;

pub(crate) const MIGRATIONS: EmbeddedMigrations =
    diesel_migrations::embed_migrations!("tests/all/demo/counter/migrations");

pub(crate) fn service() -> Service {
    Service {
        name: "counter",
        health: None,
        defaults: "",
        migrations: || vec![MIGRATIONS],
        has_database: true,
        check: |_| Ok(()),
        routes: || Routes::of("counter"),
        build: |_| Box::pin(ready(Ok(build()))),
    }
}

fn build() -> Built {
    let mut built = Built::new(Arc::new(()));
    built.consumer = Some(Consumer::new("counter").on(count));
    built
}

async fn count(tx: &mut Tx, event: Incoming<GoalSet>) -> Result<(), Failure> {
    let account: Uuid = event.data.account_id.parse().map_err(Failure::poison)?;
    diesel::sql_query(
        "INSERT INTO counts AS c (account_id, goals) VALUES ($1, 1)
         ON CONFLICT (account_id) DO UPDATE SET goals = c.goals + 1",
    )
    .bind::<SqlUuid, _>(account)
    .execute(tx)
    .await?;
    Ok(())
}

/// How many goals of `account` were counted.
pub(crate) async fn counted(database: &Database, account: Uuid) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        goals: i64,
    }
    let work = async move |tx: &mut Tx| {
        let query = diesel::sql_query("SELECT goals FROM counts WHERE account_id = $1");
        let row: Option<Row> = query
            .bind::<SqlUuid, _>(account)
            .get_result(tx)
            .await
            .optional()?;
        Ok::<_, parlour_db::DbError>(row.map_or(0, |row| row.goals))
    };
    database
        .db("counter")
        .read(Scope::Service, work)
        .await
        .expect("counts can be read")
}
