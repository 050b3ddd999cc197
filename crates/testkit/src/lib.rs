//! What tests stand on: a database and a vhost of their own, services that run in
//! the test's process, people who signed in, and ways to hurt all of it.
//!
//! ```no_run
//! # async fn example(service: fn() -> parlour_chassis::Service) {
//! use parlour_testkit::App;
//!
//! let app = App::start(&[service()]).await;
//! app.get("/api/things").await.expect(401);
//! # }
//! ```
//!
//! Nothing here answers with a `Result`: a test whose ground gives way has failed,
//! and says why. The engines are named by `PARLOUR_TEST_PG_URL`,
//! `PARLOUR_TEST_AMQP_URL` and `PARLOUR_TEST_RABBIT_API`, which `deploy/local/test`
//! sets. `PARLOUR_TEST_LOG` chooses what the services log (shown when a test
//! fails), and with `PARLOUR_TEST_KEEP` set a failed test leaves its database behind.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on stops where it stands"
)]

mod address;
mod answer;
mod app;
mod blocking;
mod clamav;
mod client;
mod cookies;
mod database;
mod engines;
mod eventually;
mod fingerprint;
mod input;
mod logs;
mod matrix;
mod node;
mod overrides;
mod paths;
mod people;
mod proxy;
mod replica;
mod report;
mod schema;
mod template;
mod vhost;

pub use address::free_address;
pub use answer::Answer;
pub use app::{App, AppBuilder};
pub use clamav::ClamAv;
pub use client::{Client, Request};
pub use database::Database;
pub use eventually::{Outcome, eventually, eventually_eq};
pub use input::{BadInput, bad_input};
pub use matrix::Matrix;
pub use node::stage_node;
pub use people::Person;
pub use proxy::FaultProxy;
pub use schema::{migrations_check, schema_check};
pub use vhost::{QueueState, Vhost};
