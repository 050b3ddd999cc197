//! Conversations and who takes part in them.

use diesel::result::QueryResult;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// Whether somebody of a country takes part.
pub async fn in_country(mut conn: &Conn, session: Uuid, country: &str) -> QueryResult<bool> {
    let (found,): (bool,) = Statement::<(Bool,)>::of(
        "SELECT EXISTS (SELECT FROM participants m JOIN people p ON p.id = m.user_id
           WHERE m.session_id = ? AND p.country = ?)",
    )
    .with(session)
    .with(country)
    .get_result(&mut conn)
    .await?;
    Ok(found)
}
