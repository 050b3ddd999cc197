//! `GET /api/notifications`

use futures_util::future::try_join;
use parlour_db::{Conn, Scope};
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Paged, Pagination, Problems, RateClass, Reply, Routes, State,
    Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{Priority, kinds};
use crate::error::Error;
use crate::state::Notify;
use crate::store::counts;
use crate::store::notifications::{self, Filter};
use crate::view::Item;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_notifications, _, _, _>(RateClass::General, list_notifications)
}

/// Which notifications.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationSearch {
    /// Only unread ones.
    pub unread: Option<bool>,
    /// Only of this type.
    #[serde(rename = "type")]
    #[schema(max_length = 64)]
    #[param(max_length = 64)]
    pub kind: Option<String>,
    /// Only of this priority.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub priority: Option<String>,
}

impl Check for NotificationSearch {
    fn check(&self, problems: &mut Problems) {
        let known = self
            .priority
            .as_deref()
            .is_none_or(|name| Priority::named(name).is_some());
        problems.require(known, "priority", "must be low, normal, high or emergency");
        let fine = self.kind.as_deref().is_none_or(kinds::is_name);
        problems.require(fine, "type", "is not the name of a type");
    }
}

/// A page of notifications.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationPage {
    /// The newest first.
    pub notifications: Vec<Item>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// My notifications
///
/// The newest first, without those that I deleted and those that have expired.
#[utoipa::path(
    get, path = "/api/notifications", tag = "notifications", params(NotificationSearch, PageQuery),
    responses((status = 200, description = "A page.", body = Success<NotificationPage>))
)]
pub async fn list_notifications(
    user: User,
    state: State<Notify>,
    Paged(query, pages): Paged<NotificationSearch>,
) -> Result<Reply, ApiError> {
    let filter = Filter {
        unread: query.unread == Some(true),
        kind: query.kind,
        priority: query.priority.as_deref().and_then(Priority::named),
    };
    let (id, now) = (user.id, state.clock.now());
    let (from, most) = ((pages.cursor()?, pages.offset()), pages.most());
    let (mut rows, total) = state
        .db
        .fetch(Scope::Person(id), async move |conn: &Conn| -> Result<_, Error> {
            let counts = counts::counts(conn, id, now);
            let rows = notifications::page(conn, id, &filter, from, most, now);
            let (counts, rows) = try_join(counts, rows).await?;
            Ok((rows, filter.total(&counts)))
        })
        .await?;
    let next = pages.cut(&mut rows, |row| Cursor {
        at: row.created_at,
        id: row.id,
    });
    let items = rows.into_iter().map(|row| Item::open(&state.vault, row));
    Reply::ok(NotificationPage {
        notifications: items.collect::<Result<_, _>>()?,
        pagination: Pagination::new(&pages, total, next),
    })
}
