//! `GET /api/media/session/{session_id}/files`

use parlour_db::Tx;
use parlour_http::{
    ApiError, Check, InPath, PageQuery, Paged, PathNamed, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::{self, Error};
use crate::http::files::list::{self, FilePage};
use crate::state::Media;
use crate::store::listing::Filter;
use crate::store::reading;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_session_files, _, _, _>(RateClass::General, session_files)
}

/// `{session_id}`
pub struct SessionId;
impl PathNamed for SessionId {
    const NAME: &'static str = "session_id";
}

/// No filters.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NoFilter {}
impl Check for NoFilter {}

/// Files of a conversation
///
/// What was sent in it or uploaded for it and can be read, the newest first. For those who take
/// part, and for monitors and admins.
#[utoipa::path(
    get, path = "/api/media/session/{session_id}/files", tag = "media",
    params(("session_id" = Uuid, Path, description = "The conversation."), PageQuery),
    responses((status = 200, description = "A page.", body = Success<FilePage>))
)]
pub async fn session_files(
    user: User,
    state: State<Media>,
    session: InPath<SessionId>,
    Paged(NoFilter {}, pages): Paged<NoFilter>,
) -> Result<Reply, ApiError> {
    let (viewer, id) = (Viewer::from(&*user), session.id()?);
    let work = async move |tx: &mut Tx| -> Result<(), Error> { admit(tx, id, viewer).await.map(drop) };
    state.db.read(parlour_db::Scope::Service, work).await?;
    // Whoever takes part sees what the policies let them see; that is the same.
    list::page(&state, viewer.scope(), viewer.id, Filter::of_session(id), pages).await
}

/// The status of a conversation that the caller takes part in, or reviews.
pub(crate) async fn admit(tx: &mut Tx, id: Uuid, viewer: Viewer) -> Result<String, Error> {
    let (status, member) = reading::session(tx, id, viewer.id).await?;
    match status {
        Some(status) if member || viewer.reviews => Ok(status),
        Some(_) => Err(error::chat_access_denied().into()),
        None => Err(error::session_not_found().into()),
    }
}
