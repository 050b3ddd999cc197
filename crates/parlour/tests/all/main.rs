//! The operator's command line, as an operator uses it, and what is generated from all services.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod closed_pipe;
mod deliveries;
mod desk;
mod documents;
mod events;
mod general;
mod watching;
