//! `GET /api/services`

use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Paged, Pagination, Public, RateClass, Reply, Routes, State, Success,
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
    get, path = "/api/services", tag = "orders", params(ServiceQuery, PageQuery),
    responses((status = 200, description = "A page.", body = Success<ServicePage>))
)]
pub async fn list_services(
    caller: Public,
    state: State<Orders>,
    Paged(query, pages): Paged<ServiceQuery>,
) -> Result<Reply, ApiError> {
    let is_admin = caller.0.is_some_and(|caller| caller.has(Role::Admin));
    let filter = Filter {
        kind: query.kind,
        active: if is_admin { query.active } else { Some(true) },
    };
    let (cursor, asked) = (pages.cursor()?, pages.clone());
    let (mut rows, total) = state
        .db
        .read(Scope::Nobody, async move |tx: &mut Tx| -> Result<_, Error> {
            let total = services::count(tx, &filter).await?;
            let rows = services::page(tx, &filter, cursor, asked.most(), asked.offset()).await?;
            Ok((rows, total))
        })
        .await?;
    let next = pages.cut(&mut rows, |service| Cursor {
        at: service.created_at,
        id: service.id,
    });
    Reply::ok(ServicePage {
        services: rows.into_iter().map(ServiceView::from).collect(),
        pagination: Pagination::new(&pages, total, next),
    })
}
