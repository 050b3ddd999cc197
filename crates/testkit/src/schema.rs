//! Whether a service's database is what its code says, and as closed as it has to be.

mod catalog;
mod check;
mod declared;
mod migrations;
mod privileges;

pub use check::schema_check;
pub use migrations::migrations_check;

use parlour_chassis::Service;

/// `service` with nothing but what every service has.
fn bare(service: &Service) -> Service {
    Service {
        migrations: Vec::new,
        ..*service
    }
}
