//! `POST /api/notifications/realtime/test`

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Once, Origin, RateClass, Reply, Routes, State, Success, User};
use serde_json::Map;

use crate::domain::{Channel, Priority};
use crate::error::Error;
use crate::http::notifications::read::NotificationData;
use crate::state::Notify;
use crate::store::{notifications, recipients};
use crate::telling::{Message, Saying, tell};
use crate::view::Item;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_test, _, _, _>(RateClass::General, send_test)
}

/// Sends a test notification to myself
///
/// To the list, the open sockets and registered devices.
#[utoipa::path(
    post, path = "/api/notifications/realtime/test", tag = "notifications",
    responses((status = 201, description = "It is on its way.", body = Success<NotificationData>))
)]
pub async fn send_test(
    user: User,
    state: State<Notify>,
    origin: Origin,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), user.0);
    once.write(
        Scope::Person(caller.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let message = Message {
                kind: "test_notification".to_owned(),
                priority: Priority::Normal,
                required: false,
                source: id::new(),
                sender: Some(caller.id),
                channels: Some(vec![Channel::Socket, Channel::Push]),
                expires_at: None,
                saying: Saying::Template {
                    name: "test_notification".to_owned(),
                    variables: Map::new(),
                    times: Vec::new(),
                },
                data: Map::new(),
                job: None,
            };
            let me = recipients::by_id(tx, vec![caller.id]).await?;
            let told = tell(&shared, tx, &message, me).await?;
            let id = told.first().ok_or(Error::NotFound)?.id;
            let target = ("notification", id.to_string());
            shared
                .audit(tx, &origin, "notification.tested", target, None)
                .await?;
            let row = notifications::by_ids(tx, &[id])
                .await?
                .pop()
                .ok_or(Error::NotFound)?;
            let notification = Item::open(&shared.vault, row)?;
            Ok(Reply::created(NotificationData { notification })?)
        },
    )
    .await
}
