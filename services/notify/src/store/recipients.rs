//! People as the decisions need them: one query, however many they are.

use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryResult, Queryable};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::job::Audience;

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

/// A statement whose rows are recipients; `wanted` is what comes before the columns.
macro_rules! recipients {
    ($name:ident { $($field:ident: $how:ident $sql:ty => $rust:ty),+ $(,)? } $wanted:expr) => {
        statement! {
            $name { $($field: $how $sql => $rust),+ }
            &format!("{} SELECT w.id, {COLUMNS}", $wanted)
        }
        impl diesel::query_builder::Query for $name {
            type SqlType = Row;
        }
    };
}

recipients! {
    ById { id: each SqlUuid => Uuid }
    ", wanted AS (SELECT DISTINCT id FROM given)"
}

recipients! {
    Next {
        reached: one SqlUuid => Uuid,
        wanted_ids: one Nullable<Array<SqlUuid>> => Option<Vec<Uuid>>,
        roles: one Nullable<Array<Text>> => Option<Vec<String>>,
        country: one Nullable<Text> => Option<String>,
        locale: one Nullable<Text> => Option<String>,
        most: one BigInt => i64,
    }
    ", wanted AS (SELECT q.id FROM people q, given g
       WHERE q.id > g.reached AND q.status NOT IN ('blocked', 'deleted')
         AND (g.wanted_ids IS NULL OR q.id = ANY(g.wanted_ids))
         AND (g.roles IS NULL OR q.roles && g.roles)
         AND (g.country IS NULL OR q.country = g.country)
         AND (g.locale IS NULL OR split_part(q.locale, '-', 1) = g.locale)
       ORDER BY q.id LIMIT (SELECT most FROM given))"
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
    let audience = audience.clone();
    Next {
        reached,
        wanted_ids: audience.user_ids,
        roles: audience.roles,
        country: audience.country,
        locale: audience.locale,
        most,
    }
    .load(conn)
    .await
}

statement! {
    Count {
        wanted_ids: one Nullable<Array<SqlUuid>> => Option<Vec<Uuid>>,
        roles: one Nullable<Array<Text>> => Option<Vec<String>>,
        country: one Nullable<Text> => Option<String>,
        locale: one Nullable<Text> => Option<String>,
    }
    "SELECT count(*) FROM people q, given g WHERE q.status NOT IN ('blocked', 'deleted')
       AND (g.wanted_ids IS NULL OR q.id = ANY(g.wanted_ids))
       AND (g.roles IS NULL OR q.roles && g.roles)
       AND (g.country IS NULL OR q.country = g.country)
       AND (g.locale IS NULL OR split_part(q.locale, '-', 1) = g.locale)",
    returns (BigInt)
}

/// How many people an audience has at the moment.
pub async fn count(conn: &mut Conn, audience: &Audience) -> QueryResult<i64> {
    let audience = audience.clone();
    let query = Count {
        wanted_ids: audience.user_ids,
        roles: audience.roles,
        country: audience.country,
        locale: audience.locale,
    };
    let (count,): (i64,) = query.get_result(conn).await?;
    Ok(count)
}
