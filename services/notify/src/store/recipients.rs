//! People as the decisions need them, however many they are.

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::job::Audience;
use crate::schema::people;

/// A person who may be told something.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the names say it")]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub struct Recipient {
    pub id: Uuid,
    pub name: String,
    pub roles: Vec<String>,
    pub status: String,
    pub locale: String,
    pub time_zone: Option<String>,
    pub wishes: Option<Value>,
    pub has_email: bool,
    pub email_verified: bool,
    pub email_dead: bool,
    pub has_phone: bool,
    pub phone_verified: bool,
    pub phone_dead: bool,
    pub subscriptions: Vec<Uuid>,
}

const COLUMNS: &str = "
  coalesce(nullif(p.display_name, ''), p.username, ''),
  coalesce(p.roles, '{}'), coalesce(p.status, 'active'), coalesce(p.locale, ''), p.time_zone,
  s.wishes,
  c.email_sealed IS NOT NULL, coalesce(c.email_verified, false), coalesce(c.email_dead, false),
  c.phone_sealed IS NOT NULL, coalesce(c.phone_verified, false), coalesce(c.phone_dead, false),
  ARRAY(SELECT b.id FROM subscriptions b WHERE b.account_id = w.id ORDER BY b.id)
  FROM wanted w LEFT JOIN people p ON p.id = w.id
  LEFT JOIN settings s ON s.account_id = w.id LEFT JOIN contacts c ON c.account_id = w.id
  ORDER BY w.id";

type Row = (
    SqlUuid,
    Text,
    Array<Text>,
    Text,
    Text,
    Nullable<Text>,
    Nullable<Jsonb>,
    Bool,
    Bool,
    Bool,
    Bool,
    Bool,
    Bool,
    Array<SqlUuid>,
);

statement! {
    ById { id: each SqlUuid => Uuid }
    &format!(", wanted AS (SELECT DISTINCT id FROM given) SELECT w.id, {COLUMNS}")
}

impl diesel::query_builder::Query for ById {
    type SqlType = Row;
}

/// These people, in the order of their ids. Of whom nothing is known yet there is a
/// recipient too: what is told about somebody can arrive before who they are.
pub async fn by_id(conn: &mut Conn, ids: Vec<Uuid>) -> QueryResult<Vec<Recipient>> {
    ById { id: ids }.load(conn).await
}

/// The next people of an audience behind `reached`, in the order of their ids.
pub async fn next(
    conn: &mut Conn,
    audience: &Audience,
    reached: Uuid,
    most: i64,
) -> QueryResult<Vec<Recipient>> {
    // A query of its own: PostgreSQL has to know `most` when it plans. Then it walks the primary key from `reached`
    // on, where it would else sort all who are still to be told, for each batch of them.
    let ids = next_ids(conn, audience, reached, most).await?;
    by_id(conn, ids).await
}

/// Their ids alone.
pub async fn next_ids(
    conn: &mut Conn,
    audience: &Audience,
    reached: Uuid,
    most: i64,
) -> QueryResult<Vec<Uuid>> {
    of(audience)
        .filter(people::id.gt(reached))
        .order(people::id)
        .limit(most)
        .select(people::id)
        .load(conn)
        .await
}

/// How many people an audience has at the moment.
pub async fn count(conn: &mut Conn, audience: &Audience) -> QueryResult<i64> {
    of(audience).count().get_result(conn).await
}

fn of(audience: &Audience) -> people::BoxedQuery<'_, Pg> {
    let mut query = people::table
        .filter(people::status.ne_all(["blocked", parlour_directory::DELETED]))
        .into_boxed();
    if let Some(ids) = &audience.user_ids {
        query = query.filter(people::id.eq_any(ids));
    }
    if let Some(roles) = &audience.roles {
        query = query.filter(people::roles.overlaps_with(roles));
    }
    if let Some(country) = &audience.country {
        query = query.filter(people::country.eq(country));
    }
    if let Some(locale) = &audience.locale {
        let language = sql::<Bool>("split_part(people.locale, '-', 1) = ").bind::<Text, _>(locale);
        query = query.filter(language);
    }
    query
}
