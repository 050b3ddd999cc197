//! What media said about files.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use parlour_db::{Caller, Conn};
use uuid::Uuid;

use crate::schema::files;

/// Of `ids`, those that are clean files of `owner` and not deleted.
pub async fn usable(mut conn: &Conn, caller: &Caller, owner: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    files::table
        .filter(caller.clone())
        .filter(files::id.eq_any(ids))
        .filter(files::owner_id.eq(owner))
        .filter(files::clean)
        .filter(diesel::dsl::not(files::deleted))
        .select(files::id)
        .load(&mut conn)
        .await
}

/// A file was scanned.
pub async fn scanned(conn: &mut Conn, id: Uuid, owner: Uuid, clean: bool) -> QueryResult<()> {
    diesel::insert_into(files::table)
        .values((
            files::id.eq(id),
            files::owner_id.eq(owner),
            files::clean.eq(clean),
            files::deleted.eq(false),
        ))
        .on_conflict(files::id)
        .do_update()
        .set((
            files::owner_id.eq(excluded(files::owner_id)),
            files::clean.eq(clean),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// A file was deleted, or is back.
pub async fn set_deleted(conn: &mut Conn, id: Uuid, deleted: bool) -> QueryResult<()> {
    diesel::update(files::table.find(id))
        .set(files::deleted.eq(deleted))
        .execute(conn)
        .await?;
    Ok(())
}
