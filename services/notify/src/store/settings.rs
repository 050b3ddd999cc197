//! What people want.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::domain::wishes::Wishes;
use crate::schema::{people, settings};

/// The wishes of a person, as they stand.
pub async fn find(conn: &mut Conn, account: Uuid) -> QueryResult<Wishes> {
    let found = settings::table
        .find(account)
        .select(settings::wishes)
        .first(conn)
        .await
        .optional()?;
    found.map_or_else(|| Ok(Wishes::default()), read)
}

/// The wishes of a person for a change; two changes wait for each other.
pub async fn lock(conn: &mut Conn, account: Uuid) -> QueryResult<Wishes> {
    diesel::insert_into(settings::table)
        .values((
            settings::account_id.eq(account),
            settings::wishes.eq(serde_json::json!({})),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let row = settings::table
        .find(account)
        .select(settings::wishes)
        .for_update()
        .first(conn)
        .await?;
    read(row)
}

/// Writes them.
pub async fn save(conn: &mut Conn, account: Uuid, wishes: &Wishes) -> QueryResult<()> {
    let json =
        serde_json::to_value(wishes).map_err(|e| diesel::result::Error::SerializationError(e.into()))?;
    diesel::update(settings::table.find(account))
        .set((
            settings::wishes.eq(json),
            settings::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Wishes as they are stored.
pub fn read(json: serde_json::Value) -> QueryResult<Wishes> {
    serde_json::from_value(json).map_err(|e| diesel::result::Error::DeserializationError(e.into()))
}

/// Language and zone of a person's profile.
pub async fn profile(conn: &mut Conn, account: Uuid) -> QueryResult<Option<(String, Option<String>)>> {
    people::table
        .find(account)
        .select((people::locale, people::time_zone))
        .first(conn)
        .await
        .optional()
}
