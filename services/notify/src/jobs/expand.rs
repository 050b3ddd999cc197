//! Jobs that tell many: expanded in small batches, each one transaction with its
//! progress. A process that dies leaves a job where its last batch ended.

use std::sync::Arc;
use std::time::Instant;

use chrono::Duration;
use parlour_db::{DbError, Scope, Tx};
use uuid::Uuid;

use crate::domain::job::Audience;
use crate::error::Error;
use crate::sending::Request;
use crate::state::Notify;
use crate::store::jobs::{self, Job};
use crate::store::recipients;
use crate::telling::tell;

/// A job is another process's when it was left alone for so long.
const LEASE: Duration = Duration::seconds(60);
/// How often a batch may fail in a row.
const ATTEMPTS: i32 = 10;

/// Takes up jobs until there is none that is free.
pub(super) async fn run(notify: Arc<Notify>) -> Result<(), DbError> {
    while let Some(id) = claim(&notify).await? {
        expand(&notify, id).await?;
    }
    Ok(())
}

async fn claim(notify: &Arc<Notify>) -> Result<Option<Uuid>, DbError> {
    let now = notify.clock.now();
    let work = async move |tx: &mut Tx| -> Result<Option<Uuid>, DbError> {
        Ok(jobs::claim(tx, now, now + LEASE).await?)
    };
    notify.db.write(Scope::Service, work).await
}

/// Goes on until the job has ended, was cancelled, or has to rest.
async fn expand(notify: &Arc<Notify>, id: Uuid) -> Result<(), DbError> {
    loop {
        let (shared, began) = (notify.clone(), Instant::now());
        let work = async move |tx: &mut Tx| -> Result<bool, Error> { batch(&shared, tx, id).await };
        match notify.db.write(Scope::Service, work).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(Error::Db(error)) if error.is_outage() => return Err(error),
            Err(error) => return rest(notify, id, error).await,
        }
        // Room for whoever is waiting for an answer.
        tokio::time::sleep(notify.settings.bulk.rest(began.elapsed())).await;
    }
}

/// One batch. False when there is nothing more to do.
async fn batch(notify: &Arc<Notify>, tx: &mut Tx, id: Uuid) -> Result<bool, Error> {
    let Some(job) = jobs::lock_running(tx, id).await? else {
        return Ok(false);
    };
    let now = notify.clock.now();
    let audience: Audience =
        serde_json::from_value(job.audience.clone()).map_err(|_| parlour_vault::VaultError::Damaged)?;
    let request = request_of(notify, &job)?;
    let most = i64::from(notify.settings.bulk.batch);
    let people = recipients::next(tx, &audience, job.reached, most).await?;
    let Some(last) = people.last().map(|person| person.id) else {
        jobs::finish(tx, &job, audience.user_ids.is_some(), now).await?;
        return Ok(false);
    };
    let mut message = request.message(id, Some(job.sender), notify, job.created_at);
    message.job = Some(id);
    let told = people.len();
    tell(notify, tx, &message, people).await?;
    let done = i64::try_from(told).unwrap_or(0);
    jobs::progress(tx, id, last, (done, 0), now + LEASE).await?;
    Ok(true)
}

fn request_of(notify: &Notify, job: &Job) -> Result<Request, Error> {
    let plain = notify.vault.open(&Job::place(job.id), &job.request_sealed)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| parlour_vault::VaultError::Damaged)?)
}

/// A batch that fails is tried again later, and ends the job when it fails too often.
async fn rest(notify: &Arc<Notify>, id: Uuid, error: Error) -> Result<(), DbError> {
    tracing::warn!(job = %id, %error, "a batch of a job failed");
    let now = notify.clock.now();
    let words = error.to_string();
    let work = async move |tx: &mut Tx| -> Result<(), DbError> {
        let attempts = jobs::setback(tx, id, &words, now + Duration::seconds(5)).await?;
        if attempts >= ATTEMPTS {
            jobs::end(tx, id, "failed", Some(&words), now).await?;
        }
        Ok(())
    };
    notify.db.write(Scope::Service, work).await
}
