//! `GET /api/chat/sessions/{id}`

use parlour_http::{ApiError, PathId, RateClass, Reply, Routes, State, Success, User};

use crate::reading;
use crate::state::Chat;
use crate::view::SessionDetail;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_show_session, _, _, _>(RateClass::Chat, show_session)
}

/// A conversation
///
/// For those who take part in it, monitors and admins.
#[utoipa::path(
    get, path = "/api/chat/sessions/{id}", tag = "chat",
    params(("id" = uuid::Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation.", body = Success<SessionDetail>))
)]
pub async fn show_session(user: User, state: State<Chat>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let (session, parts) = reading::session(&state, &Viewer::from(&*user), id).await?;
    Reply::ok(SessionDetail::new(&state, session, parts)?)
}
