//! Rows and queries. Each query takes a connection; who opened the transaction
//! decides on whose behalf it runs.

pub mod agenda;
pub mod appointments;
pub mod availability;
pub mod erasure;
pub mod files;
pub mod history;
pub mod listing;
pub mod moves;
pub mod orders;
pub mod readers;
pub mod services;
mod statement;
pub mod waiting;
