//! `POST /api/orders/{id}/review`

use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::order::Action;
use crate::error::Error;
use crate::moving::{Mover, OrderData};
use crate::plan::Plan;
use crate::state::Orders;
use crate::store::moves::Change;
use crate::store::orders::Order;
use crate::store::seen::{Besides, Seen};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_review_order, _, _, _>(RateClass::General, review_order)
}

/// What the client thinks of it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReviewOrder {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: i32,
    /// In their words.
    #[schema(max_length = 2000)]
    pub comment: Option<String>,
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for ReviewOrder {}

/// Rates a delivered order
///
/// Once.
#[utoipa::path(
    post, path = "/api/orders/{id}/review", tag = "orders", request_body = ReviewOrder,
    params(("id" = uuid::Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn review_order(
    user: User,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<ReviewOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*user),
        origin,
        expected_version: body.expected_version,
    };
    let plan = move |state: &Orders, mover: &Mover, seen: Seen| plan(state, mover, seen, &body);
    state.moved(once, mover, id, Besides::Nothing, plan).await
}

fn plan(state: &Orders, mover: &Mover, seen: Seen, body: &ReviewOrder) -> Result<Plan, Error> {
    let begun = state.begin(seen.order, mover, |_| Action::Review)?;
    if let Some(rating) = begun.order.rating {
        let status = format!("status: {}", begun.order.status_name());
        return Err(Error::State(vec![status, format!("rating: {rating}")]));
    }
    let place = Order::comment_place(begun.order.id);
    let comment = body.comment.as_deref().filter(|comment| !comment.is_empty());
    let comment_sealed = comment
        .map(|comment| state.vault.seal_text(&place, comment))
        .transpose()?;
    let mut order = begun.after();
    order.rating = i16::try_from(body.rating).ok();
    let news = Batch::default().event(telling::aggregate(&order), &telling::rated(&order, body.rating));
    Ok(Plan {
        change: Change::Rating {
            rating: body.rating,
            comment_sealed,
        },
        ..begun.plan(order, news)
    })
}
