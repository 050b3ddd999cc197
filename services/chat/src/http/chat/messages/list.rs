//! `GET /api/chat/messages`

use parlour_http::{ApiError, Check, Failure, Query, RateClass, Reply, Routes, State, Success, User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::reading::{self, Which};
use crate::state::Chat;
use crate::view::MessageView;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_messages, _, _, _>(RateClass::Chat, list_messages)
}

/// Which messages.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// Of this conversation.
    pub session_id: Uuid,
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Messages on a page, 50 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// Older than this message; takes the place of `page`.
    pub before_message_id: Option<Uuid>,
}

impl Check for MessageQuery {}

/// A page of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// The newest first.
    pub messages: Vec<MessageView>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// Messages of a conversation
///
/// The newest first; what is held for the caller before the others. `before_message_id`
/// costs the same however deep it reaches.
#[utoipa::path(
    get, path = "/api/chat/messages", tag = "chat", params(MessageQuery),
    responses(
        (status = 200, description = "A page.", body = Success<MessagePage>),
        (status = 404, description = "There is no such conversation, or not for this caller.", body = Failure),
    )
)]
pub async fn list_messages(
    user: User,
    state: State<Chat>,
    Query(query): Query<MessageQuery>,
) -> Result<Reply, ApiError> {
    let which = match query.before_message_id {
        Some(id) => Which::Before(id),
        None => Which::Number(query.page.unwrap_or(1)),
    };
    let viewer = Viewer::from(&*user);
    let page = reading::page(
        &state,
        &viewer,
        query.session_id,
        which,
        query.limit.unwrap_or(50),
    )
    .await?;
    let messages = page.messages.into_iter();
    Reply::ok(MessagePage {
        messages: messages.map(|seen| MessageView::seen(&state, seen)).collect(),
        has_more: page.has_more,
    })
}
