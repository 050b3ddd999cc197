//! Which lanes this process relays.

use tokio_postgres::Client;

use super::RelayError;
use crate::hash::{self, LANES};

/// Advisory locks are of the whole database, so the key carries the schema's name.
pub(super) struct Keys {
    lanes: i32,
    presence: i32,
}

impl Keys {
    pub(super) fn of(service: &str) -> Self {
        let key = |what: &str| {
            let bytes = hash::fnv(format!("parlour.{what}.{service}").as_bytes()).to_be_bytes();
            let [a, b, c, d, ..] = bytes;
            i32::from_be_bytes([a, b, c, d])
        };
        Self {
            lanes: key("relay"),
            presence: key("relays"),
        }
    }
}

/// Says that a relay lives here, so that the others leave it its share.
pub(super) async fn enter(client: &Client, keys: &Keys) -> Result<(), RelayError> {
    client
        .execute("SELECT pg_advisory_lock_shared($1, 0)", &[&keys.presence])
        .await?;
    Ok(())
}

/// How many lanes each of the living relays should hold.
pub(super) async fn fair_share(client: &Client, keys: &Keys) -> Result<usize, RelayError> {
    let row = client
        .query_one(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
             AND classid::bigint = $1::bigint & 4294967295 AND objid = 0 AND objsubid = 2 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            &[&i64::from(keys.presence)],
        )
        .await?;
    let relays = usize::try_from(row.get::<_, i64>(0)).unwrap_or(1).max(1);
    Ok(usize::from(LANES.unsigned_abs()).div_ceil(relays))
}

/// Takes free lanes until `held` has `share` of them.
pub(super) async fn take(
    client: &Client,
    keys: &Keys,
    held: &[i16],
    share: usize,
) -> Result<Vec<i16>, RelayError> {
    let mut taken = Vec::new();
    // Replicas that start together begin at different lanes.
    let first = rand::random_range(0..LANES);
    for lane in (0..LANES).map(|i| (i + first) % LANES) {
        if held.len() + taken.len() >= share {
            break;
        }
        if held.contains(&lane) {
            continue;
        }
        let row = client
            .query_one(
                "SELECT pg_try_advisory_lock($1, $2)",
                &[&keys.lanes, &i32::from(lane)],
            )
            .await?;
        if row.get(0) {
            taken.push(lane);
        }
    }
    Ok(taken)
}

/// Gives one lane back.
pub(super) async fn give(client: &Client, keys: &Keys, lane: i16) -> Result<(), RelayError> {
    client
        .execute(
            "SELECT pg_advisory_unlock($1, $2)",
            &[&keys.lanes, &i32::from(lane)],
        )
        .await?;
    Ok(())
}
