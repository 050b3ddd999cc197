//! Messages, in the order of their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, caller};
use uuid::Uuid;

use super::sending::{ProfileRow, profile};
use super::statement::Statement;
use crate::message::{Row, State};
use crate::profile::{Profile, ProfileTypes, profile_columns};

/// The columns of a message, of `m`, and its sender's profile, of `p`.
macro_rules! columns {
    ($seq:literal, $state:literal) => {
        concat!(
            "m.session_id, ",
            $seq,
            ", m.id, m.sender_id, m.client_id, m.kind, ",
            $state,
            ", m.sealed, m.file_id, m.file_size, m.created_at, ",
            profile_columns!()
        )
    };
}

type Columns = (
    SqlUuid,
    Nullable<BigInt>,
    SqlUuid,
    SqlUuid,
    Nullable<Text>,
    Text,
    Text,
    Nullable<Binary>,
    Nullable<SqlUuid>,
    Nullable<BigInt>,
    Timestamptz,
    ProfileTypes,
);

type Found = (
    Uuid,
    Option<i64>,
    Uuid,
    Uuid,
    Option<String>,
    String,
    String,
    Option<Vec<u8>>,
    Option<Uuid>,
    Option<i64>,
    DateTime<Utc>,
    ProfileRow,
);

/// The senders of messages that were read together.
#[derive(Default)]
struct Senders(HashMap<Uuid, Arc<Profile>>);

impl Senders {
    /// A sender, who is as in their first row.
    fn know(&mut self, id: Uuid, names: ProfileRow) -> Arc<Profile> {
        let known = self.0.entry(id);
        known.or_insert_with(|| profile(names).into()).clone()
    }
}

fn row(found: Found, senders: &mut Senders) -> Row {
    let state = match found.6.as_str() {
        "held" => State::Held,
        "rejected" => State::Rejected,
        _ => State::Visible,
    };
    Row {
        session_id: found.0,
        seq: found.1,
        id: found.2,
        sender_id: found.3,
        client_id: found.4,
        kind: found.5,
        state,
        sealed: found.7,
        file_id: found.8,
        file_size: found.9,
        created_at: found.10,
        profile: senders.know(found.3, found.11),
    }
}

async fn rows(mut conn: &Conn, statement: Statement<'_, Columns>) -> QueryResult<Vec<Row>> {
    let found: Vec<Found> = statement.load(&mut conn).await?;
    let mut senders = Senders::default();
    Ok(found.into_iter().map(|found| row(found, &mut senders)).collect())
}

/// Messages of a conversation, each sender's profile in the first of theirs only: a long page is mostly of
/// few people.
macro_rules! messages {
    ($which:expr, $order:literal) => {
        concat!(
            "SELECT ",
            columns!("m.seq", "m.state"),
            " FROM (SELECT y.*, row_number() OVER (PARTITION BY y.sender_id ORDER BY y.",
            $order,
            ") AS nth FROM (SELECT * FROM messages x WHERE x.session_id = ? AND ",
            $which,
            " ORDER BY x.",
            $order,
            " LIMIT ?) y) m LEFT JOIN people p ON p.id = m.sender_id AND m.nth = 1 WHERE ",
            caller!(),
            " ORDER BY m.",
            $order
        )
    };
}

/// Where a page begins, going down.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// Below this many of the newest.
    Offset(i64),
    /// Below a message.
    Before(Uuid),
}

/// The number of the first message of a page.
macro_rules! top {
    (offset) => {
        "(SELECT s.last_seq - ? FROM sessions s WHERE s.id = ?)"
    };
    (before) => {
        "(SELECT b.seq - 1 FROM messages b WHERE b.session_id = ? AND b.id = ?)"
    };
}

pub(super) use top;

/// Gives the `?` of [`top!`] their values.
pub(super) fn with_top<T>(statement: Statement<'_, T>, session: Uuid, from: From) -> Statement<'_, T> {
    match from {
        From::Offset(offset) => statement.with(offset).with(session),
        From::Before(before) => statement.with(session).with(before),
    }
}

/// A page of a conversation, the newest first. Numbers have no holes, so that a page that
/// is deep costs what the first one does.
pub async fn page(
    conn: &Conn,
    caller: &Caller,
    session: Uuid,
    from: From,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let sql = match from {
        From::Offset(_) => messages!(concat!("x.seq <= ", top!(offset)), "seq DESC"),
        From::Before(_) => messages!(concat!("x.seq <= ", top!(before)), "seq DESC"),
    };
    let statement = with_top(Statement::of(sql).with(session), session, from).with(limit);
    rows(conn, statement.for_caller(caller)).await
}

/// Messages behind a number, in their order.
pub async fn after(
    conn: &Conn,
    caller: &Caller,
    session: Uuid,
    seq: i64,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let statement = Statement::of(messages!("x.seq > ?", "seq"));
    let statement = statement.with(session).with(seq).with(limit);
    rows(conn, statement.for_caller(caller)).await
}

/// Held messages, the newest first: somebody's own, or all for those who look at them.
pub async fn held(
    conn: &Conn,
    session: Uuid,
    sender: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<Row>> {
    let statement = Statement::of(concat!(
        "SELECT ",
        columns!("NULL::bigint", "'held'"),
        " FROM held_messages m LEFT JOIN people p ON p.id = m.sender_id \
         WHERE m.session_id = ? AND (?::uuid IS NULL OR m.sender_id = ?) \
         ORDER BY m.created_at DESC, m.id DESC LIMIT ? OFFSET ?"
    ));
    let statement = statement.with(session).with(sender).with(sender);
    rows(conn, statement.with(limit).with(offset)).await
}

/// How many messages there are in all conversations of a person.
pub async fn count_of(mut conn: &Conn, user: Uuid) -> QueryResult<i64> {
    let (count,): (i64,) = Statement::<(BigInt,)>::of(
        "SELECT coalesce(sum(s.last_seq), 0)::bigint FROM participants m JOIN sessions s ON s.id = m.session_id \
         WHERE m.user_id = ? AND m.left_at IS NULL",
    )
    .with(user)
    .get_result(&mut conn)
    .await?;
    Ok(count)
}

/// A page of all conversations of a person, the newest first, and whether each message is
/// read: of one of theirs by somebody else, of another's by them.
pub async fn page_of(mut conn: &Conn, user: Uuid, limit: i64, offset: i64) -> QueryResult<Vec<(Row, bool)>> {
    let found: Vec<(Found, bool)> = Statement::<(Columns, Bool)>::of(concat!(
        "WITH t AS (SELECT ?::uuid AS me, ?::bigint AS deep), \
         mine AS (SELECT y.session_id, y.last_read_seq, s.last_seq, t.me, t.deep FROM t \
           JOIN participants y ON y.user_id = t.me AND y.left_at IS NULL JOIN sessions s ON s.id = y.session_id), \
         newest AS (SELECT x.*, mine.last_read_seq, mine.me FROM mine CROSS JOIN LATERAL ( \
             SELECT * FROM messages z WHERE z.session_id = mine.session_id AND z.seq > mine.last_seq - mine.deep) x \
           ORDER BY x.created_at DESC, x.id DESC LIMIT ? OFFSET ?) \
         SELECT ",
        columns!("m.seq", "m.state"),
        ", CASE WHEN m.sender_id <> m.me THEN m.seq <= m.last_read_seq ELSE EXISTS ( \
             SELECT FROM participants o WHERE o.session_id = m.session_id AND o.user_id <> m.me \
               AND o.last_read_seq >= m.seq) END \
         FROM newest m LEFT JOIN people p ON p.id = m.sender_id ORDER BY m.created_at DESC, m.id DESC"
    ))
    .with(user)
    .with(limit.saturating_add(offset))
    .with(limit)
    .with(offset)
    .load(&mut conn)
    .await?;
    let mut senders = Senders::default();
    Ok(found
        .into_iter()
        .map(|(found, read)| (row(found, &mut senders), read))
        .collect())
}

/// The number of a message in a conversation.
pub async fn seq(mut conn: &Conn, session: Uuid, id: Uuid) -> QueryResult<Option<i64>> {
    Statement::<(BigInt,)>::of("SELECT seq FROM messages WHERE session_id = ? AND id = ?")
        .with(session)
        .with(id)
        .get_result::<(i64,)>(&mut conn)
        .await
        .optional()
        .map(|found| found.map(|(seq,)| seq))
}
