//! `PUT /api/chat/messages/{id}/read`

use parlour_http::{ApiError, PathId, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::reading;
use crate::state::Chat;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_read_message, _, _, _>(RateClass::Chat, read_message)
}

/// What is read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadMessage {
    /// The message.
    pub message_id: Uuid,
    /// Its conversation.
    pub session_id: Uuid,
    /// Its number: all up to it are read.
    pub seq: i64,
    /// Always true.
    pub is_read: bool,
}

/// Marks a message as read, and all before it
///
/// Doing it again changes nothing, so that no key is needed to do it once.
#[utoipa::path(
    put, path = "/api/chat/messages/{id}/read", tag = "chat",
    params(("id" = Uuid, Path, description = "The message.")),
    responses((status = 200, description = "It is read.", body = Success<ReadMessage>))
)]
pub async fn read_message(user: User, state: State<Chat>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let read = reading::mark_read(&state, user.id, None, id).await?;
    let data = ReadMessage {
        message_id: read.message_id,
        session_id: read.session_id,
        seq: read.seq,
        is_read: true,
    };
    Reply::said(data, "Message marked as read")
}
