//! `PUT /api/notifications/mark-all-read`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Origin, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::read::tell_read;
use crate::error::Error;
use crate::state::Notify;
use crate::store::reading;

/// Rows of one transaction: somebody may have a million.
const BATCH: i64 = 5000;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_mark_all_read, _, _, _>(RateClass::General, mark_all_read)
}

/// `{updated}`
#[derive(Debug, Serialize, ToSchema)]
pub struct Updated {
    /// How many were unread.
    pub updated: usize,
}

/// Marks all my notifications as read
///
/// Those that come while it works stay unread. Emergencies are acknowledged.
#[utoipa::path(
    put, path = "/api/notifications/mark-all-read", tag = "notifications",
    responses((status = 200, description = "All are read.", body = Success<Updated>))
)]
pub async fn mark_all_read(user: User, state: State<Notify>, origin: Origin) -> Result<Reply, ApiError> {
    let (account, until) = (user.id, state.clock.now());
    let mut updated = 0;
    loop {
        let work = async move |tx: &mut Tx| -> Result<usize, Error> {
            Ok(reading::read_some(tx, account, until, until, BATCH).await?)
        };
        let batch = state.db.write(Scope::Person(account), work).await?;
        updated += batch;
        if i64::try_from(batch).is_ok_and(|rows| rows < BATCH) {
            break;
        }
    }
    let shared = state.0.clone();
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        let (target, after) = (("account", account.to_string()), json!({ "updated": updated }));
        shared
            .audit(tx, &origin, "notification.all_read", target, Some(after))
            .await?;
        tell_read(&shared, tx, account, None).await
    };
    state.db.write(Scope::Person(account), work).await?;
    Reply::ok(Updated { updated })
}
