//! `GET /api/services`

use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Pagination, Public, Query, RateClass, Reply, Routes, State, Success,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Error;
use crate::state::Orders;
use crate::store::services::{self, Filter};
use crate::view::ServiceView;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_services, _, _, _>(RateClass::General, list_services)
}

/// Which services.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ServiceQuery {
    /// Such as `tarot`.
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub kind: Option<String>,
    /// Admins alone see those that cannot be ordered: `false` for them, left out for all.
    pub active: Option<bool>,
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Items on a page, 20 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// `pagination.next_cursor` of the page before.
    #[schema(max_length = 200)]
    #[param(max_length = 200)]
    pub cursor: Option<String>,
}

impl Check for ServiceQuery {}

/// A page of services.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicePage {
    /// The newest first.
    pub services: Vec<ServiceView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// What can be ordered
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/services", tag = "orders", params(ServiceQuery),
    responses((status = 200, description = "A page.", body = Success<ServicePage>))
)]
pub async fn list_services(
    caller: Public,
    state: State<Orders>,
    Query(query): Query<ServiceQuery>,
) -> Result<Reply, ApiError> {
    let is_admin = caller.0.is_some_and(|caller| caller.has(Role::Admin));
    let filter = Filter {
        kind: query.kind,
        active: if is_admin { query.active } else { Some(true) },
    };
    let pages = PageQuery {
        page: query.page,
        limit: query.limit,
        cursor: query.cursor,
    };
    let (cursor, asked) = (pages.cursor()?, pages.clone());
    let (rows, total) = state
        .db
        .read(Scope::Nobody, async move |tx: &mut Tx| -> Result<_, Error> {
            let total = services::count(tx, &filter).await?;
            let rows = services::page(tx, &filter, cursor, asked.limit() + 1, asked.offset()).await?;
            Ok((rows, total))
        })
        .await?;
    let limit = usize::try_from(pages.limit()).unwrap_or(20);
    let more = rows.len() > limit;
    let shown: Vec<services::Service> = rows.into_iter().take(limit).collect();
    let next = shown.last().filter(|_| more).map(|service| Cursor {
        at: service.created_at,
        id: service.id,
    });
    Reply::ok(ServicePage {
        services: shown.into_iter().map(ServiceView::from).collect(),
        pagination: Pagination::new(&pages, total, next),
    })
}
