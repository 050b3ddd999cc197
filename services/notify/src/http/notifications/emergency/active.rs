//! `GET /api/notifications/emergency/active`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Cursor, PageQuery, Query, RateClass, Reply, Routes, Staff, State, Success};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::reach;
use crate::state::Notify;
use crate::store::emergencies;
use crate::view::Item;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_active_emergencies, _, _, _>(RateClass::General, active_emergencies)
}

/// An emergency that nobody has acknowledged.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveEmergency {
    /// The notification.
    #[serde(flatten)]
    pub notification: Item,
    /// Whose it is.
    pub user_id: Uuid,
    /// Their name, if it is known.
    pub user_name: Option<String>,
    /// Who sent it; nobody for the platform.
    pub sender_id: Option<Uuid>,
    /// How often it was repeated.
    pub repeats: i32,
}

/// `{emergencies, next_cursor}`
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveEmergencies {
    /// The newest first.
    pub emergencies: Vec<ActiveEmergency>,
    /// What to pass as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// Emergencies that are neither acknowledged nor expired
#[utoipa::path(
    get, path = "/api/notifications/emergency/active", tag = "notifications",
    params(PageQuery),
    responses((status = 200, description = "The newest first.", body = Success<ActiveEmergencies>))
)]
pub async fn active_emergencies(
    staff: Staff,
    state: State<Notify>,
    Query(pages): Query<PageQuery>,
) -> Result<Reply, ApiError> {
    let country = reach::country_of(&staff)?;
    let (cursor, most, now) = (pages.cursor()?, pages.most(), state.clock.now());
    let mut rows = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(emergencies::active(tx, country.as_deref(), cursor, most, now).await?)
        })
        .await?;
    let next = pages.cut(&mut rows, |(row, ..)| Cursor {
        at: row.notification.created_at,
        id: row.notification.id,
    });
    let mut list = Vec::with_capacity(rows.len());
    for (row, user_name, sender_id) in rows {
        list.push(ActiveEmergency {
            user_id: row.notification.account_id,
            repeats: row.round,
            notification: Item::open(&state.vault, row.notification)?,
            user_name,
            sender_id,
        });
    }
    Reply::ok(ActiveEmergencies {
        emergencies: list,
        next_cursor: next.map(Cursor::encode),
    })
}
