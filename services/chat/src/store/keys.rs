//! Public keys of devices.

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Untyped};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// A device's keys.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Device {
    pub device_id: String,
    pub identity_key: Vec<u8>,
    pub signed_prekey_id: i64,
    pub signed_prekey: Vec<u8>,
    pub signature: Vec<u8>,
}

/// Lets one publish at a time for a person.
pub async fn take_turns(conn: &mut Conn, user: Uuid) -> QueryResult<()> {
    Statement::<Untyped>::of("SELECT pg_advisory_xact_lock(hashtextextended('chat.keys/' || ?::text, 0))")
        .with(user)
        .execute(conn)
        .await
        .map(drop)
}

/// How many devices somebody has besides this one.
pub async fn other_devices(conn: &mut Conn, user: Uuid, device: &str) -> QueryResult<i64> {
    let (count,): (i64,) =
        Statement::<(BigInt,)>::of("SELECT count(*) FROM devices WHERE user_id = ? AND device_id <> ?")
            .with(user)
            .with(device)
            .get_result(conn)
            .await?;
    Ok(count)
}

/// Keeps a device's keys. Another identity is another device: what was published of the
/// former one goes.
pub async fn keep(conn: &mut Conn, user: Uuid, device: &Device, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::<Untyped>::of("DELETE FROM devices WHERE user_id = ? AND device_id = ? AND identity_key <> ?")
        .with(user)
        .with(device.device_id.as_str())
        .with(device.identity_key.as_slice())
        .execute(conn)
        .await?;
    Statement::<Untyped>::of(
        "INSERT INTO devices (user_id, device_id, identity_key, signed_prekey_id, signed_prekey, signature, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (user_id, device_id) DO UPDATE SET signed_prekey_id = excluded.signed_prekey_id,
           signed_prekey = excluded.signed_prekey, signature = excluded.signature, updated_at = excluded.updated_at",
    )
    .with(user)
    .with(device.device_id.as_str())
    .with(device.identity_key.as_slice())
    .with(device.signed_prekey_id)
    .with(device.signed_prekey.as_slice())
    .with(device.signature.as_slice())
    .with(now)
    .execute(conn)
    .await
    .map(drop)
}

/// Adds one-time prekeys; those whose ids were published before are left out. Answers how
/// many can be handed out now.
pub async fn add_prekeys(
    conn: &mut Conn,
    user: Uuid,
    device: &str,
    (ids, keys): (&[i64], &[Vec<u8>]),
) -> QueryResult<i64> {
    Statement::<Untyped>::of(
        "INSERT INTO prekeys (user_id, device_id, id, key)
         SELECT ?, ?, g.id, g.key FROM unnest(?, ?) AS g (id, key) ON CONFLICT DO NOTHING",
    )
    .with(user)
    .with(device)
    .with(ids)
    .with(keys)
    .execute(conn)
    .await?;
    let (count,): (i64,) = Statement::<(BigInt,)>::of(
        "SELECT count(*) FROM prekeys WHERE user_id = ? AND device_id = ? AND taken_at IS NULL",
    )
    .with(user)
    .with(device)
    .get_result(conn)
    .await?;
    Ok(count)
}

/// A device with a one-time prekey that nobody else gets, if there was one left.
pub type Handed = (Device, Option<(i64, Vec<u8>)>);

/// Hands out the keys of a person's devices.
pub async fn hand_out(conn: &mut Conn, user: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Handed>> {
    type Types = (
        Text,
        Binary,
        BigInt,
        Binary,
        Binary,
        Nullable<BigInt>,
        Nullable<Binary>,
    );
    type Found = (
        String,
        Vec<u8>,
        i64,
        Vec<u8>,
        Vec<u8>,
        Option<i64>,
        Option<Vec<u8>>,
    );
    let found: Vec<Found> = Statement::<Types>::of(
        "WITH d AS (SELECT * FROM devices WHERE user_id = ?),
         free AS (
           SELECT d.device_id, k.id FROM d CROSS JOIN LATERAL (
             SELECT p.id FROM prekeys p
             WHERE p.user_id = d.user_id AND p.device_id = d.device_id AND p.taken_at IS NULL
             ORDER BY p.id LIMIT 1 FOR UPDATE SKIP LOCKED) k),
         taken AS (
           UPDATE prekeys p SET taken_at = ? FROM free
           WHERE p.user_id = ? AND p.device_id = free.device_id AND p.id = free.id
           RETURNING p.device_id, p.id, p.key)
         SELECT d.device_id, d.identity_key, d.signed_prekey_id, d.signed_prekey, d.signature, t.id, t.key
         FROM d LEFT JOIN taken t ON t.device_id = d.device_id ORDER BY d.device_id",
    )
    .with(user)
    .with(now)
    .with(user)
    .load(conn)
    .await?;
    let handed = found.into_iter().map(|found| {
        let device = Device {
            device_id: found.0,
            identity_key: found.1,
            signed_prekey_id: found.2,
            signed_prekey: found.3,
            signature: found.4,
        };
        (device, found.5.zip(found.6))
    });
    Ok(handed.collect())
}

/// Forgets keys that were handed out long ago. Answers how many.
pub async fn sweep(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    Statement::<Untyped>::of(
        "DELETE FROM prekeys WHERE (user_id, device_id, id) IN
           (SELECT user_id, device_id, id FROM prekeys WHERE taken_at < ? LIMIT ? FOR UPDATE SKIP LOCKED)",
    )
    .with(before)
    .with(most)
    .execute(conn)
    .await
}
