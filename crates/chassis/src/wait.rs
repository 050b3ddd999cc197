//! Waiting at the start for what comes up slower than we do.

use std::time::Duration;

use parlour_db::Db;
use tokio_util::sync::CancellationToken;

/// Waits until the database answers, and says every few seconds that it waits.
pub(crate) async fn for_database(db: &Db, stop: &CancellationToken) {
    let mut pause = Duration::from_millis(100);
    while let Err(error) = db.ping().await {
        tracing::warn!(service = db.service(), %error, "waiting for the database");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
