//! The rows of deliveries: one for each way that is not left out.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_contracts::id;
use parlour_db::Tx;
use uuid::Uuid;

use super::Message;
use super::plan::{Plan, Way};
use crate::dispatch::Handover;
use crate::domain::decision::Decision;
use crate::domain::reason::{Chosen, Reason};
use crate::domain::{Channel, Priority};
use crate::error::Error;
use crate::state::Notify;
use crate::store::{deliveries, digests};

/// One telling of notifications: the first, or an emergency's repetition.
pub(crate) struct Round<'m> {
    pub(crate) kind: &'m str,
    pub(crate) priority: Priority,
    pub(crate) number: i32,
    /// When the notification came about.
    pub(crate) created_at: DateTime<Utc>,
    /// When this round did.
    pub(crate) now: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl<'m> Round<'m> {
    /// The first one of a message.
    pub(crate) fn first(message: &'m Message, now: DateTime<Utc>) -> Self {
        Self {
            kind: &message.kind,
            priority: message.priority,
            number: 0,
            created_at: now,
            now,
            expires_at: message.expires_at,
        }
    }
}

/// Where digests are open: by person, channel and address.
type OpenDigests = HashMap<(Uuid, Channel, Uuid), (Uuid, DateTime<Utc>)>;

/// The deliveries of `plans`, to be inserted, and what goes out after the commit: the rows of pushes
/// are this process's already, for the length of a lease.
pub(crate) async fn of_round(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    round: &Round<'_>,
    plans: &[Plan],
) -> Result<(deliveries::Insert, Handover), Error> {
    let digests = open_digests(tx, round, plans).await?;
    let mut rows = empty(round);
    let mut handover = Handover::default();
    for plan in plans {
        for way in &plan.ways {
            let id = id::new();
            let Some(row) = row(notify, round, plan, way, id, &digests) else {
                continue;
            };
            if way.channel == Channel::Socket {
                handover.pushes.push(plan.push(notify, round, id));
            } else if matches!(way.decision, Decision::Now(_)) {
                handover.due.insert(way.channel);
            }
            rows.id.push(id);
            rows.notification_id.push(plan.id);
            rows.account_id.push(plan.person.id);
            rows.channel.push(way.channel.name());
            rows.target.push(way.target);
            rows.status.push(row.status);
            rows.chosen.push(row.chosen.name());
            rows.reason.push(row.reason.map(Reason::name));
            rows.attempts.push(row.attempts);
            rows.not_before.push(row.not_before);
            rows.digest_id.push(row.digest_id);
        }
    }
    Ok((rows, handover))
}

fn empty(round: &Round<'_>) -> deliveries::Insert {
    deliveries::Insert {
        id: Vec::new(),
        notification_id: Vec::new(),
        account_id: Vec::new(),
        channel: Vec::new(),
        target: Vec::new(),
        status: Vec::new(),
        chosen: Vec::new(),
        reason: Vec::new(),
        attempts: Vec::new(),
        not_before: Vec::new(),
        digest_id: Vec::new(),
        kind: round.kind.to_owned(),
        priority: round.priority.name(),
        round: round.number,
        created_at: round.now,
        expires_at: round.expires_at,
    }
}

/// What is particular to a row.
struct Row {
    status: &'static str,
    chosen: Chosen,
    reason: Option<Reason>,
    attempts: i32,
    not_before: DateTime<Utc>,
    digest_id: Option<Uuid>,
}

fn row(
    notify: &Notify,
    round: &Round<'_>,
    plan: &Plan,
    way: &Way,
    id: Uuid,
    digests: &OpenDigests,
) -> Option<Row> {
    let queued = |chosen, reason, not_before, digest_id| Row {
        status: "queued",
        chosen,
        reason,
        attempts: 0,
        not_before,
        digest_id,
    };
    match way.decision {
        Decision::Skip(_) => None,
        Decision::Now(chosen) if way.channel == Channel::Socket => Some(Row {
            status: "sending",
            chosen,
            reason: None,
            attempts: 1,
            not_before: round.now + notify.settings.dispatch.lease(),
            digest_id: None,
        }),
        Decision::Now(chosen) => Some(queued(chosen, None, round.now, None)),
        Decision::Later(chosen, reason, at) => Some(queued(chosen, Some(reason), at, None)),
        Decision::Collect(chosen, end) => {
            let open = digests.get(&(plan.person.id, way.channel, way.target));
            let (digest, at) = open.copied().unwrap_or((id, end));
            Some(queued(chosen, Some(Reason::Digest), at, Some(digest)))
        }
    }
}

/// The digests that rows of `plans` would join. Until the transaction ends nobody else opens one
/// for these people and this type, and none of them is sent.
async fn open_digests(tx: &mut Tx, round: &Round<'_>, plans: &[Plan]) -> Result<OpenDigests, Error> {
    let collects = |way: &Way| matches!(way.decision, Decision::Collect(..));
    let mut people: Vec<Uuid> = plans
        .iter()
        .filter(|plan| plan.ways.iter().any(collects))
        .map(|plan| plan.person.id)
        .collect();
    if people.is_empty() {
        return Ok(OpenDigests::new());
    }
    people.sort_unstable();
    digests::lock(tx, people.clone(), round.kind).await?;
    let open = digests::open(tx, people, round.kind).await?;
    let keyed = open.into_iter().filter_map(|digest| {
        let channel = Channel::named(&digest.channel)?;
        let key = (digest.account_id, channel, digest.target);
        Some((key, (digest.id, digest.not_before)))
    });
    Ok(keyed.collect())
}
