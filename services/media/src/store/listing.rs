//! Lists of files.

use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use parlour_http::Cursor;
use uuid::Uuid;

use super::files::{File, columns};

/// Whose list it is.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// A person's own files.
    Own(Uuid),
    /// What was sent in a conversation, and can be read.
    Session(Uuid),
}

/// Which files.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose list it is.
    pub whose: Whose,
    /// In this folder itself.
    pub folder: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// In this state.
    pub status: Option<String>,
    /// Those that were deleted, or those that were not.
    pub deleted: bool,
    /// A pattern of the name for ILIKE.
    pub pattern: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The pattern for names that have `text` in them.
pub fn pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

impl Filter {
    /// All that can be read of what was sent in a conversation.
    pub fn of_session(session: Uuid) -> Self {
        Self {
            whose: Whose::Session(session),
            folder: None,
            kind: None,
            status: None,
            deleted: false,
            pattern: None,
        }
    }

    /// Ownership comes first and cannot be left out.
    fn apply<'f>(&'f self, statement: Statement<'f>) -> Statement<'f> {
        let mut statement = match self.whose {
            Whose::Own(owner) => statement.and(" WHERE f.owner_id = ?").with(owner),
            Whose::Session(session) => statement
                .and(
                    " WHERE f.status = 'ready' AND EXISTS (
                       SELECT FROM session_files s WHERE s.file_id = f.id AND s.session_id = ?)",
                )
                .with(session),
        };
        statement = statement.and(if self.deleted {
            " AND f.deleted_at IS NOT NULL"
        } else {
            " AND f.deleted_at IS NULL"
        });
        for (sql, value) in [
            (" AND f.folder = ?", &self.folder),
            (" AND f.kind = ?", &self.kind),
            (" AND f.status = ?", &self.status),
            (" AND f.name ILIKE ?", &self.pattern),
        ] {
            if let Some(value) = value.as_deref() {
                statement = statement.and(sql).with(value);
            }
        }
        statement
    }
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    let statement = Statement::new("SELECT count(*) AS count FROM files f");
    let count: Count = filter.apply(statement).get_result(conn).await?;
    Ok(count.count)
}

/// A page, the newest first: behind `cursor` when there is one, else from `offset` on.
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    cursor: Option<Cursor>,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<File>> {
    let statement = Statement::new(concat!("SELECT ", columns!(), " FROM files f"));
    let mut statement = filter.apply(statement);
    if let Some(cursor) = cursor {
        statement = statement
            .and(" AND (f.created_at, f.id) < (?, ?)")
            .with(cursor.at)
            .with(cursor.id);
    }
    let offset = if cursor.is_some() { 0 } else { offset };
    statement
        .and(" ORDER BY f.created_at DESC, f.id DESC LIMIT ? OFFSET ?")
        .with(limit)
        .with(offset)
        .load(conn)
        .await
}
