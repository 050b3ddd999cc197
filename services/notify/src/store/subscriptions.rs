//! Browsers and devices that take push messages.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::subscriptions;

/// A new one.
#[derive(Insertable)]
#[diesel(table_name = subscriptions)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewSubscription {
    pub id: Uuid,
    pub account_id: Uuid,
    pub kind: &'static str,
    pub address_sealed: Vec<u8>,
    pub address_index: Vec<u8>,
    pub device: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Where the sealed address of a subscription belongs.
pub fn place(id: Uuid) -> String {
    format!("subscriptions.address:{id}")
}

/// Puts a subscription in the place of the one with the same address, whoever's that was: who
/// signs in to a browser takes its messages over. Answers how many were taken over.
pub async fn put(conn: &mut Conn, new: &NewSubscription) -> QueryResult<usize> {
    let gone =
        diesel::delete(subscriptions::table.filter(subscriptions::address_index.eq(&new.address_index)))
            .execute(conn)
            .await?;
    diesel::insert_into(subscriptions::table)
        .values(new)
        .execute(conn)
        .await?;
    Ok(gone)
}

/// How many a person has.
pub async fn count(conn: &mut Conn, account: Uuid) -> QueryResult<i64> {
    subscriptions::table
        .filter(subscriptions::account_id.eq(account))
        .count()
        .get_result(conn)
        .await
}

/// Removes the oldest of a person.
pub async fn drop_oldest(conn: &mut Conn, account: Uuid) -> QueryResult<()> {
    let oldest: Option<Uuid> = subscriptions::table
        .filter(subscriptions::account_id.eq(account))
        .order((subscriptions::created_at, subscriptions::id))
        .select(subscriptions::id)
        .first(conn)
        .await
        .optional()?;
    if let Some(id) = oldest {
        diesel::delete(subscriptions::table.find(id))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Removes one of a person. False when there is none.
pub async fn delete(conn: &mut Conn, account: Uuid, id: Uuid) -> QueryResult<bool> {
    let deleted = diesel::delete(subscriptions::table.find(id))
        .filter(subscriptions::account_id.eq(account))
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}

/// Removes one that a push service has no use for any more.
pub async fn bury(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::delete(subscriptions::table.find(id))
        .execute(conn)
        .await?;
    Ok(())
}
