//! `POST /api/media/bulk-scan`, `GET /api/media/bulk-scan/{id}`

use actix_web::http::StatusCode;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{
    Admin, ApiError, Check, JsonOrDefault, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State,
    Success, Time,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::bulk::{self, Choice, Progress};
use crate::telling;

/// The most files of one job, and the most jobs that are under way.
const MOST_FILES: i64 = 100_000;
const MOST_JOBS: i64 = 10;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_bulk_scan, _, _, _>(RateClass::General, bulk_scan)
        .add::<__path_bulk_scan_progress, _, _, _>(RateClass::General, bulk_scan_progress)
}

/// Which files; all that are not deleted when nothing is said.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct BulkScan {
    /// These.
    #[schema(min_items = 1, max_items = 1000)]
    pub file_ids: Option<Vec<Uuid>>,
    /// Of this person.
    pub owner_id: Option<Uuid>,
    /// `image`, `audio`, `video` or `document`.
    #[schema(max_length = 20)]
    pub kind: Option<String>,
    /// `pending`, `ready` or `quarantined`.
    #[schema(max_length = 20)]
    pub status: Option<String>,
}

impl Check for BulkScan {
    fn check(&self, problems: &mut Problems) {
        let among = |value: &Option<String>, names: &[&str]| {
            value.as_deref().is_none_or(|value| names.contains(&value))
        };
        let fine = among(&self.kind, &["image", "audio", "video", "document"]);
        problems.require(fine, "kind", "is not a kind of files");
        let fine = among(&self.status, &["pending", "ready", "quarantined"]);
        problems.require(fine, "status", "must be pending, ready or quarantined");
    }
}

/// The job that scans them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkScanAccepted {
    /// Its id.
    pub job_id: Uuid,
    /// How many files it has.
    pub total: i64,
    /// Where its progress is.
    pub status_url: String,
}

/// How far a job is.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkScanProgress {
    /// Its id.
    pub id: Uuid,
    /// `running` or `done`.
    pub status: String,
    /// Its files.
    pub total: i64,
    /// Those that were scanned, or are gone.
    pub done: i64,
    /// Those that are in quarantine after it.
    pub quarantined: i64,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub finished_at: Option<Time>,
}

impl From<Progress> for BulkScanProgress {
    fn from(progress: Progress) -> Self {
        let ended = progress.done >= progress.total;
        let last = progress.last_at.unwrap_or(progress.created_at);
        Self {
            id: progress.id,
            status: if ended { "done" } else { "running" }.to_owned(),
            total: progress.total,
            done: progress.done,
            quarantined: progress.quarantined,
            started_at: progress.created_at.into(),
            finished_at: ended.then(|| last.into()),
        }
    }
}

/// Scans many files
///
/// Answered at once; new files go before those of the job. It has at most 100,000 files, the newest.
#[utoipa::path(
    post, path = "/api/media/bulk-scan", tag = "media", request_body = BulkScan,
    responses(
        (status = 202, description = "A job scans them.", body = Success<BulkScanAccepted>),
        (status = 409, description = "Too many jobs are under way."),
    )
)]
pub async fn bulk_scan(
    admin: Admin,
    state: State<Media>,
    origin: Origin,
    JsonOrDefault(body): JsonOrDefault<BulkScan>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (media, caller) = (state.0.clone(), admin.id);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let open = bulk::open_jobs(tx).await?;
        if open >= MOST_JOBS {
            return Err(Error::State(vec![format!("jobs: {open} are under way")]));
        }
        let (job, now) = (id::new(), media.now());
        let choice = Choice {
            ids: body.file_ids.as_deref(),
            owner_id: body.owner_id,
            kind: body.kind.as_deref(),
            status: body.status.as_deref(),
        };
        let total = bulk::begin(tx, job, caller, &choice, MOST_FILES, now).await?;
        let after =
            json!({ "total": total, "kind": body.kind, "status": body.status, "owner_id": body.owner_id });
        let line = telling::entry(&origin, "file.bulk_scan", ("scan_job", job), (None, Some(after)));
        Batch::default().audit(line).write(tx).await?;
        let pending = media.pending.clone();
        tx.on_commit(move || pending.notify_one());
        let accepted = BulkScanAccepted {
            job_id: job,
            total,
            status_url: format!("/api/media/bulk-scan/{job}"),
        };
        Ok(Reply::enveloped(StatusCode::ACCEPTED, accepted, None)?)
    })
    .await
}

/// Progress of a scan of many files
#[utoipa::path(
    get, path = "/api/media/bulk-scan/{id}", tag = "media",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "How far it is.", body = Success<BulkScanProgress>))
)]
pub async fn bulk_scan_progress(
    _: Admin,
    state: State<Media>,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let work = async move |tx: &mut Tx| -> Result<Progress, Error> { Ok(bulk::progress(tx, id).await?) };
    let progress = state.db.read(Scope::Service, work).await?;
    Reply::ok(BulkScanProgress::from(progress))
}
