//! How the process is, as gauges: what the probes tell whoever asks, for those who look later.

use std::time::Duration;

use metrics::gauge;
use tokio_util::sync::CancellationToken;

use crate::{Readiness, ServiceHealth};

const EVERY: Duration = Duration::from_secs(5);

/// Sets the gauges again and again until `stop`.
pub(crate) async fn export(readiness: Readiness, stop: CancellationToken) {
    loop {
        // Before the checks, which take connections themselves.
        pools(&readiness);
        health(&readiness).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn pools(readiness: &Readiness) {
    for db in readiness.pools() {
        let (used, open) = db.pool_status();
        let service = db.service();
        gauge!("parlour_pool_connections", "service" => service, "state" => "used").set(used as f64);
        gauge!("parlour_pool_connections", "service" => service, "state" => "idle")
            .set(open.saturating_sub(used) as f64);
    }
}

async fn health(readiness: &Readiness) {
    let report = readiness.report().await;
    gauge!("parlour_ready").set(flag(report.ready));
    for (service, health) in report.services {
        for (state, of) in [
            ("active", ServiceHealth::Active),
            ("degraded", ServiceHealth::Degraded),
            ("down", ServiceHealth::Down),
        ] {
            gauge!("parlour_service_health", "service" => service.clone(), "state" => state)
                .set(flag(health == of));
        }
    }
}

fn flag(so: bool) -> f64 {
    if so { 1.0 } else { 0.0 }
}
