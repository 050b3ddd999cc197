//! `schema.rs` against the database.

use std::collections::BTreeSet;

use parlour_chassis::Service;

use super::{bare, catalog, declared};
use crate::Database;
use crate::report::Report;

/// Fails the test unless the tables that `schema_rs` (the text of the service's
/// `schema.rs`) declares are those that its migrations make: tables, primary keys,
/// columns, types, and what may be null.
///
/// ```no_run
/// # async fn example(service: parlour_chassis::Service) {
/// # macro_rules! include_str { ($_: literal) => { "" } }
/// parlour_testkit::schema_check(&service, include_str!("../src/schema.rs")).await;
/// # }
/// ```
pub async fn schema_check(service: &Service, schema_rs: &str) {
    let mut report = Report::default();
    match declared::tables(schema_rs) {
        Ok(tables) => {
            let database = Database::of(&[*service]).await;
            let columns = catalog::columns(&database.admin().await, service.name).await;
            // What comes from the crates below, those declare themselves.
            let shared = Database::of(&[bare(service)]).await;
            let shared = catalog::columns(&shared.admin().await, service.name).await;
            let shared: BTreeSet<&str> = shared.iter().map(|column| column.table.as_str()).collect();
            compare(&tables, &columns, &shared, &mut report);
        }
        Err(error) => report.add(error),
    }
    report.end(&format!("schema.rs of {}", service.name));
}

fn compare(
    tables: &[declared::Table],
    columns: &[catalog::Placed],
    shared: &BTreeSet<&str>,
    report: &mut Report,
) {
    for table in tables {
        let found: Vec<&catalog::Placed> = columns.iter().filter(|c| c.table == table.name).collect();
        if found.is_empty() {
            report.add(format!(
                "{} is declared, and the database has no such table",
                table.name
            ));
            continue;
        }
        let key: Vec<String> = found
            .iter()
            .filter(|c| c.in_key)
            .map(|c| c.column.name.clone())
            .collect();
        // A view has no key of its own, but diesel needs one.
        if found.iter().any(|c| c.is_table) && sorted(&key) != sorted(&table.key) {
            report.add(format!(
                "{}: the primary key is {key:?}, declared {:?}",
                table.name, table.key
            ));
        }
        let expected: Vec<String> = table.columns.iter().map(ToString::to_string).collect();
        let found: Vec<String> = found.iter().map(|c| c.column.to_string()).collect();
        report.compare(&format!("{} in schema.rs", table.name), &found, &expected);
    }
    let undeclared: BTreeSet<&str> = columns
        .iter()
        .filter(|c| c.is_table && !shared.contains(c.table.as_str()))
        .map(|c| c.table.as_str())
        .filter(|name| tables.iter().all(|table| table.name != *name))
        .collect();
    for name in undeclared {
        report.add(format!("{name} is in the database and not declared"));
    }
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    names
}
