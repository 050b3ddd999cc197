//! `POST /api/orders/{id}/cancel`

use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, JsonOrDefault, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
    User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::check_reason;
use crate::domain::order::Action;
use crate::moving::{Mover, OrderData};
use crate::plan::Plan;
use crate::state::Orders;
use crate::store::seen::{Besides, Seen};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_cancel_order, _, _, _>(RateClass::General, cancel_order)
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CancelOrder {
    /// Shown in the history.
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for CancelOrder {
    fn check(&self, problems: &mut Problems) {
        if let Some(reason) = &self.reason {
            check_reason(problems, reason);
        }
    }
}

/// Cancels an order
///
/// The client until work is handed in, an admin until it is delivered. What was paid
/// goes back.
#[utoipa::path(
    post, path = "/api/orders/{id}/cancel", tag = "orders", request_body = CancelOrder,
    params(("id" = uuid::Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn cancel_order(
    user: User,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    JsonOrDefault(body): JsonOrDefault<CancelOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*user),
        origin,
        expected_version: body.expected_version,
    };
    let plan = move |state: &Orders, mover: &Mover, seen: Seen| {
        let begun = state.begin(seen.order, mover, |_| Action::Cancel)?;
        let order = begun.after();
        let told = telling::cancelled(&order, Some(mover.viewer.id));
        let news = Batch::default().event(telling::aggregate(&order), &told);
        Ok(Plan {
            reason: state.sealed_reason(&begun.order, body.reason.as_deref())?,
            ..begun.plan(order, news)
        })
    };
    state.moved(once, mover, id, Besides::Nothing, plan).await
}
