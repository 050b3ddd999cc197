//! Rows and queries. Each query takes a connection; who opened the transaction
//! decides on whose behalf it runs.

pub mod blobs;
pub mod bulk;
pub mod derived;
pub mod files;
pub mod listing;
pub mod pending;
pub mod quotas;
pub mod reading;
pub mod renditions;
pub mod results;
pub mod scans;
pub mod sessions;
pub mod shares;
pub mod uploads;
