//! PostgreSQL for one service: a pool on its own schema, transactions that know
//! on whose behalf they run, migrations, and the check that they have run.
//!
//! Every query of a request runs inside [`Db::read`] or [`Db::write`], which set
//! the caller for row-level security in the round trip that begins the
//! transaction; what is read often by single statements, in [`Db::ask`] and [`Db::ask_alone`].
//! [`Db::conn`] is for tables without personal rows.

mod ask;
mod check;
mod connect;
mod constant;
mod error;
mod fetch;
mod line;
mod migrate;
mod pool;
mod published;
mod scope;
mod seen;
mod statement;
mod tls;
mod transaction;

pub use ask::Caller;
pub use check::pending;
pub use connect::{Db, Session, Settings};
pub use constant::Constant;
pub use diesel_async::AsyncPgConnection as Conn;
pub use diesel_migrations::EmbeddedMigrations;
pub use error::DbError;
pub use migrate::{Migrations, migrate, migrate_next, revert, revert_all};
pub use pool::Pooled;
pub use published::{Lanes, Published};
pub use scope::Scope;
pub use statement::{Statement, Value};
pub use transaction::{Tx, Work};
