//! What people have read.

use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// Marks everything up to a message as read. Answers its conversation, its number, and
/// whether less had been read; nothing where they take no part in such a conversation.
pub async fn mark(
    conn: &mut Conn,
    reader: Uuid,
    session: Option<Uuid>,
    message: Uuid,
) -> QueryResult<Option<(Uuid, i64, bool)>> {
    Statement::<(SqlUuid, BigInt, Bool)>::of(
        "WITH m AS (
           SELECT m.session_id, m.seq FROM messages m
           JOIN participants p ON p.session_id = m.session_id AND p.user_id = ? AND p.left_at IS NULL
           WHERE m.id = ? AND (?::uuid IS NULL OR m.session_id = ?)),
         marked AS (
           UPDATE participants p SET last_read_seq = m.seq,
             own_unread = CASE WHEN p.own_unread = 0 THEN 0 ELSE
               (SELECT count(*) FROM messages o
                WHERE o.session_id = p.session_id AND o.sender_id = p.user_id AND o.seq > m.seq) END
           FROM m WHERE p.session_id = m.session_id AND p.user_id = ? AND p.last_read_seq < m.seq
           RETURNING p.user_id)
         SELECT m.session_id, m.seq, EXISTS (SELECT FROM marked) FROM m",
    )
    .with(reader)
    .with(message)
    .with(session)
    .with(session)
    .with(reader)
    .get_result(conn)
    .await
    .optional()
}
