//! A page costs the same however much was said and however deep it is.

use parlour_db::{DbError, Scope, Tx};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Stage, id};

/// Rows that the plan's nodes on `messages` read, by EXPLAIN ANALYZE.
fn rows_read(plan: &Value) -> f64 {
    let mut rows = 0.0;
    if plan["Relation Name"] == "messages" {
        assert!(plan["Node Type"].as_str().unwrap().contains("Index"), "{plan:#}");
        let removed = plan["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
        rows += (plan["Actual Rows"].as_f64().unwrap() + removed) * plan["Actual Loops"].as_f64().unwrap();
    }
    let below = plan["Plans"].as_array().into_iter().flatten();
    rows + below.map(rows_read).sum::<f64>()
}

async fn explained(stage: &Stage, user: Uuid, sql: String) -> Value {
    let db = stage.app.database().db("chat");
    let work = async move |tx: &mut Tx| -> Result<String, DbError> {
        use diesel::QueryableByName;
        use diesel_async::RunQueryDsl as _;
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Json, column_name = "QUERY PLAN")]
            plan: Value,
        }
        let row: Row = diesel::sql_query(format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}"))
            .get_result(tx)
            .await?;
        Ok(row.plan.to_string())
    };
    let text = db.read(Scope::Person(user), work).await.unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[0]["Plan"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_its_own_rows_and_no_more() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let said = stage.said(&stage.client, session, "first").await;
    stage
        .sql(
            "INSERT INTO chat.messages (session_id, seq, id, sender_id, kind, state, sealed, created_at)
             SELECT session_id, n, gen_random_uuid(), sender_id, kind, 'rejected', NULL, created_at
             FROM chat.messages, generate_series(2, 50000) n;
             UPDATE chat.sessions SET last_seq = 50000;
             ANALYZE chat.messages; ANALYZE chat.sessions; ANALYZE chat.participants",
        )
        .await;
    let top = |what: &str| {
        format!(
            "SELECT m.* FROM messages m WHERE m.session_id = '{session}' AND m.seq <= {what} ORDER BY m.seq DESC LIMIT 51"
        )
    };
    let by_number = |offset: i64| {
        top(&format!(
            "(SELECT s.last_seq - {offset} FROM sessions s WHERE s.id = '{session}')"
        ))
    };
    let before = top(&format!(
        "(SELECT b.seq - 1 FROM messages b WHERE b.session_id = '{session}' AND b.id = '{}')",
        id(&said)
    ));
    let replay = format!(
        "SELECT m.* FROM messages m WHERE m.session_id = '{session}' AND m.seq > 25000 ORDER BY m.seq LIMIT 51"
    );
    for sql in [by_number(0), by_number(49_000), before, replay] {
        let plan = explained(&stage, stage.reader.id, sql).await;
        assert!(rows_read(&plan) <= 52.0, "{plan:#}");
    }
    let deep = stage.page(&stage.reader, session, "&limit=10&page=5000").await;
    assert_eq!(
        crate::support::numbers(&deep["messages"], "seq"),
        (1..=10).rev().collect::<Vec<i64>>()
    );
    assert_eq!(deep["has_more"], false);
}
