//! `POST /api/media/quarantine/{id}/release`

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Once, Origin, PathId, RateClass, Reply, Routes, State, Success, SuperAdmin};
use serde_json::json;

use crate::error::Error;
use crate::state::Media;
use crate::store::files;
use crate::store::scans::{self, ScanResult};
use crate::telling;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_release_file, _, _, _>(RateClass::General, release_file)
}

/// Lets a file out of quarantine
///
/// From now on scanners have no say in it. It is `pending` until thumbnails were made of it, and then `ready`.
#[utoipa::path(
    post, path = "/api/media/quarantine/{id}/release", tag = "media",
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses(
        (status = 200, description = "The file as it is now.", body = Success<FileData>),
        (status = 409, description = "It is not in quarantine."),
    )
)]
pub async fn release_file(
    admin: SuperAdmin,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    once: Once,
) -> Result<Reply, ApiError> {
    let (media, caller) = (state.0.clone(), admin.id);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let mut file = files::lock_any(tx, id).await?;
        if file.status != "quarantined" {
            return Err(Error::state("status", file.shown_status()));
        }
        let now = media.now();
        scans::release(tx, id, now).await?;
        "pending".clone_into(&mut file.status);
        let decision = ScanResult {
            id: id::new(),
            file_id: id,
            scanner: "staff".to_owned(),
            verdict: "released".to_owned(),
            signatures: Vec::new(),
            scanned_at: now,
        };
        scans::add(tx, &decision).await?;
        let change = (
            Some(json!({ "status": "quarantined" })),
            Some(json!({ "status": "released" })),
        );
        let line = telling::entry(&origin, "file.release", ("file", id), change);
        Batch::default().audit(line).write(tx).await?;
        let pending = media.pending.clone();
        tx.on_commit(move || pending.notify_one());
        let file = media.show_one(&file, &[], Some(caller))?;
        Ok(Reply::ok(FileData { file })?)
    })
    .await
}
