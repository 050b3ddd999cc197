//! The operator's command line, as an operator uses it, and what is generated from all services.

mod closed_pipe;
mod desk;
mod documents;
mod events;
