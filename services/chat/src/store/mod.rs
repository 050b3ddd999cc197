//! Rows, and the queries that bring and write them.

pub mod messages;
pub mod reactions;
pub mod reads;
pub mod sending;
pub mod sessions;
pub(crate) mod statement;
