//! Claims files that are due, and settles them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Duration as Span, Utc};
use parlour_contracts::id;
use parlour_db::{DbError, Scope, Tx};
use parlour_files::kinds::Kind;
use parlour_files::picture::Refusal;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::alarm;
use super::examine::{Judgement, Said, examine};
use super::making::{Makings, make};
use crate::error::Error;
use crate::state::Media;
use crate::store::bulk;
use crate::store::files::{self, File};
use crate::store::scans::{self, ScanResult};
use crate::store::{blobs, pending};

/// A picture that is overdue as often as this is not decoded any more.
const MOST_ATTEMPTS: i64 = 5;
/// The longest that a file is put off when something is wrong with it again and again.
const LONGEST: i64 = 3600;

/// Scans until `stop`.
pub(super) async fn run(media: Arc<Media>, stop: CancellationToken) {
    let at_once = usize::from(media.settings.scan.at_once);
    let poll = Duration::from_millis(media.settings.scan.poll_ms.into());
    let mut scanning = JoinSet::new();
    while !stop.is_cancelled() {
        wait_for_scanner(&media, &stop).await;
        let free = at_once.saturating_sub(scanning.len());
        let mut found = 0;
        if free > 0 {
            match claim(&media, free).await {
                Ok(files) => {
                    found = files.len();
                    for file in files {
                        scanning.spawn(scan(media.clone(), file));
                    }
                }
                Err(error) => tracing::warn!(%error, "files that wait for their scan cannot be claimed"),
            }
        }
        if found == free && free > 0 {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = scanning.join_next() => {}
            () = media.pending.notified(), if free > 0 => {}
            () = tokio::time::sleep(poll), if free > 0 => {}
        }
    }
    while scanning.join_next().await.is_some() {}
}

/// While clamd is away nothing is claimed: it is asked now and then whether it is back.
async fn wait_for_scanner(media: &Arc<Media>, stop: &CancellationToken) {
    let Some(clamd) = &media.tools.clamd else { return };
    let retry = Duration::from_secs(media.settings.scan.retry_seconds.into());
    while media.tools.away.load(Ordering::Acquire) && !stop.is_cancelled() {
        if clamd.ping().await {
            alarm::note(media, "clamd", true, "").await;
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(retry) => {}
        }
    }
}

async fn claim(media: &Arc<Media>, most: usize) -> Result<Vec<File>, DbError> {
    let shared = media.clone();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let work = async move |tx: &mut Tx| -> Result<Vec<File>, DbError> {
        Ok(pending::claim(tx, shared.now(), lease_end(&shared), most).await?)
    };
    media.db.write(Scope::Service, work).await
}

/// What becomes of a file.
enum End {
    Ready(Box<Makings>),
    Harmful,
    /// It is taken up again.
    Later,
}

/// When a lease that begins or is renewed now ends.
fn lease_end(media: &Media) -> DateTime<Utc> {
    media.now() + Span::seconds(media.settings.scan.lease_seconds.into())
}

/// Does `work` about a claimed file and renews the lease on it meanwhile. A lease is short, so that what a
/// process had in hand that died is soon taken up by another one.
async fn holding<T>(media: &Arc<Media>, id: Uuid, work: impl Future<Output = T>) -> T {
    let pause = Duration::from_secs(media.settings.scan.lease_seconds.into()) / 3;
    let mut work = pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(pause, work.as_mut()).await {
            return done;
        }
        let until = lease_end(media);
        let renew =
            async move |tx: &mut Tx| -> Result<(), DbError> { Ok(pending::put_off(tx, id, until).await?) };
        if let Err(error) = media.db.write(Scope::Service, renew).await {
            tracing::warn!(file = %id, %error, "the lease on a file that is being scanned cannot be renewed");
        }
    }
}

async fn scan(media: Arc<Media>, file: File) {
    let (end, said) = match holding(&media, file.id, look(&media, &file)).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(file = %file.id, %error, "a file cannot be scanned at present");
            (End::Later, Vec::new())
        }
    };
    let outcome = match end {
        End::Ready(_) => "ready",
        End::Harmful => "quarantined",
        End::Later => "later",
    };
    metrics::counter!("parlour_media_scans_total", "outcome" => outcome).increment(1);
    let shared = media.clone();
    let (id, end) = (file.id, Arc::new(end));
    let work = async move |tx: &mut Tx| -> Result<(), Error> { settle(&shared, tx, id, &end, &said).await };
    if let Err(error) = media.db.write(Scope::Service, work).await {
        // Its lease runs out, and it is scanned again.
        tracing::warn!(file = %id, %error, "what became of a file cannot be written");
    }
}

/// Reads the file, asks the scanners, and makes of it what others see.
async fn look(media: &Arc<Media>, file: &File) -> Result<(End, Vec<Said>), Error> {
    let id = file.id;
    let blob_id = file.blob_id;
    let work = async move |tx: &mut Tx| -> Result<_, Error> {
        Ok((
            blobs::find(tx, blob_id).await?,
            scans::standing(tx, id).await?,
            scans::attempts(tx, id).await?,
        ))
    };
    let (blob, standing, attempts) = media.db.read(Scope::Service, work).await?;
    let kind = Kind::of_mime(&file.mime_type).ok_or(Error::NotFound)?;
    let object = media.object(&blob)?;
    if object.size > media.settings.scan.most_bytes {
        return Ok((End::Harmful, vec![Said::new("rules", "too_large", Vec::new())]));
    }
    let mut said = Vec::new();
    if !standing.released {
        let (judgement, answers) = examine(media, kind, &object).await?;
        said = answers;
        match judgement {
            Judgement::Clean => {}
            Judgement::Harmful => return Ok((End::Harmful, said)),
            Judgement::Unknown => return Ok((End::Later, said)),
        }
    }
    if file.status != "pending" {
        return Ok((End::Ready(Box::default()), said));
    }
    match make(media, kind, &object).await? {
        Ok(makings) => Ok((End::Ready(Box::new(makings)), said)),
        // That others are being worked on says nothing of this one.
        Err(Refusal::Busy) => Ok((End::Later, said)),
        Err(refusal) if refusal.is_passing() && attempts < MOST_ATTEMPTS => Ok((End::Later, said)),
        // Somebody wants it as it is: others see nothing of it.
        Err(_) if standing.released => Ok((End::Ready(Box::default()), said)),
        Err(refusal) => {
            said.push(Said::new(
                "decoder",
                "infected",
                vec![format!("not decodable: {refusal}")],
            ));
            Ok((End::Harmful, said))
        }
    }
}

/// Writes what was found. A file that is no longer as it was claimed stays as it is.
async fn settle(media: &Arc<Media>, tx: &mut Tx, id: Uuid, end: &End, said: &[Said]) -> Result<(), Error> {
    let now = media.now();
    let Ok(file) = files::lock_any(tx, id).await else {
        bulk::report(tx, id, "gone", now).await?;
        return Ok(());
    };
    if !scans::standing(tx, id).await?.due {
        return Ok(());
    }
    let attempts = scans::attempts(tx, id).await?;
    for one in said {
        // That a scanner is away is said once, not with every attempt.
        if one.verdict == "failed" && attempts > 1 {
            continue;
        }
        let result = ScanResult {
            id: id::new(),
            file_id: id,
            scanner: one.scanner.to_owned(),
            verdict: one.verdict.to_owned(),
            signatures: one
                .signatures
                .iter()
                .map(|name| name.replace('\n', " "))
                .collect(),
            scanned_at: now,
        };
        scans::add(tx, &result).await?;
    }
    let outcome = match end {
        End::Later => {
            let retry = i64::from(media.settings.scan.retry_seconds);
            let wait = if said
                .iter()
                .any(|one| one.scanner == "clamd" && one.verdict == "failed")
            {
                retry
            } else {
                (retry << attempts.clamp(0, 20)).min(LONGEST)
            };
            pending::put_off(tx, id, now + Span::seconds(wait)).await?;
            return Ok(());
        }
        End::Harmful if file.status == "quarantined" => {
            scans::rest(tx, id).await?;
            "quarantined"
        }
        End::Harmful => {
            media.settle_infected(tx, &file).await?;
            "quarantined"
        }
        End::Ready(makings) if file.status == "pending" => {
            makings.write(media, tx, &file).await?;
            media.settle_ready(tx, &file, &makings.facts).await?;
            "ready"
        }
        // Scanned again: it stays what it is.
        End::Ready(_) => {
            scans::rest(tx, id).await?;
            if file.status == "quarantined" {
                "quarantined"
            } else {
                "ready"
            }
        }
    };
    bulk::report(tx, id, outcome, now).await?;
    Ok(())
}
