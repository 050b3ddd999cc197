//! Taking up what is due. A delivery is claimed by a lease: whoever holds it sends outside
//! of any transaction, and if they die, the lease runs out and somebody else does.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, Queryable};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use super::contents::Sealed;
use super::notifications::Notification;
use crate::domain::Channel;

statement! {
    /// The most urgent first. A row that somebody else is just taking is passed over.
    Claim {
        channel: one Text => &'static str,
        now: one Timestamptz => DateTime<Utc>,
        lease: one Timestamptz => DateTime<Utc>,
        most: one BigInt => i64,
    }
    ", due AS (
       SELECT due.id FROM given g
       CROSS JOIN (VALUES ('emergency', 1), ('high', 2), ('normal', 3), ('low', 4)) AS p (name, rank)
       CROSS JOIN LATERAL (
         SELECT d.id FROM deliveries d
         WHERE d.channel = g.channel AND d.priority = p.name AND d.status IN ('queued', 'sending')
           AND (d.digest_id IS NULL OR d.digest_id = d.id) AND d.not_before <= g.now
         ORDER BY d.not_before LIMIT (SELECT most FROM given) FOR UPDATE SKIP LOCKED
       ) AS due
       ORDER BY p.rank LIMIT (SELECT most FROM given))
     UPDATE deliveries d SET status = 'sending', attempts = d.attempts + 1, not_before = g.lease
     FROM due, given g WHERE d.id = due.id RETURNING d.id",
    returns (SqlUuid)
}

/// Claims up to `most` deliveries of a channel until `lease`.
pub async fn claim(
    conn: &mut Conn,
    channel: Channel,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<Uuid>> {
    let claim = Claim {
        channel: channel.name(),
        now,
        lease,
        most,
    };
    let rows: Vec<(Uuid,)> = claim.load(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A claimed delivery with everything that it needs to be sent.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Due {
    pub id: Uuid,
    pub notification_id: Option<Uuid>,
    pub account_id: Uuid,
    pub kind: String,
    pub priority: String,
    pub target: Uuid,
    pub reason: Option<String>,
    pub chosen: String,
    pub attempts: i32,
    pub is_digest: bool,
    pub mail_sealed: Option<Vec<u8>>,
    pub queued_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub notification: Option<Notification>,
    pub is_deleted: bool,
    pub person: Person,
    pub email_sealed: Option<Vec<u8>>,
    pub phone_sealed: Option<Vec<u8>>,
    pub subscription: Option<(String, Vec<u8>)>,
    pub sent_lately: i64,
}

/// Who it is for, as far as sending needs to know.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Person {
    pub name: String,
    pub status: String,
}

statement! {
    Load {
        id: each SqlUuid => Uuid,
        since: one Timestamptz => DateTime<Utc>,
    }
    "SELECT d.id, d.notification_id, d.account_id, d.kind, d.priority, d.target, d.reason, d.chosen,
       d.attempts, d.digest_id IS NOT NULL, d.mail_sealed, d.queued_at, d.expires_at,
       n.content_sealed, n.content_id, s.sealed, n.created_at, n.read_at,
       coalesce(n.deleted_at IS NOT NULL, false),
       coalesce(nullif(p.display_name, ''), p.username, ''), coalesce(p.status, 'active'),
       c.email_sealed, c.phone_sealed, b.kind, b.address_sealed,
       (SELECT count(*) FROM deliveries o WHERE o.account_id = d.account_id AND o.channel = d.channel
          AND o.sent_at > g.since)
     FROM given g JOIN deliveries d ON d.id = g.id
     LEFT JOIN notifications n ON n.id = d.notification_id
     LEFT JOIN contents s ON s.id = n.content_id
     LEFT JOIN people p ON p.id = d.account_id
     LEFT JOIN contacts c ON c.account_id = d.account_id
     LEFT JOIN subscriptions b ON b.id = d.target
     ORDER BY d.id",
    returns (
        SqlUuid, Nullable<SqlUuid>, SqlUuid, Text, Text, SqlUuid, Nullable<Text>, Text,
        Integer, Bool, Nullable<Binary>, Timestamptz, Nullable<Timestamptz>,
        Nullable<Binary>, Nullable<SqlUuid>, Nullable<Binary>, Nullable<Timestamptz>, Nullable<Timestamptz>,
        Bool, Text, Text, Nullable<Binary>, Nullable<Binary>, Nullable<Text>, Nullable<Binary>, BigInt,
    )
}

#[derive(Queryable)]
struct Row {
    id: Uuid,
    notification_id: Option<Uuid>,
    account_id: Uuid,
    kind: String,
    priority: String,
    target: Uuid,
    reason: Option<String>,
    chosen: String,
    attempts: i32,
    is_digest: bool,
    mail_sealed: Option<Vec<u8>>,
    queued_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    content_sealed: Option<Vec<u8>>,
    content_id: Option<Uuid>,
    shared: Option<Vec<u8>>,
    told_at: Option<DateTime<Utc>>,
    read_at: Option<DateTime<Utc>>,
    is_deleted: bool,
    name: String,
    status: String,
    email_sealed: Option<Vec<u8>>,
    phone_sealed: Option<Vec<u8>>,
    subscription_kind: Option<String>,
    subscription_sealed: Option<Vec<u8>>,
    sent_lately: i64,
}

/// What was claimed; how much each person was sent on the channel is counted from `since` on.
pub async fn load(conn: &mut Conn, ids: Vec<Uuid>, since: DateTime<Utc>) -> QueryResult<Vec<Due>> {
    let rows: Vec<Row> = Load { id: ids, since }.load(conn).await?;
    Ok(rows.into_iter().map(Due::from).collect())
}

impl From<Row> for Due {
    fn from(row: Row) -> Self {
        let content = Sealed::of(row.content_sealed, row.content_id, row.shared);
        let told = row.notification_id.zip(row.told_at);
        let notification = told.map(|(id, created_at)| Notification {
            id,
            account_id: row.account_id,
            kind: row.kind.clone(),
            priority: row.priority.clone(),
            content,
            created_at,
            expires_at: row.expires_at,
            read_at: row.read_at,
        });
        Self {
            id: row.id,
            notification_id: row.notification_id,
            account_id: row.account_id,
            kind: row.kind,
            priority: row.priority,
            target: row.target,
            reason: row.reason,
            chosen: row.chosen,
            attempts: row.attempts,
            is_digest: row.is_digest,
            mail_sealed: row.mail_sealed,
            queued_at: row.queued_at,
            expires_at: row.expires_at,
            notification,
            is_deleted: row.is_deleted,
            person: Person {
                name: row.name,
                status: row.status,
            },
            email_sealed: row.email_sealed,
            phone_sealed: row.phone_sealed,
            subscription: row.subscription_kind.zip(row.subscription_sealed),
            sent_lately: row.sent_lately,
        }
    }
}
