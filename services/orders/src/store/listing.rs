//! Lists of orders.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use parlour_http::Cursor;
use uuid::Uuid;

use super::orders::{Order, columns, joined, seen_by};
use super::statement::Statement;
use crate::domain::number;
use crate::domain::order::Status;
use crate::viewer::Viewer;

/// Which orders, of those that the caller may know of.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose list it is.
    pub viewer: Viewer,
    /// Where they are.
    pub status: Option<Status>,
    /// Of this service.
    pub service: Option<Uuid>,
    /// Of this reader.
    pub reader: Option<Uuid>,
    /// Of this client.
    pub client: Option<Uuid>,
    /// Placed then or later.
    pub from: Option<DateTime<Utc>>,
    /// Placed before then.
    pub to: Option<DateTime<Utc>>,
    /// A number, or part of a name of service, client or reader.
    pub text: Option<String>,
    /// The text as a pattern for ILIKE.
    pattern: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Filter {
    /// Everything that the caller may know of.
    pub fn of(viewer: Viewer) -> Self {
        Self {
            viewer,
            status: None,
            service: None,
            reader: None,
            client: None,
            from: None,
            to: None,
            text: None,
            pattern: None,
        }
    }

    /// Only those that have `text` in their number or names.
    #[must_use]
    pub fn matching(mut self, text: Option<String>) -> Self {
        self.pattern = text.as_deref().map(|text| {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("%{escaped}%")
        });
        self.text = text;
        self
    }

    /// Ownership comes first and cannot be left out.
    fn apply<'f>(&'f self, statement: Statement<'f>) -> Statement<'f> {
        let mut statement = seen_by(statement.and(" WHERE "), &self.viewer);
        if let Some(status) = self.status {
            statement = statement.and(" AND o.status = ?").with(status.name());
        }
        if let Some(id) = self.service {
            statement = statement.and(" AND o.service_id = ?").with(id);
        }
        if let Some(id) = self.reader {
            statement = statement.and(" AND o.reader_id = ?").with(id);
        }
        if let Some(id) = self.client {
            statement = statement.and(" AND o.client_id = ?").with(id);
        }
        if let Some(from) = self.from {
            statement = statement.and(" AND o.created_at >= ?").with(from);
        }
        if let Some(to) = self.to {
            statement = statement.and(" AND o.created_at < ?").with(to);
        }
        if let Some(pattern) = self.pattern.as_deref() {
            statement = statement
                .and(" AND (s.name ILIKE ? OR c.display_name ILIKE ? OR r.display_name ILIKE ? OR o.number = ?)")
                .with(pattern)
                .with(pattern)
                .with(pattern)
                .with(self.text.as_deref().and_then(number::parse));
        }
        statement
    }
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    let statement = Statement::new(concat!("SELECT count(*) AS count FROM orders", joined!()));
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
) -> QueryResult<Vec<Order>> {
    let mut statement = filter.apply(Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM orders",
        joined!()
    )));
    if let Some(cursor) = cursor {
        statement = statement
            .and(" AND (o.created_at, o.id) < (?, ?)")
            .with(cursor.at)
            .with(cursor.id);
    }
    let offset = if cursor.is_some() { 0 } else { offset };
    statement
        .and(" ORDER BY o.created_at DESC, o.id DESC LIMIT ? OFFSET ?")
        .with(limit)
        .with(offset)
        .load(conn)
        .await
}
