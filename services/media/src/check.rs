//! Whether rows and objects agree: every row has its bytes, there are no bytes without a
//! row, and what is counted is what is there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use futures_util::TryStreamExt as _;
use parlour_db::{Conn, Scope, Statement, Tx};
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::storage::seal::sealed_size;
use crate::store::blobs;

/// Ids that are looked up together.
const BATCH: usize = 500;

/// A figure that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Wrong {
    /// The blob's or the person's.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// What is written.
    #[diesel(sql_type = BigInt)]
    pub found: i64,
    /// What there is.
    #[diesel(sql_type = BigInt)]
    pub expected: i64,
}

#[derive(QueryableByName)]
struct Sized {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    size: i64,
}

/// What does not agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Objects that a row knows and that are not in the store, or not whole.
    pub lost: Vec<Uuid>,
    /// Objects in the store that no row knows.
    pub orphans: Vec<Uuid>,
    /// Files of a folder that were begun and never finished: what a process that died was writing.
    pub unfinished: Vec<PathBuf>,
    /// Blobs that are used more or less often than is counted.
    pub references: Vec<Wrong>,
    /// Blobs that somebody holds in more or fewer files than is counted.
    pub holdings: Vec<Wrong>,
    /// People who use more or less than is counted.
    pub quotas: Vec<Wrong>,
}

impl Findings {
    /// Whether everything agrees.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares everything. Objects that were written since `before` may belong to an upload that
/// is still going on, and are left out.
pub async fn check(media: &Media, before: DateTime<Utc>) -> Result<Findings, Error> {
    let work = async |tx: &mut Tx| -> Result<(Vec<Sized>, Findings), Error> {
        let known = Statement::new(
            "SELECT id, size FROM blobs UNION ALL SELECT object_id, size FROM upload_parts ORDER BY 1",
        );
        let known: Vec<Sized> = known.load(&mut **tx).await?;
        let findings = Findings {
            references: references(tx).await?,
            holdings: holdings(tx).await?,
            quotas: quotas(tx).await?,
            ..Findings::default()
        };
        Ok((known, findings))
    };
    let (known, mut findings) = media.db.read(Scope::Service, work).await?;
    let mut stored: BTreeMap<Uuid, u64> = BTreeMap::new();
    let mut listed = media.objects.list();
    while let Some(object) = listed.try_next().await? {
        stored.insert(object.id, object.size);
    }
    for row in known {
        let size = sealed_size(u64::try_from(row.size).unwrap_or_default());
        if stored.get(&row.id) != Some(&size) {
            // It may have been removed, or written, since the rows were read.
            if is_lost(media, row.id, size).await? {
                findings.lost.push(row.id);
            }
        }
    }
    findings.orphans = orphans(media, before).await?;
    findings.unfinished = media.objects.unfinished(before).await?;
    Ok(findings)
}

async fn is_lost(media: &Media, id: Uuid, size: u64) -> Result<bool, Error> {
    if media.objects.size(id).await? == Some(size) {
        return Ok(false);
    }
    let work =
        async move |tx: &mut Tx| -> Result<bool, Error> { Ok(!blobs::known(tx, &[id]).await?.is_empty()) };
    media.db.read(Scope::Service, work).await
}

/// Objects that were written before `before` and that no row knows.
pub async fn orphans(media: &Media, before: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let mut listed = media.objects.list();
    let (mut orphans, mut batch) = (Vec::new(), Vec::with_capacity(BATCH));
    while let Some(object) = listed.try_next().await? {
        if object.written_at <= before {
            batch.push(object.id);
        }
        if batch.len() == BATCH {
            unknown(media, std::mem::take(&mut batch), &mut orphans).await?;
        }
    }
    unknown(media, batch, &mut orphans).await?;
    Ok(orphans)
}

async fn unknown(media: &Media, ids: Vec<Uuid>, orphans: &mut Vec<Uuid>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let asked = ids.clone();
    let work = async move |tx: &mut Tx| -> Result<Vec<Uuid>, Error> { Ok(blobs::known(tx, &asked).await?) };
    let known = media.db.read(Scope::Service, work).await?;
    orphans.extend(ids.into_iter().filter(|id| !known.contains(id)));
    Ok(())
}

/// Removes the orphans, and what was begun before `before` and never finished, and puts every figure
/// right. What is lost stays as it is: it may be
/// the store that is not the right one.
pub async fn repair(media: &Media, findings: &Findings, before: DateTime<Utc>) -> Result<(), Error> {
    media.delete_objects(&findings.orphans).await;
    media.objects.sweep_unfinished(before).await?;
    let work = async |tx: &mut Tx| -> Result<(), Error> {
        // Nobody may change anybody's files meanwhile.
        Statement::new("LOCK TABLE quotas, holdings, blobs, files, renditions IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut **tx)
            .await?;
        for sql in REPAIRS {
            Statement::new(sql).execute(&mut **tx).await?;
        }
        Ok(())
    };
    media.db.write(Scope::Service, work).await
}

/// In this order: each stands on the one before.
const REPAIRS: [&str; 4] = [
    "UPDATE blobs b SET refs = (SELECT count(*) FROM files f WHERE f.blob_id = b.id)
       + (SELECT count(*) FROM renditions r WHERE r.blob_id = b.id)",
    "DELETE FROM holdings h WHERE NOT EXISTS (
       SELECT FROM files f WHERE f.owner_id = h.owner_id AND f.blob_id = h.blob_id)",
    "INSERT INTO holdings (owner_id, blob_id, size, files)
       SELECT f.owner_id, f.blob_id, max(b.size), count(*) FROM files f JOIN blobs b ON b.id = f.blob_id
       GROUP BY f.owner_id, f.blob_id
       ON CONFLICT (owner_id, blob_id) DO UPDATE SET size = excluded.size, files = excluded.files",
    "INSERT INTO quotas (owner_id, used)
       SELECT coalesce(q.owner_id, h.owner_id), coalesce(h.used, 0) FROM quotas q
       FULL JOIN (SELECT owner_id, sum(size)::bigint AS used FROM holdings GROUP BY owner_id) AS h USING (owner_id)
       ON CONFLICT (owner_id) DO UPDATE SET used = excluded.used",
];

async fn references(conn: &mut Conn) -> Result<Vec<Wrong>, Error> {
    let statement = Statement::new(
        "SELECT id, found, expected FROM (
           SELECT b.id, b.refs AS found, (SELECT count(*) FROM files f WHERE f.blob_id = b.id)
             + (SELECT count(*) FROM renditions r WHERE r.blob_id = b.id) AS expected FROM blobs b) AS counted
         WHERE found <> expected ORDER BY id",
    );
    Ok(statement.load(conn).await?)
}

async fn holdings(conn: &mut Conn) -> Result<Vec<Wrong>, Error> {
    let statement = Statement::new(
        "SELECT blob_id AS id, coalesce(h.files, 0) AS found, coalesce(f.files, 0) AS expected
         FROM holdings h FULL JOIN
           (SELECT owner_id, blob_id, count(*) AS files FROM files GROUP BY owner_id, blob_id) AS f
           USING (owner_id, blob_id)
         WHERE h.files IS DISTINCT FROM f.files ORDER BY 1",
    );
    Ok(statement.load(conn).await?)
}

async fn quotas(conn: &mut Conn) -> Result<Vec<Wrong>, Error> {
    let statement = Statement::new(
        "SELECT owner_id AS id, coalesce(q.used, 0) AS found, coalesce(h.used, 0) AS expected
         FROM quotas q FULL JOIN
           (SELECT h.owner_id, sum(b.size)::bigint AS used FROM holdings h JOIN blobs b ON b.id = h.blob_id
            GROUP BY h.owner_id) AS h USING (owner_id)
         WHERE coalesce(q.used, 0) <> coalesce(h.used, 0) ORDER BY 1",
    );
    Ok(statement.load(conn).await?)
}
