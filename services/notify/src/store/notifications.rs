//! Notifications.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use parlour_http::Cursor;
use serde_json::Value;
use uuid::Uuid;

use super::contents::Sealed;
use crate::domain::Priority;
use crate::schema::{contents, notifications};

statement! {
    /// New notifications; those that are there already are left out.
    Insert {
        id: each SqlUuid => Uuid,
        account_id: each SqlUuid => Uuid,
        content_sealed: each Nullable<Binary> => Option<Vec<u8>>,
        content_id: each Nullable<SqlUuid> => Option<Uuid>,
        skipped: each Jsonb => Value,
        kind: each Text => String,
        priority: each Text => &'static str,
        source: each SqlUuid => Uuid,
        sender: each Nullable<SqlUuid> => Option<Uuid>,
        created_at: one Timestamptz => DateTime<Utc>,
        expires_at: each Nullable<Timestamptz> => Option<DateTime<Utc>>,
        repeat_at: each Nullable<Timestamptz> => Option<DateTime<Utc>>,
    }
    "INSERT INTO notifications (id, account_id, kind, priority, source, content_sealed, content_id,
       skipped, sender, created_at, expires_at, repeat_at)
     SELECT id, account_id, kind, priority, source, content_sealed, content_id,
       skipped, sender, created_at, expires_at, repeat_at FROM given
     ON CONFLICT (account_id, source, kind) DO NOTHING RETURNING id",
    returns (SqlUuid)
}

impl Insert {
    /// None yet, to be made at `created_at`.
    pub(crate) fn at(created_at: DateTime<Utc>) -> Self {
        Self {
            id: Vec::new(),
            account_id: Vec::new(),
            content_sealed: Vec::new(),
            content_id: Vec::new(),
            skipped: Vec::new(),
            kind: Vec::new(),
            priority: Vec::new(),
            source: Vec::new(),
            sender: Vec::new(),
            created_at,
            expires_at: Vec::new(),
            repeat_at: Vec::new(),
        }
    }
}

/// Inserts them and answers the ids of those that are new.
pub(crate) async fn insert(conn: &mut Conn, rows: Insert) -> QueryResult<Vec<Uuid>> {
    let made: Vec<(Uuid,)> = rows.load(conn).await?;
    Ok(made.into_iter().map(|(id,)| id).collect())
}

/// A notification as its owner sees it, still sealed.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Notification {
    pub id: Uuid,
    pub account_id: Uuid,
    pub kind: String,
    pub priority: String,
    pub content: Option<Sealed>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub read_at: Option<DateTime<Utc>>,
}

type Row = (
    Uuid,
    Uuid,
    String,
    String,
    Option<Vec<u8>>,
    Option<Uuid>,
    Option<Vec<u8>>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);

fn of_row(row: Row) -> Notification {
    Notification {
        id: row.0,
        account_id: row.1,
        kind: row.2,
        priority: row.3,
        content: Sealed::of(row.4, row.5, row.6),
        created_at: row.7,
        expires_at: row.8,
        read_at: row.9,
    }
}

/// Which of a person's notifications.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only unread ones.
    pub unread: bool,
    /// Only of this type.
    pub kind: Option<String>,
    /// Only of this priority.
    pub priority: Option<Priority>,
}

type Joined = diesel::helper_types::LeftJoinOn<
    notifications::table,
    contents::table,
    diesel::dsl::Eq<notifications::content_id, diesel::dsl::Nullable<contents::id>>,
>;
type Boxed<'q> = diesel::helper_types::IntoBoxed<'q, Joined, Pg>;

/// What `account` may see: theirs, not deleted, not expired. Every list begins here.
fn visible_to<'q>(account: Uuid, now: DateTime<Utc>) -> Boxed<'q> {
    notifications::table
        .left_join(contents::table.on(notifications::content_id.eq(contents::id.nullable())))
        .into_boxed()
        .filter(notifications::account_id.eq(account))
        .filter(notifications::deleted_at.is_null())
        .filter(not(notifications::expired))
        .filter(
            notifications::expires_at
                .is_null()
                .or(notifications::expires_at.gt(now)),
        )
}

macro_rules! columns {
    () => {
        (
            notifications::id,
            notifications::account_id,
            notifications::kind,
            notifications::priority,
            notifications::content_sealed,
            notifications::content_id,
            contents::sealed.nullable(),
            notifications::created_at,
            notifications::expires_at,
            notifications::read_at,
        )
    };
}

/// A page, the newest first: behind `cursor` when there is one, else from `offset` on.
pub async fn page(
    mut conn: &Conn,
    account: Uuid,
    filter: &Filter,
    from: (Option<Cursor>, i64),
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Notification>> {
    let mut query = visible_to(account, now);
    if filter.unread {
        query = query.filter(notifications::read_at.is_null());
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(notifications::kind.eq(kind));
    }
    if let Some(priority) = filter.priority {
        query = query.filter(notifications::priority.eq(priority.name()));
    }
    query = match from {
        (Some(cursor), _) => query.filter(
            diesel::dsl::sql::<Bool>("(notifications.created_at, notifications.id) < (")
                .bind::<Timestamptz, _>(cursor.at)
                .sql(", ")
                .bind::<SqlUuid, _>(cursor.id)
                .sql(")"),
        ),
        (None, offset) => query.offset(offset),
    };
    let rows: Vec<Row> = query
        .order((notifications::created_at.desc(), notifications::id.desc()))
        .limit(limit)
        .select(columns!())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(of_row).collect())
}

/// Unread ones after `last` (all when it is unknown), the oldest first.
pub async fn unread_after(
    mut conn: &Conn,
    account: Uuid,
    last: Option<Uuid>,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Notification>> {
    let mut query = visible_to(account, now).filter(notifications::read_at.is_null());
    if let Some(last) = last {
        let at: Option<DateTime<Utc>> = notifications::table
            .find(last)
            .filter(notifications::account_id.eq(account))
            .select(notifications::created_at)
            .first(&mut conn)
            .await
            .optional()?;
        if let Some(at) = at {
            query = query.filter(
                diesel::dsl::sql::<Bool>("(notifications.created_at, notifications.id) > (")
                    .bind::<Timestamptz, _>(at)
                    .sql(", ")
                    .bind::<SqlUuid, _>(last)
                    .sql(")"),
            );
        }
    }
    let rows: Vec<Row> = query
        .order((notifications::created_at.asc(), notifications::id.asc()))
        .limit(limit)
        .select(columns!())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(of_row).collect())
}

/// Those of these ids that are there, whatever became of them.
pub async fn by_ids(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Notification>> {
    let rows: Vec<Row> = notifications::table
        .left_join(contents::table.on(notifications::content_id.eq(contents::id.nullable())))
        .filter(notifications::id.eq_any(ids))
        .select(columns!())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(of_row).collect())
}

/// The notification of a person, source and type.
pub async fn by_source(
    conn: &mut Conn,
    accounts: &[Uuid],
    source: Uuid,
    kind: &str,
) -> QueryResult<Vec<(Uuid, Uuid)>> {
    notifications::table
        .filter(notifications::account_id.eq_any(accounts))
        .filter(notifications::source.eq(source))
        .filter(notifications::kind.eq(kind))
        .order(notifications::account_id)
        .select((notifications::id, notifications::account_id))
        .load(conn)
        .await
}
