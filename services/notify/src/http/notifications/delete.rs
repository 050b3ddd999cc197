//! `DELETE /api/notifications/{id}`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success, User};

use super::Nothing;
use crate::error::Error;
use crate::state::Notify;
use crate::store::reading;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_delete_notification, _, _, _>(RateClass::General, delete_notification)
}

/// Deletes one of my notifications
#[utoipa::path(
    delete, path = "/api/notifications/{id}", tag = "notifications",
    params(("id" = Uuid, Path, description = "The notification.")),
    responses((status = 200, description = "It is gone.", body = Success<Nothing>))
)]
pub async fn delete_notification(
    user: User,
    state: State<Notify>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let (account, shared) = (user.id, state.0.clone());
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        if !reading::delete(tx, account, id, shared.clock.now()).await? {
            return Err(Error::NotFound);
        }
        let target = ("notification", id.to_string());
        shared
            .audit(tx, &origin, "notification.deleted", target, None)
            .await
    };
    state.db.write(Scope::Person(account), work).await?;
    Reply::said(Nothing {}, "The notification is deleted.")
}
