//! A database of the test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

use super::env;

pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "t_{}_{}_{count}",
        std::process::id(),
        time.as_micros() % 1_000_000_000
    )
}

pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("PARLOUR_TEST_PG_URL answers");
    tokio::spawn(connection);
    client
}

pub fn with_database(url: &str, database: &str) -> String {
    let (head, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{head}/{database}")
}

pub fn root() -> String {
    env(
        "PARLOUR_TEST_PG_URL",
        "postgres://postgres@127.0.0.1:7432/postgres",
    )
}

pub fn settings(root: &str, name: &str) -> parlour_db::Settings {
    let config: tokio_postgres::Config = root.parse().unwrap();
    let host = match &config.get_hosts()[0] {
        tokio_postgres::config::Host::Tcp(host) => host.clone(),
        _ => "127.0.0.1".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    parlour_db::Settings {
        url: format!("postgres://test_{{service}}:test@{host}:{port}/{name}").into(),
        urls: Default::default(),
        migration_url: Some(with_database(root, name).into()),
        ca: None,
        pool_size: 16,
        acquire_timeout_ms: 5_000,
        statement_timeout_ms: 10_000,
        lock_timeout_ms: 5_000,
    }
}
