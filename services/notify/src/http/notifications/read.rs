//! `PUT /api/notifications/{id}/read`

use std::sync::Arc;

use parlour_auth::Principal;
use parlour_db::{Scope, Tx};
use parlour_events::realtime::Target;
use parlour_http::{ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::unread_count::UnreadCount;
use crate::error::Error;
use crate::state::Notify;
use crate::store::{counts, notifications, reading};
use crate::view::Item;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_read_notification, _, _, _>(RateClass::General, read_notification)
}

/// `{notification}`
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationData {
    /// As it is now.
    pub notification: Item,
}

/// Marks one of my notifications as read
///
/// An emergency is acknowledged by that: it is not repeated any more. Reading twice changes nothing.
#[utoipa::path(
    put, path = "/api/notifications/{id}/read", tag = "notifications",
    params(("id" = Uuid, Path, description = "The notification.")),
    responses((status = 200, description = "It is read.", body = Success<NotificationData>))
)]
pub async fn read_notification(
    user: User,
    state: State<Notify>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let notification = read(&state.0, user.0, id, origin).await?;
    Reply::ok(NotificationData { notification })
}

/// Marks it, and tells the person's other screens.
pub async fn read(
    state: &Arc<Notify>,
    caller: Arc<Principal>,
    id: Uuid,
    origin: Origin,
) -> Result<Item, Error> {
    let shared = state.clone();
    let account = caller.id;
    let work = async move |tx: &mut Tx| -> Result<Item, Error> {
        let now = shared.clock.now();
        let Some(changed) = reading::read(tx, account, id, now).await? else {
            return Err(Error::NotFound);
        };
        if changed {
            let target = ("notification", id.to_string());
            shared
                .audit(tx, &origin, "notification.read", target, None)
                .await?;
            tell_read(&shared, tx, account, Some(id)).await?;
        }
        let row = notifications::by_ids(tx, &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        Item::open(&shared.vault, row)
    };
    state.db.write(Scope::Person(account), work).await
}

/// Tells the person's open frontends what was read, all when no id is given.
pub async fn tell_read(
    state: &Arc<Notify>,
    tx: &mut Tx,
    account: Uuid,
    id: Option<Uuid>,
) -> Result<(), Error> {
    let counts = counts::counts(tx, account, state.clock.now()).await?;
    let id = id.map_or_else(String::new, |id| id.to_string());
    let payload = json!({ "id": id, "unread": UnreadCount::of(&counts).count });
    state.push_on_commit(tx, account, "notification_read", payload);
    Ok(())
}

impl Notify {
    /// Pushes something that only matters now to a person's open frontends, after the commit.
    pub fn push_on_commit(
        self: &Arc<Self>,
        tx: &mut Tx,
        account: Uuid,
        name: &'static str,
        payload: serde_json::Value,
    ) {
        let realtime = self.realtime.clone();
        tx.on_commit(move || {
            tokio::spawn(async move {
                let target = Target::User(account);
                if let Err(error) = realtime.send(&target, name, &payload).await {
                    tracing::debug!(%error, name, "nobody could be told");
                }
            });
        });
    }
}
