//! `/chat/groups/{group_id}/chat/`

use actix_web::http::StatusCode;
use parlour_http::{ApiError, Json, Once, Query, RateClass, Reply, Routes, State, User};

use crate::http::chat::messages::send::say;
use crate::http::safetalk::pages::{GroupId, SafeMessage, SafeMessages, SafePage};
use crate::http::safetalk::session::{SafeSend, answer};
use crate::reading::{self, Which};
use crate::state::Chat;
use crate::viewer::{Sender, Viewer};

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_send_to_group, _, _, _>(RateClass::Message, send_to_group)
        .add::<__path_group_messages, _, _, _>(RateClass::Chat, group_messages)
}

/// Says something in a group
#[utoipa::path(
    post, path = "/chat/groups/{group_id}/chat/", tag = "safetalk", request_body = SafeSend,
    params(("group_id" = uuid::Uuid, Path, description = "The group.")),
    responses((status = 201, description = "The message.", body = SafeMessage))
)]
pub async fn send_to_group(
    user: User,
    state: State<Chat>,
    GroupId(group): GroupId,
    Json(body): Json<SafeSend>,
    once: Once,
) -> Result<Reply, ApiError> {
    say(&state, Sender::from(&*user), body.said(group), once, answer).await
}

/// Messages of a group
///
/// For its members, the newest first.
#[utoipa::path(
    get, path = "/chat/groups/{group_id}/chat/", tag = "safetalk",
    params(("group_id" = uuid::Uuid, Path, description = "The group."), SafePage),
    responses((status = 200, description = "A page.", body = SafeMessages))
)]
pub async fn group_messages(
    user: User,
    state: State<Chat>,
    GroupId(group): GroupId,
    Query(page): Query<SafePage>,
) -> Result<Reply, ApiError> {
    let viewer = Viewer::participant(user.id);
    let which = Which::Number(page.number());
    let found = reading::page(&state, &viewer, group, which, page.size()).await?;
    let messages = found.messages.into_iter();
    let body = SafeMessages {
        messages: messages.map(|seen| SafeMessage::seen(&state, seen)).collect(),
        place: page.place(found.last_seq + found.held),
    };
    Reply::bare(StatusCode::OK, &body)
}
