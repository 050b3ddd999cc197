//! Reactions.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, caller};
use uuid::Uuid;

use super::messages::{From, top, with_top};
use super::sending::{ProfileRow, profile};
use super::statement::Statement;
use crate::profile::{Profile, ProfileTypes, profile_columns};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there now.
    Added,
    /// It was there.
    Removed,
    /// They have reacted to this message too often.
    TooMany,
}

/// What came of a reaction.
#[derive(Clone, Debug)]
pub struct Done {
    /// The message's number.
    pub seq: i64,
    /// What can be done with the conversation; nothing was done unless it is active.
    pub status: String,
    /// What was done.
    pub outcome: Outcome,
    /// Who reacted.
    pub profile: Profile,
}

/// Adds a reaction to a visible message, or takes the same one back. Nothing where the
/// person does not know of the message.
pub async fn toggle(
    conn: &mut Conn,
    (session, message): (Uuid, Uuid),
    user: Uuid,
    reaction: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<Done>> {
    type Types = (BigInt, Text, Bool, Bool, ProfileTypes);
    let statement = Statement::<Types>::of(concat!(
        "WITH m AS (
           SELECT m.session_id, m.seq, s.status FROM messages m JOIN sessions s ON s.id = m.session_id
           WHERE m.session_id = ? AND m.id = ? AND m.state = 'visible'),
         gone AS (
           DELETE FROM reactions r USING m
           WHERE r.session_id = m.session_id AND r.seq = m.seq AND r.user_id = ? AND r.reaction = ?
             AND m.status = 'active'
           RETURNING r.seq),
         added AS (
           INSERT INTO reactions (session_id, seq, user_id, reaction, created_at)
           SELECT m.session_id, m.seq, t.me, ?, ? FROM m, (SELECT ?::uuid AS me) t
           WHERE m.status = 'active' AND NOT EXISTS (SELECT FROM gone)
             AND 10 > (SELECT count(*) FROM reactions r
                       WHERE r.session_id = m.session_id AND r.seq = m.seq AND r.user_id = t.me)
           ON CONFLICT (session_id, seq, user_id, reaction) DO UPDATE SET created_at = excluded.created_at
           RETURNING seq)
         SELECT m.seq, m.status, EXISTS (SELECT FROM gone), EXISTS (SELECT FROM added), ",
        profile_columns!(),
        " FROM m LEFT JOIN people p ON p.id = ?"
    ));
    let found: Option<(i64, String, bool, bool, ProfileRow)> = statement
        .with(session)
        .with(message)
        .with(user)
        .with(reaction)
        .with(reaction)
        .with(now)
        .with(user)
        .with(user)
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.map(|(seq, status, removed, added, names)| Done {
        seq,
        status,
        outcome: match (removed, added) {
            (true, _) => Outcome::Removed,
            (false, true) => Outcome::Added,
            (false, false) => Outcome::TooMany,
        },
        profile: profile(names),
    }))
}

/// A reaction, and who it is from.
#[derive(Clone, Debug)]
pub struct ReactionRow {
    /// To the message with this number.
    pub seq: i64,
    /// Whose.
    pub user_id: Uuid,
    /// What.
    pub reaction: String,
    /// Who they are.
    pub profile: Profile,
}

/// The reactions to the messages from a number down.
macro_rules! reactions {
    ($top:expr) => {
        concat!(
            "WITH t AS MATERIALIZED (SELECT ",
            $top,
            " AS top) SELECT m.seq, m.user_id, m.reaction, ",
            profile_columns!(),
            " FROM t JOIN reactions m ON m.session_id = ? AND m.seq <= t.top AND m.seq > t.top - ? \
             LEFT JOIN people p ON p.id = m.user_id WHERE ",
            caller!(),
            " ORDER BY m.created_at, m.user_id, m.reaction"
        )
    };
}

/// The reactions to the messages of a page, in the order in which they came.
pub async fn of_page(
    conn: &Conn,
    caller: &Caller,
    session: Uuid,
    from: From,
    limit: i64,
) -> QueryResult<Vec<ReactionRow>> {
    let sql = match from {
        From::Offset(_) => reactions!(top!(offset)),
        From::Before(_) => reactions!(top!(before)),
    };
    let statement = with_top(Statement::of(sql), session, from);
    let statement = statement.with(session).with(limit);
    reaction_rows(conn, statement.for_caller(caller)).await
}

/// The reactions to messages behind a number.
pub async fn after(
    conn: &Conn,
    caller: &Caller,
    session: Uuid,
    seq: i64,
    limit: i64,
) -> QueryResult<Vec<ReactionRow>> {
    let statement = Statement::of(concat!(
        "SELECT m.seq, m.user_id, m.reaction, ",
        profile_columns!(),
        " FROM reactions m LEFT JOIN people p ON p.id = m.user_id \
         WHERE m.session_id = ? AND m.seq > ? AND m.seq <= ? AND ",
        caller!(),
        " ORDER BY m.created_at, m.user_id, m.reaction"
    ));
    let statement = statement.with(session).with(seq).with(seq.saturating_add(limit));
    reaction_rows(conn, statement.for_caller(caller)).await
}

type ReactionTypes = (BigInt, SqlUuid, Text, ProfileTypes);

async fn reaction_rows(
    mut conn: &Conn,
    statement: Statement<'_, ReactionTypes>,
) -> QueryResult<Vec<ReactionRow>> {
    let found: Vec<(i64, Uuid, String, ProfileRow)> = statement.load(&mut conn).await?;
    let rows = found
        .into_iter()
        .map(|(seq, user_id, reaction, names)| ReactionRow {
            seq,
            user_id,
            reaction,
            profile: profile(names),
        });
    Ok(rows.collect())
}
