//! Groups.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Integer, Text, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// A group.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Group {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub category: String,
    pub members: i32,
}

type Types = (SqlUuid, Text, Text, Text, Integer);
type Found = (Uuid, String, String, String, i32);

fn group(found: Found) -> Group {
    Group {
        id: found.0,
        name: found.1,
        description: found.2,
        category: found.3,
        members: found.4,
    }
}

/// Makes a group of a conversation.
pub async fn insert(conn: &mut Conn, group: &Group, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::<Untyped>::of(
        "INSERT INTO groups (session_id, name, description, category, members, created_at)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .with(group.id)
    .with(group.name.as_str())
    .with(group.description.as_str())
    .with(group.category.as_str())
    .with(group.members)
    .with(now)
    .execute(conn)
    .await
    .map(drop)
}

/// A page, the newest first.
pub async fn page(mut conn: &Conn, limit: i64, offset: i64) -> QueryResult<Vec<Group>> {
    let found: Vec<Found> = Statement::<Types>::of(
        "SELECT session_id, name, description, category, members FROM groups
         ORDER BY created_at DESC, session_id DESC LIMIT ? OFFSET ?",
    )
    .with(limit)
    .with(offset)
    .load(&mut conn)
    .await?;
    Ok(found.into_iter().map(group).collect())
}

/// How many there are.
pub async fn count(mut conn: &Conn) -> QueryResult<i64> {
    let (count,): (i64,) = Statement::<(BigInt,)>::of("SELECT count(*) FROM groups")
        .get_result(&mut conn)
        .await?;
    Ok(count)
}

/// A group, locked until the transaction ends.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Group>> {
    let found: Option<Found> = Statement::<Types>::of(
        "SELECT session_id, name, description, category, members FROM groups WHERE session_id = ? FOR UPDATE",
    )
    .with(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(found.map(group))
}

/// Adds to the number of a group's members; a conversation that is no group has none.
pub async fn add_members(conn: &mut Conn, id: Uuid, more: i32) -> QueryResult<()> {
    Statement::<Untyped>::of("UPDATE groups SET members = members + ? WHERE session_id = ?")
        .with(more)
        .with(id)
        .execute(conn)
        .await
        .map(drop)
}
