//! What a move writes: the order, its history, whatever hangs on it, and what others are told of it, in one
//! statement, which writes nothing once somebody else has moved the order.

use chrono::{DateTime, Utc};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, DbError, caller};
use parlour_events::Announced;
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
    /// What changes besides its state.
    pub change: &'m Change,
}

/// What changes besides an order's state and its history.
#[derive(Debug)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// This reader gets it, who has waited for it until now.
    Reader(Uuid),
    /// A result takes the place of the one before.
    Result {
        /// Its text, sealed for [`super::history::result_place`].
        text_sealed: Vec<u8>,
        /// Its files.
        media_ids: Vec<Uuid>,
    },
    /// What the client thinks of it, which counts for the reader.
    Rating {
        /// How many stars.
        rating: i32,
        /// In their words, sealed for [`Order::comment_place`].
        comment_sealed: Option<Vec<u8>>,
    },
}

/// The order's row and its history. `$set` is what changes besides, `$more` what else is written.
macro_rules! moving {
    ($set:literal, $more:literal) => {
        concat!(
            "WITH o AS (
               UPDATE orders SET status = ?, waits_since = ?, due_at = ?, updated_at = ?, version = version + 1",
            $set,
            " WHERE ",
            caller!(),
            " AND id = ? AND version = ? RETURNING *),
             entry AS (
               INSERT INTO order_history
                 (order_id, version, at, actor_id, action, from_status, to_status, reason_sealed)
               SELECT id, version, updated_at, ?, ?, ?, status, ? FROM o)",
            $more,
            " SELECT version"
        )
    };
}

impl Change {
    fn sql(&self) -> &'static str {
        match self {
            Self::Nothing => moving!("", ""),
            Self::Reader(_) => moving!(
                ", reader_id = ?",
                ", reader AS (
                   INSERT INTO readers (id, last_assigned_at) SELECT reader_id, updated_at FROM o
                   ON CONFLICT (id) DO UPDATE SET last_assigned_at = excluded.last_assigned_at)"
            ),
            Self::Result { .. } => moving!(
                ", revision = revision + 1",
                ", result AS (
                   INSERT INTO results (order_id, revision, text_sealed, media_ids, submitted_at)
                   SELECT id, revision, ?, ?, updated_at FROM o
                   ON CONFLICT (order_id) DO UPDATE SET revision = excluded.revision,
                     text_sealed = excluded.text_sealed, media_ids = excluded.media_ids,
                     submitted_at = excluded.submitted_at)"
            ),
            Self::Rating { .. } => moving!(
                ", rating = ?, comment_sealed = ?, rated_at = ?",
                ", reader AS (
                   INSERT INTO readers AS r (id, ratings, rating_sum) SELECT reader_id, 1, rating FROM o
                   ON CONFLICT (id) DO UPDATE
                   SET ratings = r.ratings + 1, rating_sum = r.rating_sum + excluded.rating_sum)"
            ),
        }
    }

    /// The values of what changes in the order.
    fn set<'s>(&'s self, statement: Statement<'s>, now: DateTime<Utc>) -> Statement<'s> {
        match self {
            Self::Nothing | Self::Result { .. } => statement,
            Self::Reader(reader) => statement.with(*reader),
            Self::Rating {
                rating,
                comment_sealed,
            } => statement.with(*rating).with(comment_sealed.as_deref()).with(now),
        }
    }

    /// The values of what is written besides.
    fn more<'s>(&'s self, statement: Statement<'s>) -> Statement<'s> {
        match self {
            Self::Nothing | Self::Reader(_) | Self::Rating { .. } => statement,
            Self::Result {
                text_sealed,
                media_ids,
            } => statement.with(text_sealed.as_slice()).with(media_ids.as_slice()),
        }
    }
}

/// Writes a move on behalf of `caller`, and `news` of it. Answers whether it did: not when the order has another
/// version by now.
pub async fn write(
    conn: &mut Conn,
    caller: &Caller,
    step: &Move<'_>,
    news: &Announced,
) -> Result<bool, DbError> {
    let statement = Statement::new(step.change.sql())
        .with(step.to.name())
        .with(step.now)
        .with(step.due_at)
        .with(step.now);
    let statement = step
        .change
        .set(statement, step.now)
        .for_caller(caller)
        .with(step.order.id)
        .with(step.order.version)
        .with(step.actor)
        .with(step.action.name())
        .with(step.order.status_name())
        .with(step.reason);
    let statement = news.written_by(step.change.more(statement)).and(" FROM o");
    Ok(statement.execute(conn).await? == 1)
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
