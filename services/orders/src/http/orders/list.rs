//! `GET /api/orders`

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use parlour_db::Tx;
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Paged, Pagination, Problems, RateClass, Reply, Routes, State,
    Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::order::Status;
use crate::error::Error;
use crate::state::Orders;
use crate::store::listing::{self, Filter};
use crate::view::{self, OrderView};
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_orders, _, _, _>(RateClass::General, list_orders)
}

/// Which orders.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// `pending`, `assigned`, `submitted`, `delivered` or `cancelled`.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub status: Option<String>,
    /// Of this service.
    pub service_id: Option<Uuid>,
    /// Of this reader.
    pub reader_id: Option<Uuid>,
    /// Of this client.
    pub client_id: Option<Uuid>,
    /// Placed then or later: a time in RFC 3339, or a date (UTC).
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub from: Option<String>,
    /// Placed before that time, or up to the end of that date.
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub to: Option<String>,
    /// The order's number, or part of the name of service, client or reader.
    #[schema(max_length = 100)]
    #[param(max_length = 100)]
    pub q: Option<String>,
}

impl Check for OrderQuery {
    fn check(&self, problems: &mut Problems) {
        let fine = self
            .status
            .as_deref()
            .is_none_or(|name| name.parse::<Status>().is_ok());
        problems.require(fine, "status", "is not a status");
        for (name, text) in [("from", &self.from), ("to", &self.to)] {
            let fine = text.as_deref().is_none_or(|text| moment(text, 0).is_some());
            problems.require(fine, name, "must be a time in RFC 3339 or a date");
        }
    }
}

/// A time, or a date as its midnight in UTC, `days` later.
fn moment(text: &str, days: u64) -> Option<DateTime<Utc>> {
    // An unescaped + of an offset comes as a space.
    if let Ok(time) = DateTime::parse_from_rfc3339(&text.replace(' ', "+")) {
        return Some(time.to_utc());
    }
    let date: NaiveDate = text.parse().ok()?;
    Some(
        date.checked_add_days(Days::new(days))?
            .and_time(NaiveTime::MIN)
            .and_utc(),
    )
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderPage {
    /// The newest first.
    pub orders: Vec<OrderView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// Orders
///
/// A client's are those that they placed, a reader's those that they work on; monitors
/// and admins see all. The newest first.
#[utoipa::path(
    get, path = "/api/orders", tag = "orders", params(OrderQuery, PageQuery),
    responses((status = 200, description = "A page.", body = Success<OrderPage>))
)]
pub async fn list_orders(
    user: User,
    state: State<Orders>,
    Paged(query, pages): Paged<OrderQuery>,
) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let filter = filter(viewer.clone(), query);
    let (cursor, asked) = (pages.cursor()?, pages.clone());
    let (mut rows, total) = state
        .db
        .read(viewer.scope(), async move |tx: &mut Tx| -> Result<_, Error> {
            let total = listing::count(tx, &filter).await?;
            let rows = listing::page(tx, &filter, cursor, asked.most(), asked.offset()).await?;
            Ok((rows, total))
        })
        .await?;
    let next = pages.cut(&mut rows, |order| Cursor {
        at: order.created_at,
        id: order.id,
    });
    let orders = rows.iter().map(|order| view::order(order, &viewer));
    Reply::ok(OrderPage {
        orders: orders.collect::<Result<_, Error>>()?,
        pagination: Pagination::new(&pages, total, next),
    })
}

fn filter(viewer: Viewer, query: OrderQuery) -> Filter {
    let mut filter = Filter::of(viewer).matching(query.q);
    filter.status = query.status.and_then(|name| name.parse().ok());
    filter.service = query.service_id;
    filter.reader = query.reader_id;
    filter.client = query.client_id;
    filter.from = query.from.and_then(|text| moment(&text, 0));
    filter.to = query.to.and_then(|text| moment(&text, 1));
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates_are_read() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
        assert_eq!(moment("2026-01-02", 0), time("2026-01-02T00:00:00Z"));
        assert_eq!(moment("2026-01-02", 1), time("2026-01-03T00:00:00Z"));
        assert_eq!(
            moment("2026-01-02T03:00:00 03:00", 1),
            time("2026-01-02T00:00:00Z")
        );
        assert_eq!((moment("yesterday", 0), moment("2026-02-30", 0)), (None, None));
    }
}
