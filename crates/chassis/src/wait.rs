//! Waiting at the start for what comes up slower than we do.

use std::fmt::Display;
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

/// Does `work` until it succeeds or fails for good. At the start another replica may be in
/// the way, and the database that answered a moment ago may be gone again: neither ends a
/// process. The last failure is answered when `stop` comes first.
pub async fn patiently<T, E: Display, W: Future<Output = Result<T, E>>>(
    stop: &CancellationToken,
    is_passing: impl Fn(&E) -> bool,
    work: impl Fn() -> W,
) -> Result<T, E> {
    let mut pause = Duration::from_millis(100);
    loop {
        let error = match work().await {
            Err(error) if is_passing(&error) && !stop.is_cancelled() => error,
            done => return done,
        };
        tracing::warn!(%error, "what the start needs is tried again");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_answered() {
        let tries = AtomicUsize::new(0);
        let work = || {
            std::future::ready(match tries.fetch_add(1, Ordering::Relaxed) {
                0..3 => Err("busy"),
                3 => Ok("done"),
                _ => Err("wrong"),
            })
        };
        let stop = CancellationToken::new();
        assert_eq!(
            patiently(&stop, |error| *error == "busy", &work).await,
            Ok("done")
        );
        assert_eq!(
            patiently(&stop, |error| *error == "busy", &work).await,
            Err("wrong")
        );
        assert_eq!(tries.load(Ordering::Relaxed), 5);
    }

    #[tokio::test]
    async fn a_stop_ends_the_tries() {
        let stop = CancellationToken::new();
        let tries = patiently(
            &stop,
            |_: &&str| true,
            async || {
                stop.cancel();
                Err::<(), _>("busy")
            },
        );
        assert_eq!(tries.await, Err("busy"));
    }
}
