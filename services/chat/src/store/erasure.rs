//! Forgetting a person.

use diesel::result::QueryResult;
use diesel::sql_types::{Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// The conversations that somebody takes part in.
pub async fn sessions_of(conn: &mut Conn, person: Uuid) -> QueryResult<Vec<Uuid>> {
    let found: Vec<(Uuid,)> = Statement::<(SqlUuid,)>::of(
        "SELECT session_id FROM participants WHERE user_id = ? AND left_at IS NULL ORDER BY session_id",
    )
    .with(person)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Deletes what they said, reacted with and published; the numbers of their messages stay.
pub async fn erase(conn: &mut Conn, person: Uuid) -> QueryResult<()> {
    let statements = [
        "UPDATE messages SET state = 'rejected', sealed = NULL, file_id = NULL, file_size = NULL, client_id = NULL
         WHERE sender_id = ? AND session_id IN (SELECT session_id FROM participants WHERE user_id = ?)",
        "DELETE FROM held_messages WHERE sender_id = ? OR sender_id = ?",
        "DELETE FROM reactions WHERE user_id = ?
           AND session_id IN (SELECT session_id FROM participants WHERE user_id = ?)",
        "DELETE FROM devices WHERE user_id = ? OR user_id = ?",
        "DELETE FROM direct_pairs WHERE low = ? OR high = ?",
        "DELETE FROM files WHERE owner_id = ? OR owner_id = ?",
    ];
    for sql in statements {
        Statement::<Untyped>::of(sql)
            .with(person)
            .with(person)
            .execute(conn)
            .await?;
    }
    Ok(())
}
