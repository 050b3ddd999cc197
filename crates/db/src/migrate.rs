//! Migrations: the service's roles and schema, then its tables.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use secrecy::ExposeSecret;

use crate::{Conn, DbError, Settings};

/// The migrations of one service, those of the crates it builds on first.
pub type Migrations = Vec<EmbeddedMigrations>;

type Harness = AsyncConnectionWrapper<Conn>;

/// Creates the schema and the two roles of `service` where they are missing and
/// runs what is pending. Answers the names of what it ran. Two that run at once wait for each other.
pub async fn migrate(
    settings: &Settings,
    service: &'static str,
    migrations: Migrations,
) -> Result<Vec<String>, DbError> {
    with_harness(settings, service, move |harness| {
        let mut ran = Vec::new();
        for source in migrations {
            let done = harness
                .run_pending_migrations(source)
                .map_err(|e| DbError::Unavailable(format!("migration failed: {e}")))?;
            ran.extend(done.iter().map(ToString::to_string));
        }
        Ok(ran)
    })
    .await
}

/// Runs the next pending migration alone. Answers its name, or `None` when all have
/// run. With [`revert`], for the test that proves each `down.sql`.
pub async fn migrate_next(
    settings: &Settings,
    service: &'static str,
    migrations: Migrations,
) -> Result<Option<String>, DbError> {
    with_harness(settings, service, move |harness| {
        for source in migrations {
            let pending = harness.pending_migrations(source).map_err(failed)?;
            if let Some(next) = pending.first() {
                harness.run_migration(next).map_err(failed)?;
                return Ok(Some(next.name().to_string()));
            }
        }
        Ok(None)
    })
    .await
}

/// Takes the migration `name` back.
pub async fn revert(
    settings: &Settings,
    service: &'static str,
    migrations: Migrations,
    name: String,
) -> Result<(), DbError> {
    with_harness(settings, service, move |harness| {
        for source in migrations {
            let list = MigrationSource::<Pg>::migrations(&source).map_err(failed)?;
            if let Some(migration) = list.iter().find(|m| m.name().to_string() == name) {
                return harness.revert_migration(migration).map(drop).map_err(failed);
            }
        }
        Err(DbError::NotFound)
    })
    .await
}

/// Takes every migration back, the last first. For the test that proves each `down.sql`.
pub async fn revert_all(
    settings: &Settings,
    service: &'static str,
    migrations: Migrations,
) -> Result<(), DbError> {
    with_harness(settings, service, move |harness| {
        for source in migrations.into_iter().rev() {
            let mut list = MigrationSource::<Pg>::migrations(&source).map_err(failed)?;
            list.sort_by_key(|m| m.name().version().to_string());
            for migration in list.iter().rev() {
                harness.revert_migration(migration).map_err(failed)?;
            }
        }
        Ok(())
    })
    .await
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
pub(crate) fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> DbError {
    DbError::Unavailable(format!("migration failed: {error}"))
}

async fn with_harness<R: Send + 'static>(
    settings: &Settings,
    service: &'static str,
    work: impl FnOnce(&mut Harness) -> Result<R, DbError> + Send + 'static,
) -> Result<R, DbError> {
    let Some(url) = &settings.migration_url else {
        return Err(DbError::Unavailable(
            "database.migration_url is not set: it names the role that creates schemas".to_owned(),
        ));
    };
    let mut admin: tokio_postgres::Config = parse(url.expose_secret())?;
    let tls = crate::tls::connector(&mut admin, settings.ca.as_deref())?;
    let bootstrap = bootstrap_sql(settings, service)?;
    let (client, connection) = admin
        .connect(tls)
        .await
        .map_err(|e| DbError::Unavailable(e.to_string()))?;
    let conn = Conn::try_from_client_and_connection(client, connection)
        .await
        .map_err(|e| DbError::Unavailable(e.to_string()))?;
    tokio::task::spawn_blocking(move || {
        let mut harness = Harness::from(conn);
        harness.batch_execute(&bootstrap).map_err(DbError::from)?;
        work(&mut harness)
    })
    .await
    .map_err(|_| DbError::Panicked)?
}

fn parse(url: &str) -> Result<tokio_postgres::Config, DbError> {
    url.parse()
        .map_err(|e: tokio_postgres::Error| DbError::Unavailable(e.to_string()))
}

/// Two roles and a schema. The owner cannot log in and is only taken on by the
/// migrating role; the runtime role owns nothing, so it cannot switch row-level security off.
fn bootstrap_sql(settings: &Settings, service: &str) -> Result<String, DbError> {
    let runtime = parse(settings.url_of(service).expose_secret())?;
    let user = runtime.get_user().unwrap_or_default().to_owned();
    let password = runtime
        .get_password()
        .map(|p| String::from_utf8_lossy(p).replace('\'', "''"))
        .unwrap_or_default();
    if !is_name(service) || !is_name(&user) {
        return Err(DbError::Unavailable(format!(
            "service {service:?} and role {user:?} must be lower-case names of letters, digits and _"
        )));
    }
    let owner = format!("parlour_{service}_owner");
    Ok(format!(
        "SELECT pg_advisory_lock(hashtext('parlour.migrate'));
         DO $$ BEGIN
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') THEN
             CREATE ROLE {owner} NOLOGIN;
           END IF;
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') THEN
             CREATE ROLE {user} LOGIN NOBYPASSRLS PASSWORD '{password}';
           END IF;
           -- Errors are told apart by their untranslated messages. Only a superuser may
           -- settle that; where none migrates, the server has to speak English.
           BEGIN
             ALTER ROLE {user} SET lc_messages = 'C';
           EXCEPTION WHEN insufficient_privilege THEN NULL;
           END;
         END $$;
         GRANT {owner} TO current_user;
         CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner};
         GRANT USAGE ON SCHEMA {service} TO {user};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service}
           GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {user};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service}
           GRANT USAGE, SELECT ON SEQUENCES TO {user};
         SET ROLE {owner};
         SET search_path TO {service};
         SET lock_timeout = '5s';"
    ))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
