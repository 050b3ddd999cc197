//! Whole journeys against the binary: everything in one process, and every service
//! in processes of its own behind two gateways.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod apart;
mod avatars;
mod dashboards;
mod encrypted;
mod load;
mod mails;
mod node;
mod page;
mod people;
mod platform;
mod process;
mod restarts;
mod revocations;
mod searching;
mod sign_in;
mod traces;
mod uploads;
