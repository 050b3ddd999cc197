//! Rows and queries. Each query takes a connection; who opened the transaction decides on whose behalf
//! it runs, and where there may be none the query takes its caller.

pub mod agenda;
pub mod appointments;
pub mod availability;
pub mod erasure;
pub mod files;
pub mod history;
pub mod listing;
pub mod moves;
pub mod orders;
pub mod placing;
pub mod readers;
pub mod seen;
pub mod services;
mod statement;
pub mod waiting;
