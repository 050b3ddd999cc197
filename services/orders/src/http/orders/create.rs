//! `POST /api/orders`

use diesel::result::QueryResult;
use futures_util::future::try_join;
use parlour_contracts::id;
use parlour_db::{Conn, Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::Status;
use crate::error::Error;
use crate::http::Client;
use crate::moving::OrderData;
use crate::state::Orders;
use crate::store::orders::Order;
use crate::store::placing::{self, NewOrder};
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
    if body.preferred_reader_id == Some(client.id) {
        return Err(Error::Field("preferred_reader_id", "cannot be yourself").into());
    }
    let new = NewOrder {
        id: id::new(),
        service_id: body.service_id,
        client_id: client.id,
        preferred_reader_id: body.preferred_reader_id,
        now: state.now(),
    };
    let notes = sealed_notes(&state, new.id, body)?;
    let look = async move |conn: &Conn| -> QueryResult<Seen> {
        try_join(
            placing::offer(conn, &new),
            is_available(conn, new.preferred_reader_id),
        )
        .await
    };
    let write = async move |(tx, seen): (&mut Tx, Seen)| -> Result<Option<Reply>, Error> {
        let mut order = offered(seen)?;
        order.notes_sealed.clone_from(&notes);
        place(&state, tx, &origin, &order).await?;
        let order = view::order(&order, &viewer)?;
        Ok(Some(Reply::created(OrderData { order })?))
    };
    once.write_seen(Scope::Person(client.id), look, write).await
}

/// The order, if it can be placed, and whether the reader whom its client prefers can be had.
type Seen = (Option<Order>, bool);

async fn is_available(conn: &Conn, preferred: Option<Uuid>) -> QueryResult<bool> {
    match preferred {
        Some(reader) => readers::is_available(conn, reader).await,
        None => Ok(true),
    }
}

fn offered((offer, is_available): Seen) -> Result<Order, Error> {
    if !is_available {
        return Err(Error::Field("preferred_reader_id", "is not an active reader"));
    }
    offer.ok_or(Error::Field("service_id", "is not a service that can be ordered"))
}

/// Places the order and tells of it.
async fn place(state: &Orders, tx: &mut Tx, origin: &Origin, order: &Order) -> Result<(), Error> {
    let after = json!({
        "number": order.shown_number(), "service_id": order.service_id, "price": order.price,
        "currency": order.currency,
    });
    let line = telling::entry(origin, "order.create", ("order", order.id), (None, Some(after)));
    let news = Batch::default().event(telling::aggregate(order), &telling::created(order));
    let news = news.audit(line).announce(tx)?;
    let due_at = state.due_at(order, Status::Pending, order.waits_since);
    let caller = Scope::Person(order.client_id).into();
    Ok(placing::place(tx, &caller, order, due_at, &news).await?)
}

fn sealed_notes(state: &Orders, order: Uuid, body: CreateOrder) -> Result<Option<Vec<u8>>, Error> {
    let notes = Notes {
        notes: body.notes.filter(|notes| !notes.is_empty()),
        details: body.details,
    };
    if notes.notes.is_none() && notes.details.is_none() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(&notes)?;
    Ok(Some(state.vault.seal(&Order::notes_place(order), &plain)?))
}
