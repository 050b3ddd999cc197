//! `POST /api/media/files/{id}/scan`, `GET /api/media/files/{id}/scan-results`

use actix_web::http::StatusCode;
use parlour_auth::Principal;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{
    ApiError, Guard, Once, Origin, PathId, RateClass, Reply, Routes, Staff, State, Success, Time, User,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files::File;
use crate::store::scans::{self, ScanResult};
use crate::telling;

/// The most results that are shown.
const MOST: i64 = 50;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_scan_file, _, _, _>(RateClass::General, scan_file)
        .add::<__path_scan_results, _, _, _>(RateClass::General, scan_results)
}

/// A scan that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanAsked {
    /// The file.
    pub file_id: Uuid,
    /// Its status at present.
    pub status: String,
    /// Where the results will be.
    pub status_url: String,
}

/// What a scanner said.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultView {
    /// Its id.
    pub id: Uuid,
    /// `rules`, `clamd`, `decoder`, or `staff` for a release from quarantine.
    pub scanner: String,
    /// `clean`, `infected`, `too_large`, `failed` or `released`.
    pub verdict: String,
    /// What was found, by its names.
    pub signatures: Vec<String>,
    /// When.
    pub scanned_at: Time,
}

impl From<ScanResult> for ResultView {
    fn from(result: ScanResult) -> Self {
        Self {
            id: result.id,
            scanner: result.scanner,
            verdict: result.verdict,
            signatures: result.signatures,
            scanned_at: result.scanned_at.into(),
        }
    }
}

/// What is known of a file's scans.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanResults {
    /// The file's status.
    pub status: String,
    /// Whether a scan is under way or waits for a scanner.
    pub pending: bool,
    /// The latest fifty, the newest first.
    pub results: Vec<ResultView>,
}

/// Scans a file now
///
/// It stays what it is until the scan is done.
#[utoipa::path(
    post, path = "/api/media/files/{id}/scan", tag = "media",
    params(("id" = Uuid, Path, description = "The file.")),
    responses((status = 202, description = "It is scanned next.", body = Success<ScanAsked>))
)]
pub async fn scan_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    once: Once,
) -> Result<Reply, ApiError> {
    let (media, caller) = (state.0.clone(), user.0);
    once.write(scope(&caller), async move |tx: &mut Tx| -> Result<Reply, Error> {
        let file = of(tx, &caller, id).await?;
        if file.deleted_at.is_some() {
            return Err(Error::state("status", "deleted"));
        }
        scans::request(tx, id, media.now()).await?;
        let line = telling::entry(&origin, "file.scan", ("file", id), (None, None));
        Batch::default().audit(line).write(tx).await?;
        let pending = media.pending.clone();
        tx.on_commit(move || pending.notify_one());
        let asked = ScanAsked {
            file_id: id,
            status: file.status,
            status_url: format!("/api/media/files/{id}/scan-results"),
        };
        Ok(Reply::enveloped(StatusCode::ACCEPTED, asked, None)?)
    })
    .await
}

/// What scanners said of a file
#[utoipa::path(
    get, path = "/api/media/files/{id}/scan-results", tag = "media",
    params(("id" = Uuid, Path, description = "The file.")),
    responses((status = 200, description = "The newest first.", body = Success<ScanResults>))
)]
pub async fn scan_results(user: User, state: State<Media>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let caller = user.0;
    let scope = scope(&caller);
    let work = async move |tx: &mut Tx| -> Result<ScanResults, Error> {
        let file = of(tx, &caller, id).await?;
        let results = scans::of_file(tx, id, MOST).await?;
        Ok(ScanResults {
            status: file.shown_status().to_owned(),
            pending: scans::standing(tx, id).await?.due,
            results: results.into_iter().map(ResultView::from).collect(),
        })
    };
    Reply::ok(state.db.read(scope, work).await?)
}

fn is_staff(caller: &Principal) -> bool {
    Staff::ACCESS.allows(Some(caller))
}

fn scope(caller: &Principal) -> Scope {
    if is_staff(caller) {
        Scope::Service
    } else {
        Scope::Person(caller.id)
    }
}

/// The caller's own file, or any for staff.
async fn of(tx: &mut Tx, caller: &Principal, id: Uuid) -> Result<File, Error> {
    let owner = if is_staff(caller) { None } else { Some(caller.id) };
    Ok(scans::file(tx, id, owner).await?)
}
