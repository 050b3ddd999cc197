//! `POST /chat/mark-notification-read/{notification_id}/`

use actix_web::http::StatusCode;
use parlour_http::{ApiError, Call, Extract, Origin, RateClass, Reply, Routes, State, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::notifications::read::read;
use crate::state::Notify;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_mark_read_safetalk, _, _, _>(RateClass::Chat, mark_read_safetalk)
}

/// The `{notification_id}` of the path.
pub struct NotificationId(Uuid);

impl Extract for NotificationId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let found = call.params.iter().find(|(name, _)| name == "notification_id");
        let text = found.map_or("", |(_, value)| value.as_str());
        Uuid::try_parse(text)
            .map(NotificationId)
            .map_err(|_| ApiError::field("notification_id", "must be a UUID"))
    }
}

/// What SafeTalk's pages wait for.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkedRead {
    /// Always true.
    pub success: bool,
}

/// Marks one of my notifications as read
///
/// Doing it again changes nothing, so that no key is needed to do it once.
#[utoipa::path(
    post, path = "/chat/mark-notification-read/{notification_id}/", tag = "safetalk",
    params(("notification_id" = Uuid, Path, description = "The notification.")),
    responses((status = 200, description = "It is read.", body = MarkedRead))
)]
pub async fn mark_read_safetalk(
    user: User,
    state: State<Notify>,
    origin: Origin,
    NotificationId(id): NotificationId,
) -> Result<Reply, ApiError> {
    read(&state.0, user.0, id, origin).await?;
    Reply::bare(StatusCode::OK, &MarkedRead { success: true })
}
