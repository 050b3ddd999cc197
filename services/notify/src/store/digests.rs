//! Digests: deliveries of low priority that go out as one. The first one of a person,
//! channel, address and type opens a digest and speaks for it; later ones join.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::deliveries;

statement! {
    Lock {
        account: each SqlUuid => Uuid,
        kind: one Text => String,
    }
    "SELECT count(pg_advisory_xact_lock(hashtextextended('notify.digest/' || account || '/' || kind, 0)))
     FROM (SELECT account, kind FROM given ORDER BY account) AS ordered"
}

/// Keeps others from opening digests of these people and this type until the transaction
/// ends. The people have to be in the order of their ids, so that two such locks cannot block each other.
pub async fn lock(conn: &mut Conn, people: Vec<Uuid>, kind: &str) -> QueryResult<()> {
    let lock = Lock {
        account: people,
        kind: kind.to_owned(),
    };
    lock.execute(conn).await?;
    Ok(())
}

/// An open digest.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Open {
    pub account_id: Uuid,
    pub channel: String,
    pub target: Uuid,
    pub id: Uuid,
    pub not_before: DateTime<Utc>,
}

statement! {
    Find {
        account: each SqlUuid => Uuid,
        kind: one Text => String,
    }
    "SELECT d.account_id, d.channel, d.target, d.id, d.not_before
     FROM given g JOIN deliveries d ON d.account_id = g.account AND d.kind = g.kind
     WHERE d.status = 'queued' AND d.digest_id = d.id AND d.attempts = 0
     ORDER BY d.id FOR UPDATE OF d",
    returns (SqlUuid, Text, SqlUuid, SqlUuid, Timestamptz)
}

/// The open digests of these people and this type, kept from being sent until the transaction ends.
/// One that is due and not yet taken up still takes members in.
pub async fn open(conn: &mut Conn, people: Vec<Uuid>, kind: &str) -> QueryResult<Vec<Open>> {
    let find = Find {
        account: people,
        kind: kind.to_owned(),
    };
    find.load(conn).await
}

/// The notifications that a digest tells, the oldest first.
pub async fn members(conn: &mut Conn, digest: Uuid, most: i64) -> QueryResult<Vec<Uuid>> {
    let ids: Vec<Option<Uuid>> = deliveries::table
        .filter(deliveries::digest_id.eq(digest))
        .order((deliveries::created_at, deliveries::id))
        .limit(most)
        .select(deliveries::notification_id)
        .load(conn)
        .await?;
    Ok(ids.into_iter().flatten().collect())
}

/// How many notifications a digest tells.
pub async fn size(conn: &mut Conn, digest: Uuid) -> QueryResult<i64> {
    deliveries::table
        .filter(deliveries::digest_id.eq(digest))
        .count()
        .get_result(conn)
        .await
}
