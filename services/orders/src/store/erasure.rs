//! Forgetting what somebody wrote, and what was written for them.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;
use crate::schema::{appointments, blocked_people, files, orders};

/// Deletes every personal text that is a person's: of their orders the notes, the
/// comment and the result, which is about them; the reasons given by them or on their
/// orders; and what their appointments were about. What stays says that somebody ordered.
pub async fn erase(conn: &mut Conn, person: Uuid) -> QueryResult<()> {
    Statement::new("DELETE FROM results WHERE order_id IN (SELECT id FROM orders WHERE client_id = ?)")
        .with(person)
        .execute(conn)
        .await?;
    Statement::new(
        "UPDATE order_history SET reason_sealed = NULL
         WHERE reason_sealed IS NOT NULL
           AND (actor_id = ? OR order_id IN (SELECT id FROM orders WHERE client_id = ?))",
    )
    .with(person)
    .with(person)
    .execute(conn)
    .await?;
    diesel::update(orders::table.filter(orders::client_id.eq(person)))
        .set((
            orders::notes_sealed.eq(None::<Vec<u8>>),
            orders::comment_sealed.eq(None::<Vec<u8>>),
        ))
        .execute(conn)
        .await?;
    diesel::update(appointments::table.filter(appointments::client_id.eq(person)))
        .set((
            appointments::subject_sealed.eq(None::<Vec<u8>>),
            appointments::reason_sealed.eq(None::<Vec<u8>>),
        ))
        .execute(conn)
        .await?;
    diesel::update(appointments::table.filter(appointments::counselor_id.eq(person)))
        .set(appointments::reason_sealed.eq(None::<Vec<u8>>))
        .execute(conn)
        .await?;
    diesel::delete(files::table.filter(files::owner_id.eq(person)))
        .execute(conn)
        .await?;
    diesel::delete(blocked_people::table.find(person))
        .execute(conn)
        .await?;
    Ok(())
}
