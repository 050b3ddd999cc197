//! `GET /chat/messages/`

use actix_web::http::StatusCode;
use parlour_http::{ApiError, Query, RateClass, Reply, Routes, State, User};

use super::pages::{SafeMessage, SafeMessages, SafePage};
use crate::reading;
use crate::state::Chat;

/// How deep the list of all messages can be read.
const DEEPEST: i64 = 10_000;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_my_messages, _, _, _>(RateClass::Chat, my_messages)
}

/// My messages
///
/// Of all my conversations, the newest first. It can be read 10,000 messages deep; what is
/// older is read by conversation.
#[utoipa::path(
    get, path = "/chat/messages/", tag = "safetalk", params(SafePage),
    responses((status = 200, description = "A page.", body = SafeMessages))
)]
pub async fn my_messages(
    user: User,
    state: State<Chat>,
    Query(page): Query<SafePage>,
) -> Result<Reply, ApiError> {
    if page.offset() >= DEEPEST {
        return Err(ApiError::field("page", "is too deep: read by conversation"));
    }
    let (total, seen) = reading::mine(&state, user.id, page.size(), page.offset()).await?;
    let messages = seen.into_iter().map(|seen| SafeMessage::seen(&state, seen));
    let body = SafeMessages {
        messages: messages.collect(),
        place: page.place(total.min(DEEPEST)),
    };
    Reply::bare(StatusCode::OK, &body)
}
