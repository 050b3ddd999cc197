//! `POST /api/orders/{id}/result`

use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::Action;
use crate::domain::text;
use crate::error::Error;
use crate::http::Reader;
use crate::moving::{Mover, OrderData};
use crate::plan::Plan;
use crate::state::Orders;
use crate::store::history;
use crate::store::moves::Change;
use crate::store::seen::{Besides, Seen};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_submit_result, _, _, _>(RateClass::General, submit_result)
}

/// What was found out.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SubmitResult {
    /// The reading. May be empty where files say it all.
    #[serde(default)]
    #[schema(max_length = 50_000)]
    pub text: String,
    /// The reader's own files, scanned and clean.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub media_ids: Vec<Uuid>,
    /// The order's version as the caller knows it.
    pub expected_version: Option<i64>,
}

impl Check for SubmitResult {
    fn check(&self, problems: &mut Problems) {
        let fine = !self.media_ids.is_empty() || text::says_something(&self.text);
        problems.require(fine, "text", "must say something when there are no media_ids");
        let mut ids = self.media_ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let fine = ids.len() == self.media_ids.len();
        problems.require(fine, "media_ids", "must not repeat an item");
    }
}

/// Hands a result in
///
/// A monitor reviews it before the client sees it.
#[utoipa::path(
    post, path = "/api/orders/{id}/result", tag = "orders", request_body = SubmitResult,
    params(("id" = Uuid, Path, description = "The order.")),
    responses((status = 200, description = "The order as it is now.", body = Success<OrderData>))
)]
pub async fn submit_result(
    reader: Reader,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<SubmitResult>,
    once: Once,
) -> Result<Reply, ApiError> {
    let mover = Mover {
        viewer: Viewer::from(&*reader),
        origin,
        expected_version: body.expected_version,
    };
    let besides = Besides::Files(body.media_ids.clone());
    let plan = move |state: &Orders, mover: &Mover, seen: Seen| plan(state, mover, seen, &body);
    state.moved(once, mover, id, besides, plan).await
}

fn plan(state: &Orders, mover: &Mover, seen: Seen, body: &SubmitResult) -> Result<Plan, Error> {
    let begun = state.begin(seen.order, mover, |_| Action::Submit)?;
    check_files(&seen.usable, &body.media_ids)?;
    let mut order = begun.after();
    order.revision += 1;
    let place = history::result_place(order.id, order.revision);
    let told = telling::submitted(&order, &body.media_ids);
    let news = Batch::default().event(telling::aggregate(&order), &told);
    Ok(Plan {
        change: Change::Result {
            text_sealed: state.vault.seal_text(&place, &body.text)?,
            media_ids: body.media_ids.clone(),
        },
        ..begun.plan(order, news)
    })
}

/// Files of others, unknown ones and those that are not clean look the same.
fn check_files(usable: &[Uuid], ids: &[Uuid]) -> Result<(), Error> {
    let mut problems = Problems::default();
    for (index, id) in ids.iter().enumerate() {
        let fine = usable.contains(id);
        problems.require(
            fine,
            &format!("media_ids[{index}]"),
            "is not a clean file of yours",
        );
    }
    Ok(problems.end()?)
}
