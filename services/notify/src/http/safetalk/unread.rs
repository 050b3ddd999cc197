//! `GET /chat/api/notifications/unread/`

use actix_web::http::StatusCode;
use parlour_db::{Conn, Scope};
use parlour_http::{ApiError, Check, Query, RateClass, Reply, Routes, State, Time, User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::Error;
use crate::state::Notify;
use crate::store::notifications;
use crate::telling::related;
use crate::view::Item;

/// Notifications of one answer at the most; the client asks again from the last one.
const MOST: i64 = 100;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_unread_safetalk, _, _, _>(RateClass::Chat, unread_safetalk)
}

/// From where on.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UnreadSearch {
    /// The last notification that the client has; all unread ones without it.
    pub last_id: Option<Uuid>,
}

impl Check for UnreadSearch {}

/// A notification, as SafeTalk's pages show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafetalkNotification {
    /// Its id.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// The text.
    pub message: String,
    /// Its type.
    pub notification_type: String,
    /// When it came about.
    pub created_at: Time,
    /// What it is about, such as an appointment.
    pub related_id: Option<Uuid>,
}

impl From<Item> for SafetalkNotification {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            related_id: related(&item.data),
            title: item.title,
            message: item.message,
            notification_type: item.kind,
            created_at: item.created_at,
        }
    }
}

/// Unread notifications.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafetalkNotifications {
    /// The oldest first.
    pub notifications: Vec<SafetalkNotification>,
    /// How many these are.
    pub count: usize,
}

/// My unread notifications since the last one I have
#[utoipa::path(
    get, path = "/chat/api/notifications/unread/", tag = "safetalk", params(UnreadSearch),
    responses((status = 200, description = "The oldest first, at most 100.", body = SafetalkNotifications))
)]
pub async fn unread_safetalk(
    user: User,
    state: State<Notify>,
    Query(query): Query<UnreadSearch>,
) -> Result<Reply, ApiError> {
    let (account, now) = (user.id, state.clock.now());
    let rows = state
        .db
        .fetch(
            Scope::Person(account),
            async move |conn: &Conn| -> Result<_, Error> {
                Ok(notifications::unread_after(conn, account, query.last_id, MOST, now).await?)
            },
        )
        .await?;
    let items = rows.into_iter().map(|row| Item::open(&state.vault, row));
    let items: Vec<Item> = items.collect::<Result<_, _>>()?;
    let notifications: Vec<_> = items.into_iter().map(SafetalkNotification::from).collect();
    let count = notifications.len();
    Reply::bare(StatusCode::OK, &SafetalkNotifications { notifications, count })
}
