//! Orders, as orders tells of them.

use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{Nullable, Text, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// An order.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Booking {
    pub id: Uuid,
    pub client_id: Uuid,
    pub reader_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub status: String,
}

/// What is told of an order; what is empty leaves what is known.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct News<'n> {
    pub id: Uuid,
    pub client_id: Uuid,
    pub service_name: &'n str,
    pub service_kind: &'n str,
    pub status: &'n str,
}

/// Keeps what is told and locks it.
pub async fn keep(conn: &mut Conn, news: &News<'_>) -> QueryResult<Booking> {
    let found: (Option<Uuid>, Option<Uuid>) = Statement::<(Nullable<SqlUuid>, Nullable<SqlUuid>)>::of(
        "INSERT INTO bookings AS b (id, client_id, service_name, service_kind, status) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status,
           service_name = coalesce(nullif(excluded.service_name, ''), b.service_name),
           service_kind = coalesce(nullif(excluded.service_kind, ''), b.service_kind)
         RETURNING reader_id, session_id",
    )
    .with(news.id)
    .with(news.client_id)
    .with(news.service_name)
    .with(news.service_kind)
    .with(news.status)
    .get_result(conn)
    .await?;
    Ok(Booking {
        id: news.id,
        client_id: news.client_id,
        reader_id: found.0,
        session_id: found.1,
        status: news.status.to_owned(),
    })
}

/// Says who works on it and where they talk about it.
pub async fn set(conn: &mut Conn, id: Uuid, reader: Uuid, session: Uuid) -> QueryResult<()> {
    Statement::<Untyped>::of("UPDATE bookings SET reader_id = ?, session_id = ? WHERE id = ?")
        .with(reader)
        .with(session)
        .with(id)
        .execute(conn)
        .await
        .map(drop)
}

/// An order that is known.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Booking>> {
    type Types = (SqlUuid, Nullable<SqlUuid>, Nullable<SqlUuid>, Text);
    let found: Option<(Uuid, Option<Uuid>, Option<Uuid>, String)> =
        Statement::<Types>::of("SELECT client_id, reader_id, session_id, status FROM bookings WHERE id = ?")
            .with(id)
            .get_result(conn)
            .await
            .optional()?;
    Ok(found.map(|(client_id, reader_id, session_id, status)| Booking {
        id,
        client_id,
        reader_id,
        session_id,
        status,
    }))
}
