//! The kit, proved on two tiny services.
#![allow(missing_docs, reason = "tests")]

mod app;
mod database;
mod demo;
mod people;
mod proxy;
mod vhost;
