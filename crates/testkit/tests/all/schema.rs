use parlour_testkit::{migrations_check, schema_check};

use crate::demo::{careless, counter, goals};
use crate::failure_of;

#[tokio::test]
async fn a_careful_service_passes() {
    schema_check(&goals::service(), goals::SCHEMA).await;
    migrations_check(&goals::service()).await;
    migrations_check(&counter::service()).await;
}

#[tokio::test]
async fn a_schema_that_is_not_the_databases_is_shown() {
    let shown = failure_of(async { schema_check(&careless::service(), careless::SCHEMA).await }).await;
    let expected = [
        "schema.rs of careless: 8 problems",
        "secrets: the primary key is [\"id\"], declared [\"account_id\"]",
        "secrets in schema.rs: missing  id: uuid",
        "secrets in schema.rs: missing  text: text, may be null",
        "secrets in schema.rs: too much id: int8",
        "secrets in schema.rs: too much text: text",
        "secrets in schema.rs: too much more: text, may be null",
        "imagined is declared, and the database has no such table",
        "forgotten is in the database and not declared",
    ];
    for line in expected {
        assert!(shown.contains(line), "{line} is missing in\n{shown}");
    }
}

#[tokio::test]
async fn a_careless_migration_is_shown() {
    let shown = failure_of(async { migrations_check(&careless::service()).await }).await;
    let expected = [
        "2026-02-01-000300_careless, taken back: too much table forgotten",
        "2026-02-01-000300_careless does not run again",
        "table secrets has a policy and no row-level security that is enabled and forced",
        "role parlour_careless has the privilege TRUNCATE on table secrets",
        "function everything runs as its owner with a search path that its caller chooses",
        "role parlour_neighbour may use schema careless",
    ];
    for line in expected {
        assert!(shown.contains(line), "{line} is missing in\n{shown}");
    }
}
