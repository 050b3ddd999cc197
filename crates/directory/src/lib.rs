//! The local copy of people that a service keeps from identity's events: what may
//! be shown of them, so that a name beside a message costs no call to identity.
//!
//! A service adds [`MIGRATIONS`] to its own, has [`handle`] register the handlers
//! with its consumer, and reads with [`find`] and [`find_many`]. The copy is a
//! moment behind identity. Whoever needs to be sure, such as of roles when access
//! is decided, asks the token and not this.

mod keep;
mod person;
mod schema;

pub use keep::handle;
pub use person::{DELETED, Person, find, find_many};

use parlour_db::EmbeddedMigrations;

/// The table of people.
pub const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations");
