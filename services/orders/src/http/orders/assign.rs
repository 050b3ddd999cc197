//! `POST /api/orders/{id}/assign`

use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, PathId, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{Action, Status};
use crate::error::Error;
use crate::moving::{Mover, OrderData};
use crate::state::Orders;
use crate::store::orders::Order;
use crate::store::readers::Candidate;
use crate::store::seen::{Besides, Seen};
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_assign_order, _, _, _>(RateClass::General, assign_order)
}

/// Who does it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AssignOrder {
    /// An active reader.
    pub reader_id: Uuid,
    /// Takes the order from the reader who has it.
    #[serde(default)]
    pub reassign: bool,
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for AssignOrder {}

/// Assigns an order
///
/// To an active reader. An order that somebody works on moves only with `reassign`.
#[utoipa::path(
    post, path = "/api/orders/{id}/assign", tag = "orders", request_body = AssignOrder,
    params(("id" = Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn assign_order(
    admin: Admin,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<AssignOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*admin),
        origin,
        expected_version: body.expected_version,
    };
    let besides = Besides::Reader(body.reader_id);
    let plan = move |state: &Orders, mover: &Mover, seen: Seen| {
        let begun = state.begin(seen.order, mover, |status| match status {
            Status::Assigned if body.reassign => Action::Reassign,
            _ => Action::Assign,
        })?;
        let reader = reader_for(&begun.order, body.reader_id, seen.reader)?;
        Ok(state.giving(begun, reader, Some(mover.viewer.id)))
    };
    state.moved(once, mover, id, besides, plan).await
}

fn reader_for(order: &Order, id: Uuid, available: Option<Candidate>) -> Result<Candidate, Error> {
    if order.waits_for_payment() {
        let status = format!("status: {}", order.status_name());
        let payment = format!("payment_status: {}", order.payment_name());
        return Err(Error::State(vec![status, payment]));
    }
    if order.client_id == id {
        return Err(Error::Field("reader_id", "is the order's client"));
    }
    if order.reader_id == Some(id) {
        return Err(Error::Field("reader_id", "has the order already"));
    }
    available.ok_or(Error::Field("reader_id", "is not an active reader"))
}
