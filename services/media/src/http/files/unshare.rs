//! `DELETE /api/media/files/{id}/share/{share_id}`

use parlour_db::{Scope, Tx};
use parlour_events::audit;
use parlour_http::{
    ApiError, InPath, Origin, PathId, PathNamed, RateClass, Reply, Routes, State, Success, User,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::shares;
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_end_share, _, _, _>(RateClass::General, end_share)
}

/// `{share_id}`
pub struct ShareId;
impl PathNamed for ShareId {
    const NAME: &'static str = "share_id";
}

/// What is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedData {
    /// The share.
    pub id: Uuid,
}

/// Ends a share
#[utoipa::path(
    delete, path = "/api/media/files/{id}/share/{share_id}", tag = "media",
    params(
        ("id" = Uuid, Path, description = "The file."),
        ("share_id" = Uuid, Path, description = "The share."),
    ),
    responses((status = 200, description = "It is over.", body = Success<EndedData>))
)]
pub async fn end_share(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(file): PathId,
    share: InPath<ShareId>,
) -> Result<Reply, ApiError> {
    let (owner, id) = (user.id, share.id()?);
    let work = async move |tx: &mut Tx| -> Result<Reply, Error> {
        if !shares::delete(tx, id, file, owner).await? {
            return Err(Error::NotFound);
        }
        let before = json!({ "share_id": id });
        audit(
            tx,
            telling::entry(&origin, "file.unshare", ("file", file), (Some(before), None)),
        )
        .await?;
        Ok(Reply::ok(EndedData { id })?)
    };
    Ok(state.db.write(Scope::Person(owner), work).await?)
}
