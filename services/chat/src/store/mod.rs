//! Rows, and the queries that bring and write them.

pub mod bookings;
pub mod door;
pub mod erasure;
pub mod groups;
pub mod held;
pub mod keys;
pub mod listing;
pub mod messages;
pub mod reactions;
pub mod reads;
pub mod sending;
pub mod sessions;
pub(crate) mod statement;
