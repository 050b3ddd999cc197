//! Saying that a scanner is away, once, and that it is back.

use std::sync::Arc;

use parlour_contracts::media::v1::ScannerChanged;
use parlour_db::{Scope, Tx};
use parlour_events::publish;

use crate::error::Error;
use crate::state::Media;
use crate::store::scans;

/// Notes that a scanner answered, or did not. When that is news, it is in the log and everybody hears of it.
pub(super) async fn note(media: &Arc<Media>, scanner: &'static str, reachable: bool, why: &str) {
    metrics::gauge!("parlour_media_scanner_reachable", "scanner" => scanner).set(if reachable {
        1.0
    } else {
        0.0
    });
    let shared = media.clone();
    let work = async move |tx: &mut Tx| -> Result<bool, Error> {
        let now = shared.now();
        let news = scans::note_scanner(tx, scanner, reachable, now).await?;
        if news {
            let event = ScannerChanged {
                scanner: scanner.to_owned(),
                reachable,
                at_ms: now.timestamp_millis(),
            };
            publish(tx, format!("scanner:{scanner}"), &event).await?;
        }
        Ok(news)
    };
    match media.db.write(Scope::Service, work).await {
        Ok(true) if reachable => tracing::info!(scanner, "the scanner answers"),
        Ok(true) => tracing::error!(scanner, why, "the scanner does not answer: files wait for it"),
        Ok(false) => {}
        Err(error) => tracing::warn!(scanner, %error, "whether the scanner answers cannot be noted"),
    }
}
