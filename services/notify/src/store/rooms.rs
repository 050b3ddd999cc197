//! Who listens to which room, over all replicas.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::room_seats;

/// Takes a seat or renews it until `expires`. False when it was renewed.
pub async fn join(
    conn: &mut Conn,
    account: Uuid,
    room: &str,
    now: DateTime<Utc>,
    expires: DateTime<Utc>,
) -> QueryResult<bool> {
    diesel::insert_into(room_seats::table)
        .values((
            room_seats::account_id.eq(account),
            room_seats::room.eq(room),
            room_seats::joined_at.eq(now),
            room_seats::expires_at.eq(expires),
        ))
        .on_conflict((room_seats::account_id, room_seats::room))
        .do_update()
        .set(room_seats::expires_at.eq(expires))
        .returning(diesel::dsl::sql::<diesel::sql_types::Bool>("xmax = 0"))
        .get_result(conn)
        .await
}

/// How many seats a person has.
pub async fn count(conn: &mut Conn, account: Uuid, now: DateTime<Utc>) -> QueryResult<i64> {
    room_seats::table
        .filter(room_seats::account_id.eq(account))
        .filter(room_seats::expires_at.gt(now))
        .count()
        .get_result(conn)
        .await
}

/// Gives a seat up. False when there was none.
pub async fn leave(conn: &mut Conn, account: Uuid, room: &str) -> QueryResult<bool> {
    let left = diesel::delete(room_seats::table.find((account, room)))
        .execute(conn)
        .await?;
    Ok(left == 1)
}

/// Rooms with the number of those who are in them, the fullest first.
pub async fn active(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<(String, i64)>> {
    room_seats::table
        .filter(room_seats::expires_at.gt(now))
        .group_by(room_seats::room)
        .select((room_seats::room, diesel::dsl::count_star()))
        .order((
            diesel::dsl::count_star().desc(),
            diesel::dsl::sql::<Text>("room").asc(),
        ))
        .limit(limit)
        .load(conn)
        .await
}

/// Removes seats that were not renewed.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(room_seats::table.filter(room_seats::expires_at.le(now)))
        .execute(conn)
        .await
}
