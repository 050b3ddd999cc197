//! What an operator's command does with deliveries that were given up, and with jobs.

use std::sync::Arc;

use parlour_chassis::Context;
use parlour_db::{DbError, Scope, Tx};
use parlour_events::AuditEntry;
use serde_json::json;
use uuid::Uuid;

use crate::dispatch::NoProviders;
use crate::domain::Channel;
use crate::state::Notify;
use crate::store::deliveries::{self, Delivery};
use crate::store::jobs;

/// The service for an operator's command: nothing is sent by this process.
pub fn open(context: &Context) -> anyhow::Result<Arc<Notify>> {
    let (outbound, _) = crate::dispatch::Outbound::new();
    Ok(Arc::new(Notify::open(context, outbound, Arc::new(NoProviders))?))
}

/// Deliveries that were given up, the newest first.
pub async fn failed(notify: &Notify, channel: Option<Channel>, limit: i64) -> Result<Vec<Delivery>, DbError> {
    let work =
        async move |tx: &mut Tx| -> Result<_, DbError> { Ok(deliveries::failed(tx, channel, limit).await?) };
    notify.db.read(Scope::Service, work).await
}

/// Has given-up deliveries tried again from the start, and says so in the audit log. Answers how many.
/// A running dispatcher takes them up within its poll.
pub async fn redrive(notify: &Notify, ids: Vec<Uuid>, who: &str) -> Result<usize, DbError> {
    let (now, who) = (notify.clock.now(), who.to_owned());
    let work = async move |tx: &mut Tx| -> Result<usize, DbError> {
        let count = deliveries::redrive(tx, &ids, now).await?;
        let after = json!({ "deliveries": ids, "tried_again": count, "operator": who });
        audit(tx, "delivery.redriven", "delivery", "", after).await?;
        Ok(count)
    };
    notify.db.write(Scope::Service, work).await
}

/// Cancels a job. False when it had ended, or there is none.
pub async fn cancel(notify: &Notify, job: Uuid, who: &str) -> Result<bool, DbError> {
    let (now, who) = (notify.clock.now(), who.to_owned());
    let work = async move |tx: &mut Tx| -> Result<bool, DbError> {
        let ended = jobs::end(tx, job, "cancelled", None, now).await?;
        if ended {
            let after = json!({ "operator": who });
            audit(
                tx,
                "notification_job.cancelled",
                "notification_job",
                &job.to_string(),
                after,
            )
            .await?;
        }
        Ok(ended)
    };
    notify.db.write(Scope::Service, work).await
}

async fn audit(
    tx: &mut Tx,
    action: &str,
    kind: &str,
    id: &str,
    after: serde_json::Value,
) -> Result<(), DbError> {
    let entry = AuditEntry {
        actor_id: None,
        role: "operator".to_owned(),
        action: action.to_owned(),
        target_type: kind.to_owned(),
        target_id: id.to_owned(),
        after: Some(after),
        ..AuditEntry::default()
    };
    parlour_events::audit(tx, entry).await.map(drop)
}
