//! What has expired and what is past its retention, in batches that hold no lock for long.

use std::sync::Arc;

use chrono::Duration;
use parlour_db::{DbError, Scope, Tx};

use crate::state::Notify;
use crate::store::{erasure, rooms};

const BATCH: i64 = 1000;

fn is_full(batch: usize) -> bool {
    i64::try_from(batch).is_ok_and(|rows| rows >= BATCH)
}

/// Hides what has expired.
pub(super) async fn expire(notify: Arc<Notify>) -> Result<(), DbError> {
    loop {
        let now = notify.clock.now();
        let work =
            async move |tx: &mut Tx| -> Result<usize, DbError> { Ok(erasure::expire(tx, now, BATCH).await?) };
        if !is_full(notify.db.write(Scope::Service, work).await?) {
            return Ok(());
        }
    }
}

/// Deletes what is past its retention.
pub(super) async fn purge(notify: Arc<Notify>) -> Result<(), DbError> {
    let before = notify.clock.now() - Duration::days(notify.settings.retention_days.into());
    for table in 0..erasure::TABLES {
        loop {
            let work = async move |tx: &mut Tx| -> Result<usize, DbError> {
                Ok(erasure::purge(tx, table, before, BATCH).await?)
            };
            if !is_full(notify.db.write(Scope::Service, work).await?) {
                break;
            }
        }
    }
    Ok(())
}

/// Clears seats that were not renewed.
pub(super) async fn rooms(notify: Arc<Notify>) -> Result<(), DbError> {
    let now = notify.clock.now();
    let work = async move |tx: &mut Tx| -> Result<(), DbError> { Ok(rooms::sweep(tx, now).await.map(drop)?) };
    notify.db.write(Scope::Service, work).await
}
