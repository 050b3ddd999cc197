//! The admins' search.

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use parlour_http::Cursor;
use uuid::Uuid;

use crate::schema::{accounts, profiles};
use crate::store::accounts::Account;
use crate::store::profiles::Profile;

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of a name or username.
    pub text: Option<String>,
    /// The text, if it is an id.
    pub id: Option<Uuid>,
    /// The index of the text, if it is an e-mail address.
    pub email_index: Option<Vec<u8>>,
    /// A role.
    pub role: Option<String>,
    /// A status; `pending` is a role that waits.
    pub status: Option<String>,
    /// Of this country.
    pub country: Option<String>,
    /// The country that the caller is limited to.
    pub within: Option<String>,
}

type Joined = diesel::helper_types::InnerJoin<accounts::table, profiles::table>;
type Boxed<'q> = diesel::helper_types::IntoBoxed<'q, Joined, Pg>;

impl Filter {
    fn query(&self) -> Boxed<'_> {
        let mut query = accounts::table.inner_join(profiles::table).into_boxed();
        query = query.filter(accounts::status.ne("deleted"));
        if let Some(text) = &self.text {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            let part = format!("%{escaped}%");
            let named = accounts::username
                .ilike(part.clone())
                .or(profiles::first_name.ilike(part.clone()))
                .or(profiles::last_name.ilike(part.clone()))
                .or(profiles::display_name.ilike(part));
            query = match (self.id, &self.email_index) {
                (Some(id), _) => query.filter(named.or(accounts::id.eq(id).nullable())),
                (None, Some(index)) => query.filter(named.or(accounts::email_index.eq(index))),
                (None, None) => query.filter(named),
            };
        }
        if let Some(role) = &self.role {
            query = query.filter(accounts::roles.contains(vec![role.as_str()]));
        }
        query = match self.status.as_deref() {
            Some("pending") => query.filter(accounts::requested_role.is_not_null()),
            Some(status) => query.filter(accounts::status.eq(status)),
            None => query,
        };
        for country in [&self.country, &self.within].into_iter().flatten() {
            query = query.filter(profiles::country.eq(country));
        }
        query
    }
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().select(diesel::dsl::count_star()).first(conn).await
}

/// A page, the newest first: behind `cursor` when there is one, else from `offset` on.
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    cursor: Option<Cursor>,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<(Account, Profile)>> {
    let mut query = filter
        .query()
        .select((Account::as_select(), Profile::as_select()))
        .order((accounts::created_at.desc(), accounts::id.desc()))
        .limit(limit);
    query = match cursor {
        Some(cursor) => query.filter(
            sql::<Bool>("(accounts.created_at, accounts.id) < (")
                .bind::<diesel::sql_types::Timestamptz, _>(cursor.at)
                .sql(", ")
                .bind::<diesel::sql_types::Uuid, _>(cursor.id)
                .sql(")"),
        ),
        None => query.offset(offset),
    };
    query.load(conn).await
}
