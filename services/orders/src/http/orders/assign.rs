//! `POST /api/orders/{id}/assign`

use parlour_db::Tx;
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
use crate::store::readers::{self, Candidate};
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
    once.write(
        mover.viewer.scope(),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let again = body.reassign;
            let choose = move |status| match status {
                Status::Assigned if again => Action::Reassign,
                _ => Action::Assign,
            };
            let begun = state.begin(tx, id, &mover, choose).await?;
            let reader = reader_for(tx, &begun.order, body.reader_id).await?;
            let (action, before) = (begun.action, begun.order.status_name().to_owned());
            let (order, news) = state.give(tx, begun, reader, Some(mover.viewer.id)).await?;
            state.finish(tx, &mover, (action, &before), &order, news).await
        },
    )
    .await
}

async fn reader_for(tx: &mut Tx, order: &Order, id: Uuid) -> Result<Candidate, Error> {
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
    let reader = readers::available(tx, id).await?;
    reader.ok_or(Error::Field("reader_id", "is not an active reader"))
}
