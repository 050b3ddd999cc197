//! What a move writes: the order, its history and whatever hangs on it, in one
//! statement each. The order is locked by then; a version that is not the expected
//! one would be a mistake of ours, and nothing is written.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, DbError};
use uuid::Uuid;

use super::orders::Order;
use super::statement::Statement;
use crate::domain::order::{Action, Status};
use crate::domain::payment::Account;

/// Who moves an order where, and when.
#[derive(Debug)]
pub struct Move<'m> {
    /// The order as it is before.
    pub order: &'m Order,
    /// What is done.
    pub action: Action,
    /// Where it is then.
    pub to: Status,
    /// Who does it; `None` for the platform.
    pub actor: Option<Uuid>,
    /// Why, sealed for [`super::history::reason_place`].
    pub reason: Option<&'m [u8]>,
    /// When.
    pub now: DateTime<Utc>,
    /// When it will have waited there for too long.
    pub due_at: Option<DateTime<Utc>>,
}

/// A result that is handed in.
#[derive(Debug)]
pub struct NewResult<'r> {
    /// Its text, sealed for [`super::history::result_place`].
    pub text_sealed: &'r [u8],
    /// Its files.
    pub media_ids: &'r [Uuid],
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// The order's row and its history. `$set` is what changes besides, `$more` what else is written,
/// `$answer` what is read of it.
macro_rules! moving {
    ($set:literal, $more:literal) => {
        moving!($set, $more, "version")
    };
    ($set:literal, $more:literal, $answer:literal) => {
        concat!(
            "WITH o AS (
               UPDATE orders SET status = ?, waits_since = ?, due_at = ?, updated_at = ?, version = version + 1",
            $set,
            " WHERE id = ? AND version = ? RETURNING *),
             entry AS (
               INSERT INTO order_history
                 (order_id, version, at, actor_id, action, from_status, to_status, reason_sealed)
               SELECT id, version, updated_at, ?, ?, ?, status, ? FROM o)",
            $more,
            " SELECT ",
            $answer,
            " FROM o"
        )
    };
}

fn begun<'s>(sql: &'static str, step: &Move<'s>) -> Statement<'s> {
    Statement::new(sql)
        .with(step.to.name())
        .with(step.now)
        .with(step.due_at)
        .with(step.now)
}

fn recorded<'s>(statement: Statement<'s>, step: &Move<'s>) -> Statement<'s> {
    statement
        .with(step.order.id)
        .with(step.order.version)
        .with(step.actor)
        .with(step.action.name())
        .with(step.order.status_name())
        .with(step.reason)
}

async fn run(conn: &mut Conn, statement: Statement<'_>) -> Result<i64, DbError> {
    let written: Written = statement.get_result(conn).await?;
    Ok(written.version)
}

/// What an approval wrote and what it gives away.
#[derive(Debug, QueryableByName)]
pub struct Approved {
    /// The order's new version.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// The files of its result.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub media_ids: Vec<Uuid>,
}

/// Approves the result.
pub async fn approve(conn: &mut Conn, step: &Move<'_>) -> Result<Approved, DbError> {
    let sql = moving!(
        "",
        "",
        "version, coalesce((SELECT t.media_ids FROM results t WHERE t.order_id = o.id), '{}') AS media_ids"
    );
    Ok(recorded(begun(sql, step), step).get_result(conn).await?)
}

/// Rejects or cancels. Answers the order's new version.
pub async fn plain(conn: &mut Conn, step: &Move<'_>) -> Result<i64, DbError> {
    run(conn, recorded(begun(moving!("", ""), step), step)).await
}

/// Gives the order to `reader`, who has waited for it until now.
pub async fn assign(conn: &mut Conn, step: &Move<'_>, reader: Uuid) -> Result<i64, DbError> {
    let sql = moving!(
        ", reader_id = ?",
        ", reader AS (
           INSERT INTO readers (id, last_assigned_at) SELECT reader_id, updated_at FROM o
           ON CONFLICT (id) DO UPDATE SET last_assigned_at = excluded.last_assigned_at)"
    );
    run(conn, recorded(begun(sql, step).with(reader), step)).await
}

/// Keeps the result in the place of the one before.
pub async fn submit(conn: &mut Conn, step: &Move<'_>, result: &NewResult<'_>) -> Result<i64, DbError> {
    let sql = moving!(
        ", revision = revision + 1",
        ", result AS (
           INSERT INTO results (order_id, revision, text_sealed, media_ids, submitted_at)
           SELECT id, revision, ?, ?, updated_at FROM o
           ON CONFLICT (order_id) DO UPDATE SET revision = excluded.revision, text_sealed = excluded.text_sealed,
             media_ids = excluded.media_ids, submitted_at = excluded.submitted_at)"
    );
    let statement = recorded(begun(sql, step), step)
        .with(Some(result.text_sealed))
        .with(result.media_ids);
    run(conn, statement).await
}

/// Keeps what the client thinks of it, and counts it for the reader.
pub async fn rate(
    conn: &mut Conn,
    step: &Move<'_>,
    rating: i32,
    comment: Option<&[u8]>,
) -> Result<i64, DbError> {
    let sql = moving!(
        ", rating = ?, comment_sealed = ?, rated_at = ?",
        ", reader AS (
           INSERT INTO readers AS r (id, ratings, rating_sum) SELECT reader_id, 1, rating FROM o
           ON CONFLICT (id) DO UPDATE SET ratings = r.ratings + 1, rating_sum = r.rating_sum + excluded.rating_sum)"
    );
    let statement = begun(sql, step).with(rating).with(comment).with(step.now);
    run(conn, recorded(statement, step)).await
}

/// Whose turn it is changed.
#[derive(Debug)]
pub struct Turn {
    /// When.
    pub since: DateTime<Utc>,
    /// When that will have taken too long.
    pub due_at: Option<DateTime<Utc>>,
}

/// Writes what a payment did to the order. The history's states are those of the payment.
pub async fn pay(
    conn: &mut Conn,
    order: &Order,
    account: &Account,
    action: &'static str,
    now: DateTime<Utc>,
    turn: Option<&Turn>,
) -> Result<(), DbError> {
    let statement = Statement::new(
        "WITH t AS (SELECT ?::timestamptz AS since, ?::timestamptz AS due_at),
         o AS (
           UPDATE orders SET payment_status = ?, payment_id = ?, paid = ?, updated_at = ?, version = version + 1,
             waits_since = coalesce(t.since, waits_since),
             due_at = CASE WHEN t.since IS NULL THEN orders.due_at ELSE t.due_at END
           FROM t WHERE id = ? AND version = ? RETURNING orders.*)
         INSERT INTO order_history (order_id, version, at, action, from_status, to_status)
         SELECT id, version, updated_at, ?, ?, payment_status FROM o",
    )
    .with(turn.map(|turn| turn.since))
    .with(turn.and_then(|turn| turn.due_at))
    .with(account.status.name())
    .with(account.payment)
    .with(account.paid)
    .with(now)
    .with(order.id)
    .with(order.version)
    .with(action)
    .with(order.payment_name());
    statement.execute(conn).await?;
    Ok(())
}
