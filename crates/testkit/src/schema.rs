//! Whether a service's database is what its code says, and as closed as it has to be.

mod catalog;
mod check;
mod declared;
mod migrations;
mod privileges;

pub use check::schema_check;
pub use migrations::migrations_check;

use std::fmt;

use parlour_chassis::Service;

/// A column, as the database has it or as diesel is told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    /// PostgreSQL's name of the type; an array's element type.
    kind: String,
    is_array: bool,
    nullable: bool,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An enum that the database calls `thing_state` diesel calls `ThingState`.
        let kind = self.kind.replace('_', "").to_lowercase();
        let array = if self.is_array { "[]" } else { "" };
        let nullable = if self.nullable { ", may be null" } else { "" };
        write!(f, "{}: {kind}{array}{nullable}", self.name)
    }
}

/// `service` with nothing but what every service has.
fn bare(service: &Service) -> Service {
    Service {
        migrations: Vec::new,
        ..*service
    }
}
