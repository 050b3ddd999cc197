//! The rows of deliveries: one for each way that is not left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_contracts::id;
use parlour_db::Tx;
use tracing::Span;
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

/// One person's part in a round.
pub(crate) struct Case<'m> {
    pub(crate) round: Round<'m>,
    pub(crate) plan: Plan,
    /// The job that tells it.
    pub(crate) job: Option<Uuid>,
    /// What caused it; the trace goes on from there.
    pub(crate) span: Span,
}

/// Where digests are open: by type, person, channel and address.
type OpenDigests = HashMap<(String, Uuid, Channel, Uuid), (Uuid, DateTime<Utc>)>;

/// The deliveries of `cases`, to be inserted, and what goes out after the commit: the rows of pushes
/// are this process's already, for the length of a lease.
pub(crate) async fn deliveries_of(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    cases: &[Case<'_>],
    now: DateTime<Utc>,
) -> Result<(deliveries::Insert, Handover), Error> {
    let mut digests = open_digests(tx, cases).await?;
    let mut rows = empty(now);
    let mut handover = Handover::default();
    for case in cases {
        for way in &case.plan.ways {
            let id = id::new();
            let Some(row) = row(notify, case, way, id, &mut digests) else {
                continue;
            };
            if way.channel == Channel::Socket {
                handover.pushes.push(case.push(notify, id));
            } else if matches!(way.decision, Decision::Now(_)) {
                handover.due.insert(way.channel);
            }
            push_row(&mut rows, case, way, id, &row);
        }
    }
    Ok((rows, handover))
}

fn push_row(rows: &mut deliveries::Insert, case: &Case<'_>, way: &Way, id: Uuid, row: &Row) {
    let Case { round, plan, .. } = case;
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
    rows.kind.push(round.kind.to_owned());
    rows.priority.push(round.priority.name());
    rows.round.push(round.number);
    rows.expires_at.push(round.expires_at);
}

fn empty(created_at: DateTime<Utc>) -> deliveries::Insert {
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
        kind: Vec::new(),
        priority: Vec::new(),
        round: Vec::new(),
        created_at,
        expires_at: Vec::new(),
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

fn row(notify: &Notify, case: &Case<'_>, way: &Way, id: Uuid, digests: &mut OpenDigests) -> Option<Row> {
    let round = &case.round;
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
            let key = (
                round.kind.to_owned(),
                case.plan.person.id,
                way.channel,
                way.target,
            );
            let (digest, at) = *digests.entry(key).or_insert((id, end));
            Some(queued(chosen, Some(Reason::Digest), at, Some(digest)))
        }
    }
}

/// The digests that deliveries of `cases` would join. Until the transaction ends nobody else opens one
/// for these people and types, and none of them is sent.
async fn open_digests(tx: &mut Tx, cases: &[Case<'_>]) -> Result<OpenDigests, Error> {
    let collects = |way: &Way| matches!(way.decision, Decision::Collect(..));
    let mut people: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for case in cases {
        if case.plan.ways.iter().any(collects) {
            people
                .entry(case.round.kind)
                .or_default()
                .insert(case.plan.person.id);
        }
    }
    let mut all = OpenDigests::new();
    for (kind, people) in people {
        let people: Vec<Uuid> = people.into_iter().collect();
        digests::lock(tx, people.clone(), kind).await?;
        for digest in digests::open(tx, people, kind).await? {
            if let Some(channel) = Channel::named(&digest.channel) {
                let key = (kind.to_owned(), digest.account_id, channel, digest.target);
                all.insert(key, (digest.id, digest.not_before));
            }
        }
    }
    Ok(all)
}
