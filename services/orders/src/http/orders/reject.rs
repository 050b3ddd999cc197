//! `POST /api/orders/{id}/reject`

use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::check_reason;
use crate::domain::order::Action;
use crate::http::Reviewer;
use crate::moving::{Mover, OrderData};
use crate::plan::Plan;
use crate::state::Orders;
use crate::store::seen::{Besides, Seen};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_reject_order, _, _, _>(RateClass::General, reject_order)
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RejectOrder {
    /// For the reader. The client does not see it.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for RejectOrder {
    fn check(&self, problems: &mut Problems) {
        check_reason(problems, &self.reason);
    }
}

/// Sends a result back
///
/// The reader hands in another one.
#[utoipa::path(
    post, path = "/api/orders/{id}/reject", tag = "orders", request_body = RejectOrder,
    params(("id" = uuid::Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn reject_order(
    reviewer: Reviewer,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<RejectOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*reviewer),
        origin,
        expected_version: body.expected_version,
    };
    let plan = move |state: &Orders, mover: &Mover, seen: Seen| {
        let begun = state.begin(seen.order, mover, |_| Action::Reject)?;
        let order = begun.after();
        let told = telling::rejected(&order, mover.viewer.id);
        let news = Batch::default().event(telling::aggregate(&order), &told);
        Ok(Plan {
            reason: state.sealed_reason(&begun.order, Some(&body.reason))?,
            ..begun.plan(order, news)
        })
    };
    state.moved(once, mover, id, Besides::Nothing, plan).await
}
