//! The outbox, as the relay reads it.

use std::collections::{HashMap, VecDeque};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};
use uuid::Uuid;

use super::RelayError;
use crate::Envelope;

/// So many are looked over for each row in the statement that marks them.
const FEW: usize = 64;

/// The relay's statements, prepared once for a session.
#[derive(Clone)]
pub(super) struct Statements {
    fetch: Statement,
    mark_and_fetch: Statement,
    mark: Statement,
    backlog: Statement,
}

/// The oldest unpublished rows of lanes, but for those in `$not`.
macro_rules! oldest {
    ($not:literal) => {
        concat!(
            "SELECT o.id, o.type, o.aggregate, o.version, o.payload, o.traceparent, o.created_at \
             FROM unnest($1::smallint[]) AS l (lane) CROSS JOIN LATERAL ( \
               SELECT * FROM outbox WHERE lane = l.lane AND published_at IS NULL",
            $not,
            " ORDER BY seq LIMIT $2) o ORDER BY o.seq"
        )
    };
}

impl Statements {
    /// Unpublished rows are looked for afresh each time, never after the last
    /// number seen: numbers are drawn before the commit, so a lower one may appear later.
    pub(super) async fn prepare(client: &Client) -> Result<Self, RelayError> {
        Ok(Self {
            fetch: client.prepare(oldest!("")).await?,
            // What a statement marks it still reads as it was.
            mark_and_fetch: client
                .prepare(concat!(
                    "WITH marked AS (UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY($3)) ",
                    oldest!(" AND id <> ALL($3)")
                ))
                .await?,
            mark: client
                .prepare("UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY($1)")
                .await?,
            backlog: client
                .prepare(
                    "SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE published_at IS NULL \
                       LIMIT 100000) few), \
                     coalesce((SELECT extract(epoch FROM clock_timestamp() - min(o.created_at)) \
                       FROM generate_series(0, 15) AS l (lane) CROSS JOIN LATERAL ( \
                         SELECT created_at FROM outbox WHERE lane = l.lane::smallint \
                         AND published_at IS NULL ORDER BY seq LIMIT 1) o), 0)::float8",
                )
                .await?,
        })
    }

    /// The oldest unpublished events of these lanes, `per_lane` of each at the most. Marks what is `published`,
    /// in the same round trip where that is little.
    pub(super) async fn fetch(
        &self,
        client: &Client,
        source: &str,
        published: &[Uuid],
        (lanes, per_lane): (&[i16], i64),
    ) -> Result<Vec<Envelope>, RelayError> {
        let rows = if (1..=FEW).contains(&published.len()) {
            let parameters: [&(dyn ToSql + Sync); 3] = [&lanes, &per_lane, &published];
            client.query(&self.mark_and_fetch, &parameters).await?
        } else {
            self.mark(client, published).await?;
            client.query(&self.fetch, &[&lanes, &per_lane]).await?
        };
        Ok(rows.iter().map(|row| envelope(row, source)).collect())
    }

    /// Marks events as published.
    pub(super) async fn mark(&self, client: &Client, published: &[Uuid]) -> Result<(), RelayError> {
        if !published.is_empty() {
            client.execute(&self.mark, &[&published]).await?;
        }
        Ok(())
    }

    /// How many events are unpublished (counted up to 100,000), and the age of the oldest in seconds.
    pub(super) async fn backlog(&self, client: &Client) -> Result<(i64, f64), RelayError> {
        let row = client.query_one(&self.backlog, &[]).await?;
        Ok((row.get(0), row.get(1)))
    }
}

fn envelope(row: &Row, source: &str) -> Envelope {
    Envelope {
        id: row.get(0),
        event_type: row.get(1),
        source: source.to_owned(),
        aggregate: row.get(2),
        version: row.get(3),
        payload: row.get(4),
        traceparent: row.get(5),
        time: row.get(6),
    }
}

/// The events of each aggregate, in order.
pub(super) fn chains(events: Vec<Envelope>) -> Vec<VecDeque<Envelope>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut chains: Vec<VecDeque<Envelope>> = Vec::new();
    for event in events {
        let place = *places.entry(event.aggregate.clone()).or_insert(chains.len());
        match chains.get_mut(place) {
            Some(chain) => chain.push_back(event),
            None => chains.push(VecDeque::from([event])),
        }
    }
    chains
}
