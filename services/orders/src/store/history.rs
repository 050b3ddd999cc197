//! An order with what happened to it and what came of it, as one moment saw it all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Jsonb, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, caller};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::orders::{Order, columns, joined, seen_by};
use super::statement::Statement;
use crate::viewer::Viewer;

/// An order and its surroundings.
#[derive(Debug, QueryableByName)]
pub struct Story {
    /// The order.
    #[diesel(embed)]
    pub order: Order,
    #[diesel(sql_type = Nullable<Integer>)]
    result_revision: Option<i32>,
    #[diesel(sql_type = Nullable<Binary>)]
    text_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Array<SqlUuid>>)]
    media_ids: Option<Vec<Uuid>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    submitted_at: Option<DateTime<Utc>>,
    /// How many ratings its reader has.
    #[diesel(sql_type = BigInt)]
    pub ratings: i64,
    /// Their sum.
    #[diesel(sql_type = BigInt)]
    pub rating_sum: i64,
    #[diesel(sql_type = Jsonb)]
    history: serde_json::Value,
}

/// One entry, with the name of who did it.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Entry {
    pub version: i64,
    pub at: DateTime<Utc>,
    pub actor_id: Option<Uuid>,
    pub actor_name: Option<String>,
    pub action: String,
    pub from_status: Option<String>,
    pub to_status: String,
    #[serde(deserialize_with = "from_base64")]
    pub reason_sealed: Option<Vec<u8>>,
}

/// The last result of an order.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct ResultRow {
    pub revision: i32,
    pub text_sealed: Vec<u8>,
    pub media_ids: Vec<Uuid>,
    pub submitted_at: DateTime<Utc>,
}

/// PostgreSQL breaks base64 into lines.
fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| {
        STANDARD
            .decode(text.replace('\n', ""))
            .map_err(serde::de::Error::custom)
    })
    .transpose()
}

impl Story {
    /// What happened, in order, without the first entry: that the order itself tells.
    pub fn entries(&self) -> Result<Vec<Entry>, serde_json::Error> {
        Vec::deserialize(&self.history)
    }

    /// The result, if one was handed in.
    pub fn result(&self) -> Option<ResultRow> {
        Some(ResultRow {
            revision: self.result_revision?,
            text_sealed: self.text_sealed.clone()?,
            media_ids: self.media_ids.clone()?,
            submitted_at: self.submitted_at?,
        })
    }
}

/// Where the sealed reason of the entry belongs that makes `version`.
pub fn reason_place(order: Uuid, version: i64) -> String {
    format!("order_history.reason:{order}:{version}")
}

/// Where the sealed text of a result belongs.
pub fn result_place(order: Uuid, revision: i32) -> String {
    format!("results.text:{order}:{revision}")
}

/// The order with everything around it, if the caller may know of it. In one statement: a
/// move between two would show a state without its entry. Of the history the latest 200.
pub async fn find(mut conn: &Conn, id: Uuid, viewer: &Viewer) -> QueryResult<Story> {
    let caller = Caller::from(viewer.scope());
    let statement = Statement::new(concat!(
        "SELECT ",
        columns!(),
        ", t.revision AS result_revision, t.text_sealed, t.media_ids, t.submitted_at,
           coalesce(g.ratings, 0) AS ratings, coalesce(g.rating_sum, 0) AS rating_sum,
           (SELECT coalesce(jsonb_agg(to_jsonb(h) ORDER BY h.version), '[]') FROM (
              SELECT e.version, e.at, e.actor_id, p.display_name AS actor_name, e.action, e.from_status,
                e.to_status, encode(e.reason_sealed, 'base64') AS reason_sealed
              FROM order_history e LEFT JOIN people p ON p.id = e.actor_id
              WHERE e.order_id = o.id ORDER BY e.version DESC LIMIT 200) h) AS history
         FROM orders",
        joined!(),
        "
         LEFT JOIN results t ON t.order_id = o.id LEFT JOIN readers g ON g.id = o.reader_id
         WHERE ",
        caller!(),
        " AND o.id = ? AND "
    ));
    let statement = seen_by(statement.for_caller(&caller).with(id), viewer);
    statement.get_result(&mut conn).await
}
