//! `DELETE /api/media/quarantine/{id}`

use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{Admin, ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files;
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_destroy_file, _, _, _>(RateClass::General, destroy_file)
}

/// A file that is no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Destroyed {
    /// Its id.
    pub id: Uuid,
}

/// Destroys a file in quarantine
///
/// It is gone at once and for good, and costs its owner nothing any more.
#[utoipa::path(
    delete, path = "/api/media/quarantine/{id}", tag = "media",
    params(("id" = Uuid, Path, description = "The file.")),
    responses(
        (status = 200, description = "It is gone.", body = Success<Destroyed>),
        (status = 409, description = "It is not in quarantine."),
    )
)]
pub async fn destroy_file(
    _: Admin,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let media = state.0.clone();
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        let file = files::lock_any(tx, id).await?;
        if file.status != "quarantined" {
            return Err(Error::state("status", file.shown_status()));
        }
        media.remove(tx, &file).await?;
        let before = json!({ "status": "quarantined", "kind": file.kind, "size": file.size });
        let line = telling::entry(&origin, "file.destroy", ("file", id), (Some(before), None));
        let mut news = Batch::default();
        if file.deleted_at.is_none() {
            news = news.event(telling::aggregate(id), &telling::deleted(&file));
        }
        news.audit(line).write(tx).await?;
        Ok(())
    };
    state.db.write(Scope::Service, work).await?;
    Reply::ok(Destroyed { id })
}
