//! Conversations as people see them.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use parlour_http::Cursor;
use uuid::Uuid;

use super::sending::{ProfileRow, profile};
use super::statement::Statement;
use crate::domain::kinds::SessionStatus;
use crate::profile::{Profile, ProfileTypes, profile_columns};

/// A conversation as somebody sees it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Session {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    pub booking_id: Option<Uuid>,
    pub metadata_sealed: Option<Vec<u8>>,
    pub last_message_at: Option<DateTime<Utc>>,
    pub active_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub unread: i64,
    /// The first fifty who take part.
    pub participants: Vec<Uuid>,
    /// The order: its status, service, kind of service, and client.
    pub booking: Option<(String, String, String)>,
    pub client: Profile,
}

type Types = (
    SqlUuid,
    Text,
    Text,
    Nullable<SqlUuid>,
    Nullable<Binary>,
    Nullable<Timestamptz>,
    Timestamptz,
    Timestamptz,
    BigInt,
    Array<SqlUuid>,
    (Nullable<Text>, Nullable<Text>, Nullable<Text>),
    ProfileTypes,
);

type Found = (
    Uuid,
    String,
    String,
    Option<Uuid>,
    Option<Vec<u8>>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    DateTime<Utc>,
    i64,
    Vec<Uuid>,
    (Option<String>, Option<String>, Option<String>),
    ProfileRow,
);

/// The columns of [`Session`], of `s`, `m`, `b` and `p`.
macro_rules! columns {
    () => {
        concat!(
            "SELECT s.id, s.kind, s.status, s.booking_id, s.metadata_sealed, s.last_message_at, s.active_at, \
             s.created_at, greatest(coalesce(s.last_seq - m.last_read_seq - m.own_unread, 0), 0), \
             coalesce((SELECT array_agg(x.user_id ORDER BY x.joined_at, x.user_id) FROM \
               (SELECT y.user_id, y.joined_at FROM participants y \
                WHERE y.session_id = s.id AND y.left_at IS NULL ORDER BY y.joined_at, y.user_id LIMIT 50) x), \
               '{}'), b.status, b.service_name, b.service_kind, ",
            profile_columns!()
        )
    };
}

fn session(found: Found) -> Session {
    let booking = match found.10 {
        (Some(status), Some(name), Some(kind)) => Some((status, name, kind)),
        _ => None,
    };
    Session {
        id: found.0,
        kind: found.1,
        status: found.2,
        booking_id: found.3,
        metadata_sealed: found.4,
        last_message_at: found.5,
        active_at: found.6,
        created_at: found.7,
        unread: found.8,
        participants: found.9,
        booking,
        client: profile(found.11),
    }
}

/// A conversation, as `user` sees it.
pub async fn find(mut conn: &Conn, id: Uuid, user: Uuid) -> QueryResult<Option<Session>> {
    let found: Option<Found> = Statement::<Types>::of(concat!(
        columns!(),
        " FROM sessions s LEFT JOIN participants m ON m.session_id = s.id AND m.user_id = ? \
         LEFT JOIN bookings b ON b.id = s.booking_id LEFT JOIN people p ON p.id = b.client_id WHERE s.id = ?"
    ))
    .with(user)
    .with(id)
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(found.map(session))
}

/// Which of somebody's conversations.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose.
    pub user: Uuid,
    /// With this status; all without one.
    pub status: Option<SessionStatus>,
    /// Of this order.
    pub booking: Option<Uuid>,
}

impl Filter {
    fn apply<'f, T>(&'f self, statement: Statement<'f, T>) -> Statement<'f, T> {
        let mut statement = statement
            .and(" WHERE m.user_id = ? AND m.left_at IS NULL")
            .with(self.user);
        if let Some(status) = self.status {
            statement = statement.and(" AND s.status = ?").with(status.name());
        }
        if let Some(booking) = self.booking {
            statement = statement.and(" AND s.booking_id = ?").with(booking);
        }
        statement
    }
}

/// How many there are.
pub async fn count(mut conn: &Conn, filter: &Filter) -> QueryResult<i64> {
    let statement = Statement::<(BigInt,)>::of(
        "SELECT count(*) FROM participants m JOIN sessions s ON s.id = m.session_id",
    );
    let (count,): (i64,) = filter.apply(statement).get_result(&mut conn).await?;
    Ok(count)
}

/// A page, the last active first: behind `cursor` when there is one, else from `offset` on.
pub async fn page(
    mut conn: &Conn,
    filter: &Filter,
    cursor: Option<Cursor>,
    (limit, offset): (i64, i64),
) -> QueryResult<Vec<Session>> {
    let mut statement = filter.apply(Statement::<Types>::of(concat!(
        columns!(),
        " FROM participants m JOIN sessions s ON s.id = m.session_id \
         LEFT JOIN bookings b ON b.id = s.booking_id LEFT JOIN people p ON p.id = b.client_id"
    )));
    if let Some(cursor) = cursor {
        statement = statement
            .and(" AND (s.active_at, s.id) < (?, ?)")
            .with(cursor.at)
            .with(cursor.id);
    }
    let offset = if cursor.is_some() { 0 } else { offset };
    let found: Vec<Found> = statement
        .and(" ORDER BY s.active_at DESC, s.id DESC LIMIT ? OFFSET ?")
        .with(limit)
        .with(offset)
        .load(&mut conn)
        .await?;
    Ok(found.into_iter().map(session).collect())
}

/// Somebody who takes part, what they are to it, and who they are.
pub type Part = (Uuid, String, Profile);

/// Those who take part, at most a hundred of them.
pub async fn parts(mut conn: &Conn, session: Uuid) -> QueryResult<Vec<Part>> {
    let found: Vec<(Uuid, String, ProfileRow)> = Statement::<(SqlUuid, Text, ProfileTypes)>::of(concat!(
        "SELECT m.user_id, m.role, ",
        profile_columns!(),
        " FROM participants m LEFT JOIN people p ON p.id = m.user_id \
         WHERE m.session_id = ? AND m.left_at IS NULL ORDER BY m.joined_at, m.user_id LIMIT 100"
    ))
    .with(session)
    .load(&mut conn)
    .await?;
    let parts = found.into_iter();
    Ok(parts
        .map(|(id, role, names)| (id, role, profile(names)))
        .collect())
}
