//! `POST /api/services`

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{DeliveryMode, ServiceData, check};
use crate::error::Error;
use crate::state::Orders;
use crate::store::services::{self, Service};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_create_service, _, _, _>(RateClass::General, create_service)
}

/// A new service.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewService {
    /// Such as `tarot`: what a reader has among their specialities.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// One line.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// What it is.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// Minor units of the currency.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub price: i64,
    /// ISO 4217.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: String,
    /// How long it takes; 0 where that means nothing.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1440)]
    pub duration_minutes: i32,
    /// How the result comes.
    pub delivery_mode: DeliveryMode,
    /// Whether an order waits for its payment before anybody is assigned.
    #[serde(default)]
    pub requires_payment: bool,
    /// Whether it can be ordered.
    #[serde(default = "yes")]
    pub active: bool,
    /// After how many minutes an order that nobody was assigned to is overdue.
    #[schema(minimum = 1, maximum = 527_040)]
    pub assignment_minutes: Option<i32>,
    /// The same for a result.
    #[schema(minimum = 1, maximum = 527_040)]
    pub result_minutes: Option<i32>,
    /// The same for the review of a result.
    #[schema(minimum = 1, maximum = 527_040)]
    pub review_minutes: Option<i32>,
}

fn yes() -> bool {
    true
}

impl Check for NewService {
    fn check(&self, problems: &mut Problems) {
        check(
            problems,
            Some(&self.kind),
            Some(&self.name),
            Some(&self.description),
            Some(&self.currency),
        );
    }
}

/// Adds a service
#[utoipa::path(
    post, path = "/api/services", tag = "orders", request_body = NewService,
    responses((status = 201, description = "The service.", body = Success<ServiceData>))
)]
pub async fn create_service(
    _admin: Admin,
    state: State<Orders>,
    origin: Origin,
    Json(body): Json<NewService>,
    once: Once,
) -> Result<Reply, ApiError> {
    once.write(Scope::Nobody, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let now = state.now();
        let service = Service {
            id: id::new(),
            kind: body.kind,
            name: body.name,
            description: body.description,
            price: body.price,
            currency: body.currency,
            duration_minutes: body.duration_minutes,
            delivery_mode: body.delivery_mode.name().to_owned(),
            requires_payment: body.requires_payment,
            active: body.active,
            assignment_minutes: body.assignment_minutes,
            result_minutes: body.result_minutes,
            review_minutes: body.review_minutes,
            created_at: now,
            updated_at: now,
        };
        services::insert(tx, &service).await?;
        let id = service.id;
        let service = super::ServiceView::from(service);
        let change = (None, Some(json!(service)));
        telling::audited(tx, &origin, "service.created", ("service", id), change).await?;
        Ok(Reply::created(ServiceData { service })?)
    })
    .await
}
