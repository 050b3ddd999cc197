//! Rows and queries. Each query takes a connection; who opened the transaction
//! decides on whose behalf it runs.

pub mod accounts;
pub mod api_tokens;
pub mod erasure;
pub mod failures;
pub mod outside;
pub mod phones;
pub mod profiles;
pub mod refresh_tokens;
pub mod search;
pub mod sessions;
pub mod single_use;
