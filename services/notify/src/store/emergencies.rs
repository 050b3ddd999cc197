//! Emergencies that nobody has acknowledged.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use parlour_http::Cursor;
use uuid::Uuid;

use super::notifications::{self, Notification};
use crate::domain::Priority;
use crate::schema::{notifications as rows, people};

/// An emergency and how often it was repeated.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Repeating {
    pub notification: Notification,
    pub round: i32,
}

/// Those that are due, locked.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<Repeating>> {
    let found: Vec<(Uuid, i32)> = rows::table
        .filter(rows::repeat_at.le(now))
        .filter(rows::read_at.is_null())
        .filter(rows::deleted_at.is_null())
        .filter(not(rows::expired))
        .filter(rows::expires_at.is_null().or(rows::expires_at.gt(now)))
        .order(rows::repeat_at)
        .limit(most)
        .select((rows::id, rows::round))
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let notifications = notifications::by_ids(conn, &ids).await?;
    let round = |id: Uuid| {
        found
            .iter()
            .find(|(found, _)| *found == id)
            .map_or(0, |(_, round)| *round)
    };
    Ok(notifications
        .into_iter()
        .map(|notification| Repeating {
            round: round(notification.id),
            notification,
        })
        .collect())
}

/// It was repeated, and is again then.
pub async fn repeated(conn: &mut Conn, id: Uuid, next: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(rows::table.find(id))
        .set((rows::round.eq(rows::round + 1), rows::repeat_at.eq(next)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Those that are neither acknowledged nor expired, the newest first, of people in `country`
/// if one is given: with name and rounds.
pub async fn active(
    conn: &mut Conn,
    country: Option<&str>,
    cursor: Option<Cursor>,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<(Repeating, Option<String>, Option<Uuid>)>> {
    let mut query = rows::table
        .left_join(people::table.on(people::id.eq(rows::account_id)))
        .into_boxed()
        .filter(rows::priority.eq(Priority::Emergency.name()))
        .filter(rows::repeat_at.is_not_null())
        .filter(rows::read_at.is_null())
        .filter(rows::deleted_at.is_null())
        .filter(not(rows::expired))
        .filter(rows::expires_at.is_null().or(rows::expires_at.gt(now)));
    if let Some(country) = country {
        query = query.filter(people::country.eq(country));
    }
    if let Some(cursor) = cursor {
        query = query.filter(
            diesel::dsl::sql::<diesel::sql_types::Bool>("(notifications.created_at, notifications.id) < (")
                .bind::<diesel::sql_types::Timestamptz, _>(cursor.at)
                .sql(", ")
                .bind::<diesel::sql_types::Uuid, _>(cursor.id)
                .sql(")"),
        );
    }
    let found: Vec<(Uuid, i32, Option<String>, Option<Uuid>)> = query
        .order((rows::created_at.desc(), rows::id.desc()))
        .limit(limit)
        .select((
            rows::id,
            rows::round,
            people::display_name.nullable(),
            rows::sender,
        ))
        .load(conn)
        .await?;
    let ids: Vec<Uuid> = found.iter().map(|(id, ..)| *id).collect();
    let mut loaded = notifications::by_ids(conn, &ids).await?;
    let mut list = Vec::with_capacity(found.len());
    for (id, round, name, sender) in found {
        if let Some(position) = loaded.iter().position(|row| row.id == id) {
            let notification = loaded.swap_remove(position);
            list.push((Repeating { notification, round }, name, sender));
        }
    }
    Ok(list)
}
