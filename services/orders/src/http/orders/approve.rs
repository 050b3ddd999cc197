//! `POST /api/orders/{id}/approve`

use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, JsonOrDefault, Once, Origin, PathId, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::order::Action;
use crate::error::Error;
use crate::http::Reviewer;
use crate::moving::{Mover, OrderData};
use crate::plan::Plan;
use crate::state::Orders;
use crate::store::seen::{Besides, Seen};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_approve_order, _, _, _>(RateClass::General, approve_order)
}

/// Which version of the order.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ApproveOrder {
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for ApproveOrder {}

/// Approves a result
///
/// The client may read it from now on.
#[utoipa::path(
    post, path = "/api/orders/{id}/approve", tag = "orders", request_body = ApproveOrder,
    params(("id" = uuid::Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn approve_order(
    reviewer: Reviewer,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    JsonOrDefault(body): JsonOrDefault<ApproveOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*reviewer),
        origin,
        expected_version: body.expected_version,
    };
    state.moved(once, mover, id, Besides::Nothing, plan).await
}

fn plan(state: &Orders, mover: &Mover, seen: Seen) -> Result<Plan, Error> {
    let begun = state.begin(seen.order, mover, |_| Action::Approve)?;
    let order = begun.after();
    let name = telling::aggregate(&order);
    let news = Batch::default()
        .event(&name, &telling::approved(&order, mover.viewer.id))
        .event(&name, &telling::delivered(&order, &seen.result_files));
    Ok(begun.plan(order, news))
}
