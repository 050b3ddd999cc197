//! What a person does with their notifications.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::notifications;

/// Marks one as read, which acknowledges an emergency. `None` when there is none that `account`
/// may see, `Some(false)` when it was read before.
pub async fn read(conn: &mut Conn, account: Uuid, id: Uuid, now: DateTime<Utc>) -> QueryResult<Option<bool>> {
    let seen: Option<Option<DateTime<Utc>>> = notifications::table
        .find(id)
        .filter(notifications::account_id.eq(account))
        .filter(notifications::deleted_at.is_null())
        .filter(not(notifications::expired))
        .filter(
            notifications::expires_at
                .is_null()
                .or(notifications::expires_at.gt(now)),
        )
        .select(notifications::read_at)
        .for_update()
        .first(conn)
        .await
        .optional()?;
    match seen {
        None => Ok(None),
        Some(Some(_)) => Ok(Some(false)),
        Some(None) => {
            diesel::update(notifications::table.find(id))
                .set((
                    notifications::read_at.eq(now),
                    notifications::repeat_at.eq(None::<DateTime<Utc>>),
                ))
                .execute(conn)
                .await?;
            Ok(Some(true))
        }
    }
}

/// Marks up to `most` of a person's unread ones as read, the oldest first; answers how many.
pub async fn read_some(
    conn: &mut Conn,
    account: Uuid,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    most: i64,
) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE notifications SET read_at = $3, repeat_at = NULL WHERE id IN (
           SELECT id FROM notifications
           WHERE account_id = $1 AND read_at IS NULL AND deleted_at IS NULL AND NOT expired AND created_at <= $2
           ORDER BY created_at, id LIMIT $4 FOR UPDATE)",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await
}

/// Deletes one for its owner. False when there is none.
pub async fn delete(conn: &mut Conn, account: Uuid, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let deleted = diesel::update(notifications::table.find(id))
        .filter(notifications::account_id.eq(account))
        .filter(notifications::deleted_at.is_null())
        .filter(not(notifications::expired))
        .set((
            notifications::deleted_at.eq(now),
            notifications::repeat_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}
