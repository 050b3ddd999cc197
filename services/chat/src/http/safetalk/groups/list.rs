//! `GET /chat/groups/`

use actix_web::http::StatusCode;
use futures_util::future::try_join;
use parlour_db::{Conn, Scope};
use parlour_http::{ApiError, Query, RateClass, Reply, Routes, State, User};
use serde::Serialize;
use utoipa::ToSchema;

use super::GroupView;
use crate::error::Error;
use crate::http::safetalk::pages::{Place, SafePage};
use crate::state::Chat;
use crate::store::groups;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_groups, _, _, _>(RateClass::Chat, list_groups)
}

/// A page of groups.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupPage {
    /// The newest first.
    pub groups: Vec<GroupView>,
    /// Where in the list this is.
    #[serde(flatten)]
    pub place: Place,
}

/// Groups
#[utoipa::path(
    get, path = "/chat/groups/", tag = "safetalk", params(SafePage),
    responses((status = 200, description = "A page.", body = GroupPage))
)]
pub async fn list_groups(
    user: User,
    state: State<Chat>,
    Query(page): Query<SafePage>,
) -> Result<Reply, ApiError> {
    let (total, rows) = state
        .db
        .fetch(
            Scope::Person(user.id),
            async move |conn: &Conn| -> Result<_, Error> {
                let rows = groups::page(conn, page.size(), page.offset());
                Ok(try_join(groups::count(conn), rows).await?)
            },
        )
        .await?;
    let body = GroupPage {
        groups: rows.into_iter().map(GroupView::from).collect(),
        place: page.place(total),
    };
    Reply::bare(StatusCode::OK, &body)
}
