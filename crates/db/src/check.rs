//! Whether the migrations that this binary was built with have run.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::migrate::failed;
use crate::{Db, DbError, Migrations};

/// The names of migrations that have not run yet, as the runtime role sees it.
pub async fn pending(db: &Db, migrations: &Migrations) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let mut conn = db.conn().await?;
    let exists: bool = diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(
        "to_regclass('__diesel_schema_migrations') IS NOT NULL",
    ))
    .get_result(&mut conn)
    .await?;
    let ran: Vec<Row> = if exists {
        sql_query("SELECT version FROM __diesel_schema_migrations")
            .load(&mut conn)
            .await?
    } else {
        Vec::new()
    };
    let mut missing = Vec::new();
    for source in migrations {
        for migration in MigrationSource::<Pg>::migrations(source).map_err(failed)? {
            let version = migration.name().version().to_string();
            if !ran.iter().any(|row| row.version == version) {
                missing.push(migration.name().to_string());
            }
        }
    }
    missing.sort();
    Ok(missing)
}
