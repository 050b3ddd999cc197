//! What is offered.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use parlour_http::Cursor;
use uuid::Uuid;

use crate::schema::services;

/// A row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, treat_none_as_null = true)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Service {
    pub id: Uuid,
    pub kind: String,
    pub name: String,
    pub description: String,
    pub price: i64,
    pub currency: String,
    pub duration_minutes: i32,
    pub delivery_mode: String,
    pub requires_payment: bool,
    pub active: bool,
    pub assignment_minutes: Option<i32>,
    pub result_minutes: Option<i32>,
    pub review_minutes: Option<i32>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Which services.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<String>,
    /// Those that can be ordered, or those that cannot.
    pub active: Option<bool>,
}

impl Filter {
    fn query(&self) -> services::BoxedQuery<'_, Pg> {
        let mut query = services::table.into_boxed();
        if let Some(kind) = &self.kind {
            query = query.filter(services::kind.eq(kind));
        }
        if let Some(active) = self.active {
            query = query.filter(services::active.eq(active));
        }
        query
    }
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// A page, the newest first: behind `cursor` when there is one, else from `offset` on.
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    cursor: Option<Cursor>,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<Service>> {
    let mut query = filter
        .query()
        .select(Service::as_select())
        .order((services::created_at.desc(), services::id.desc()))
        .limit(limit);
    query = match cursor {
        Some(cursor) => query.filter(
            sql::<Bool>("(created_at, id) < (")
                .bind::<diesel::sql_types::Timestamptz, _>(cursor.at)
                .sql(", ")
                .bind::<diesel::sql_types::Uuid, _>(cursor.id)
                .sql(")"),
        ),
        None => query.offset(offset),
    };
    query.load(conn).await
}

/// Inserts a new service.
pub async fn insert(conn: &mut Conn, service: &Service) -> QueryResult<()> {
    diesel::insert_into(services::table)
        .values(service)
        .execute(conn)
        .await?;
    Ok(())
}

/// The service, locked until the transaction ends.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Service> {
    services::table
        .find(id)
        .select(Service::as_select())
        .for_update()
        .first(conn)
        .await
}

/// Writes the service as a whole.
pub async fn save(conn: &mut Conn, service: &Service) -> QueryResult<()> {
    diesel::update(services::table.find(service.id))
        .set(service)
        .execute(conn)
        .await?;
    Ok(())
}
