//! `PUT /api/services/{id}`

use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::ToSchema;

use super::{DeliveryMode, ServiceData, ServiceView, check};
use crate::error::Error;
use crate::state::Orders;
use crate::store::services::{self, Service};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_change_service, _, _, _>(RateClass::General, change_service)
}

/// What is different. Left out: stays. Null, where it may be: as configured.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ServiceChange {
    /// Such as `tarot`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: Option<String>,
    /// One line.
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// What it is.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Minor units of the currency. Orders keep the price that they were placed at.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub price: Option<i64>,
    /// ISO 4217.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: Option<String>,
    /// How long it takes.
    #[schema(minimum = 0, maximum = 1440)]
    pub duration_minutes: Option<i32>,
    /// How the result comes.
    pub delivery_mode: Option<DeliveryMode>,
    /// Whether an order waits for its payment. Orders keep what they were placed with.
    pub requires_payment: Option<bool>,
    /// Whether it can be ordered.
    pub active: Option<bool>,
    /// After how many minutes an order that nobody was assigned to is overdue.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 527_040)]
    pub assignment_minutes: Option<Option<i32>>,
    /// The same for a result.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 527_040)]
    pub result_minutes: Option<Option<i32>>,
    /// The same for the review of a result.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 527_040)]
    pub review_minutes: Option<Option<i32>>,
}

#[expect(clippy::option_option, reason = "left out, null and a value are three things")]
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<i32>>, D::Error> {
    Option::<i32>::deserialize(from).map(Some)
}

impl Check for ServiceChange {
    fn check(&self, problems: &mut Problems) {
        check(
            problems,
            self.kind.as_deref(),
            self.name.as_deref(),
            self.description.as_deref(),
            self.currency.as_deref(),
        );
    }
}

impl ServiceChange {
    fn apply(self, service: &mut Service) {
        fn set<T>(field: &mut T, change: Option<T>) {
            if let Some(value) = change {
                *field = value;
            }
        }
        set(&mut service.kind, self.kind);
        set(&mut service.name, self.name);
        set(&mut service.description, self.description);
        set(&mut service.price, self.price);
        set(&mut service.currency, self.currency);
        set(&mut service.duration_minutes, self.duration_minutes);
        let mode = self.delivery_mode.map(|mode| mode.name().to_owned());
        set(&mut service.delivery_mode, mode);
        set(&mut service.requires_payment, self.requires_payment);
        set(&mut service.active, self.active);
        set(&mut service.assignment_minutes, self.assignment_minutes);
        set(&mut service.result_minutes, self.result_minutes);
        set(&mut service.review_minutes, self.review_minutes);
    }
}

/// Changes a service
///
/// What is left out stays. Orders that were placed keep their price.
#[utoipa::path(
    put, path = "/api/services/{id}", tag = "orders", request_body = ServiceChange,
    params(("id" = uuid::Uuid, Path, description = "The service.")),
    responses((status = 200, description = "The service as it is now.", body = Success<ServiceData>))
)]
pub async fn change_service(
    _admin: Admin,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<ServiceChange>,
    once: Once,
) -> Result<Reply, ApiError> {
    once.write(Scope::Nobody, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let mut service = services::lock(tx, id).await?;
        let before = json!(ServiceView::from(service.clone()));
        body.apply(&mut service);
        service.updated_at = state.now();
        services::save(tx, &service).await?;
        let service = ServiceView::from(service);
        let change = (Some(before), Some(json!(service)));
        telling::audited(tx, &origin, "service.changed", ("service", id), change).await?;
        Ok(Reply::ok(ServiceData { service })?)
    })
    .await
}
