//! Rows and queries. Each query takes a connection; who opened the transaction
//! decides on whose behalf it runs.

#[macro_use]
mod statement;

pub mod contacts;
pub mod contents;
pub mod counts;
pub mod deliveries;
pub mod digests;
pub mod due;
pub mod emergencies;
pub mod erasure;
pub mod jobs;
pub mod notifications;
pub mod outcomes;
pub mod people;
pub mod reading;
pub mod recipients;
pub mod rooms;
pub mod rules;
pub mod settings;
pub mod subscriptions;
pub mod templates;
