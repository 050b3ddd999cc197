//! The kit, proved on two tiny services.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it stands"
)]

mod app;
mod ask;
mod clock;
mod database;
mod demo;
mod fetch;
mod input;
mod matrix;
mod people;
mod pool;
mod proxy;
mod readiness;
mod schema;
mod tls;
mod vhost;
mod write_one;
mod write_seen;

/// What a check that has to fail says.
async fn failure_of(check: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(check)
        .await
        .expect_err("the check has to fail")
        .into_panic();
    let text = panic.downcast_ref::<String>().expect("a check fails with a text");
    text.clone()
}
