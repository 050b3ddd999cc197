//! `GET /api/orders/{id}`

use parlour_db::Conn;
use parlour_http::{ApiError, PathId, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Orders;
use crate::store::history;
use crate::view::OrderDetail;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_one_order, _, _, _>(RateClass::General, one_order)
}

/// `{order}`
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDetailData {
    /// The order.
    pub order: OrderDetail,
}

/// One order
///
/// With its history, and with the result as soon as the caller may see it: the client
/// after its approval.
#[utoipa::path(
    get, path = "/api/orders/{id}", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order.", body = Success<OrderDetailData>))
)]
pub async fn one_order(user: User, state: State<Orders>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let sees = viewer.clone();
    let find = async move |conn: &Conn| history::find(conn, id, &sees).await;
    let story = state.db.ask(find).await?;
    Reply::ok(OrderDetailData {
        order: state.detail(&story, &viewer)?,
    })
}
