//! What people use and may use. A person's row is locked before anything else that
//! changes what they have, so that the figures are exact and nobody blocks each other.

use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// A person's figures.
#[derive(Clone, Debug, QueryableByName)]
pub struct Quota {
    /// Bytes that they use.
    #[diesel(sql_type = BigInt)]
    pub used: i64,
    /// Bytes that they may use.
    #[diesel(sql_type = BigInt)]
    pub allowed: i64,
    /// The plan that says so.
    #[diesel(sql_type = Nullable<Text>)]
    pub plan: Option<String>,
}

/// What a change came to.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Changed {
    /// Bytes that they use now.
    #[diesel(sql_type = BigInt)]
    pub used: i64,
    /// Whether the content is new among theirs.
    #[diesel(sql_type = Bool)]
    pub fresh: bool,
}

/// Locks a person's figures until the end of the transaction, and reads them. `usual` is
/// what they may use of whose plan nothing was told.
pub async fn lock(conn: &mut Conn, owner: Uuid, usual: i64) -> QueryResult<Quota> {
    Statement::new(
        "INSERT INTO quotas AS q (owner_id) VALUES (?) ON CONFLICT (owner_id) DO UPDATE SET used = q.used
         RETURNING used, coalesce(allowed, ?) AS allowed, plan",
    )
    .with(owner)
    .with(usual)
    .get_result(conn)
    .await
}

/// A person's figures as they are.
pub async fn read(conn: &mut Conn, owner: Uuid, usual: i64) -> QueryResult<Quota> {
    Statement::new(
        "SELECT coalesce(q.used, 0) AS used, coalesce(q.allowed, ?) AS allowed, q.plan
         FROM (SELECT ?::uuid AS id) AS me LEFT JOIN quotas q ON q.owner_id = me.id",
    )
    .with(usual)
    .with(owner)
    .get_result(conn)
    .await
}

/// A person has one more file of a content. It costs nothing when they have it already.
pub async fn hold(conn: &mut Conn, owner: Uuid, blob: Uuid, size: i64) -> QueryResult<Changed> {
    Statement::new(
        "WITH held AS (
           INSERT INTO holdings AS h (owner_id, blob_id, size, files) VALUES (?, ?, ?, 1)
           ON CONFLICT (owner_id, blob_id) DO UPDATE SET files = h.files + 1 RETURNING size, files = 1 AS fresh)
         UPDATE quotas q SET used = q.used + CASE WHEN held.fresh THEN held.size ELSE 0 END
         FROM held WHERE q.owner_id = ? RETURNING q.used, held.fresh",
    )
    .with(owner)
    .with(blob)
    .with(size)
    .with(owner)
    .get_result(conn)
    .await
}

/// A person has one file of a content less.
pub async fn release(conn: &mut Conn, owner: Uuid, blob: Uuid) -> QueryResult<()> {
    Statement::new(
        "WITH fewer AS (
           UPDATE holdings SET files = files - 1 WHERE owner_id = ? AND blob_id = ? AND files > 1),
         gone AS (
           DELETE FROM holdings WHERE owner_id = ? AND blob_id = ? AND files = 1 RETURNING size)
         UPDATE quotas q SET used = q.used - gone.size FROM gone WHERE q.owner_id = ?",
    )
    .with(owner)
    .with(blob)
    .with(owner)
    .with(blob)
    .with(owner)
    .execute(conn)
    .await?;
    Ok(())
}

/// Billing told of a person's plan.
pub async fn set_plan(conn: &mut Conn, owner: Uuid, plan: &str, allowed: i64) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO quotas (owner_id, allowed, plan) VALUES (?, ?, ?)
         ON CONFLICT (owner_id) DO UPDATE SET allowed = excluded.allowed, plan = excluded.plan",
    )
    .with(owner)
    .with(allowed)
    .with(plan)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a person who has nothing.
pub async fn forget(conn: &mut Conn, owner: Uuid) -> QueryResult<()> {
    let statement = Statement::new("DELETE FROM quotas WHERE owner_id = ?").with(owner);
    statement.execute(conn).await?;
    Ok(())
}
