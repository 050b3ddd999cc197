//! `POST /api/orders`

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::http::Client;
use crate::moving::OrderData;
use crate::state::Orders;
use crate::store::orders::{self, NewOrder, Order};
use crate::store::readers;
use crate::telling;
use crate::view::{self, Notes};
use crate::viewer::Viewer;

/// The most characters that details have as JSON.
const MOST_DETAILS: usize = 10_000;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_create_order, _, _, _>(RateClass::General, create_order)
}

/// A new order.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateOrder {
    /// What is ordered.
    pub service_id: Uuid,
    /// What the reader should know.
    #[schema(max_length = 5000)]
    pub notes: Option<String>,
    /// Who should do it, if they are available.
    pub preferred_reader_id: Option<Uuid>,
    /// Further fields, such as a birth date; up to 10,000 characters of JSON.
    #[schema(value_type = Option<Object>)]
    pub details: Option<Map<String, Value>>,
}

impl Check for CreateOrder {
    fn check(&self, problems: &mut Problems) {
        let length = self
            .details
            .as_ref()
            .map_or(0, |details| json!(details).to_string().chars().count());
        problems.require(
            length <= MOST_DETAILS,
            "details",
            "must have at most 10000 characters as JSON",
        );
    }
}

/// Places an order
///
/// Its price is the service's as it is now. A service that requires payment waits for
/// it before anybody is assigned.
#[utoipa::path(
    post, path = "/api/orders", tag = "orders", request_body = CreateOrder,
    responses((status = 201, description = "The order.", body = Success<OrderData>))
)]
pub async fn create_order(
    client: Client,
    state: State<Orders>,
    origin: Origin,
    Json(body): Json<CreateOrder>,
    once: Once,
) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*client);
    once.write(
        Scope::Person(client.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            check_preference(tx, &body, viewer.id).await?;
            let order = insert(&state, tx, body, viewer.id).await?;
            let after = json!({
                "number": order.shown_number(), "service_id": order.service_id, "price": order.price,
                "currency": order.currency,
            });
            let line = telling::entry(&origin, "order.create", ("order", order.id), (None, Some(after)));
            let news = Batch::default().event(telling::aggregate(&order), &telling::created(&order));
            news.audit(line).write(tx).await?;
            let order = view::order(&order, &viewer)?;
            Ok(Reply::created(OrderData { order })?)
        },
    )
    .await
}

async fn check_preference(tx: &mut Tx, body: &CreateOrder, client: Uuid) -> Result<(), Error> {
    let Some(reader) = body.preferred_reader_id else {
        return Ok(());
    };
    if reader == client {
        return Err(Error::Field("preferred_reader_id", "cannot be yourself"));
    }
    if !readers::is_available(tx, reader).await? {
        return Err(Error::Field("preferred_reader_id", "is not an active reader"));
    }
    Ok(())
}

async fn insert(state: &Orders, tx: &mut Tx, body: CreateOrder, client: Uuid) -> Result<Order, Error> {
    let id = id::new();
    let notes = Notes {
        notes: body.notes.filter(|notes| !notes.is_empty()),
        details: body.details,
    };
    let sealed = if notes.notes.is_none() && notes.details.is_none() {
        None
    } else {
        let plain = serde_json::to_vec(&notes)?;
        Some(state.vault.seal(&Order::notes_place(id), &plain)?)
    };
    let new = NewOrder {
        id,
        service_id: body.service_id,
        client_id: client,
        preferred_reader_id: body.preferred_reader_id,
        notes_sealed: sealed.as_deref(),
        now: state.now(),
        assignment_minutes: i32::try_from(state.settings.assignment_minutes).unwrap_or(i32::MAX),
    };
    let order = orders::insert(tx, &new).await?;
    order.ok_or(Error::Field("service_id", "is not a service that can be ordered"))
}
