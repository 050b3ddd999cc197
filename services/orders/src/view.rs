//! What is answered about services and orders; `detail.rs` puts the longest of it together.

use parlour_http::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{self, Action};
use crate::error::Error;
use crate::store::orders::Order;
use crate::store::services::Service;
use crate::viewer::Viewer;

/// Something that can be ordered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ServiceView {
    pub id: Uuid,
    /// Such as `tarot`.
    pub kind: String,
    pub name: String,
    pub description: String,
    /// Minor units of the currency.
    pub price: i64,
    /// ISO 4217.
    pub currency: String,
    pub duration_minutes: i32,
    /// `written`, `audio` or `live`.
    pub delivery_mode: String,
    /// Whether an order waits for its payment before anybody is assigned.
    pub requires_payment: bool,
    /// Whether it can be ordered.
    pub active: bool,
    /// After how many minutes an order that nobody was assigned to is overdue; null is as configured.
    pub assignment_minutes: Option<i32>,
    /// The same for a result.
    pub result_minutes: Option<i32>,
    /// The same for the review of a result.
    pub review_minutes: Option<i32>,
}

impl From<Service> for ServiceView {
    fn from(row: Service) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            description: row.description,
            price: row.price,
            currency: row.currency,
            duration_minutes: row.duration_minutes,
            delivery_mode: row.delivery_mode,
            requires_payment: row.requires_payment,
            active: row.active,
            assignment_minutes: row.assignment_minutes,
            result_minutes: row.result_minutes,
            review_minutes: row.review_minutes,
        }
    }
}

/// Somebody who has to do with an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// Their account.
    pub id: Uuid,
    /// Empty when the account is gone.
    pub display_name: String,
}

impl PersonView {
    /// A person whose name may not be known.
    pub fn new(id: Uuid, name: Option<&str>) -> Self {
        Self {
            id,
            display_name: name.unwrap_or_default().to_owned(),
        }
    }
}

/// The service of an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OrderedService {
    pub id: Uuid,
    /// Such as `tarot`.
    pub kind: String,
    pub name: String,
    /// The kind again, by the name that older frontends read.
    #[serde(rename = "type")]
    pub kind_again: String,
}

/// An order as lists and moves answer it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OrderView {
    pub id: Uuid,
    /// Such as `R-000042`.
    pub number: String,
    pub service: OrderedService,
    pub client: PersonView,
    pub reader: Option<PersonView>,
    /// `pending`, `assigned`, `submitted`, `delivered` or `cancelled`.
    pub status: String,
    /// `unpaid`, `authorised`, `paid` or `refunded`.
    pub payment_status: String,
    /// Minor units of the currency, as it was when it was ordered.
    pub price: i64,
    /// ISO 4217.
    pub currency: String,
    /// Results handed in so far.
    pub revision: i32,
    /// What the caller may do next.
    pub next_actions: Vec<&'static str>,
    pub created_at: Time,
    pub updated_at: Time,
    /// Counts the changes; a move with another `expected_version` is refused.
    pub version: i64,
}

/// What the reader handed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ResultView {
    pub text: String,
    pub media_ids: Vec<Uuid>,
    pub revision: i32,
    pub submitted_at: Time,
}

/// What the client thinks of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReviewView {
    /// 1 to 5.
    pub rating: i16,
    pub comment: Option<String>,
    pub rated_at: Option<Time>,
}

/// What clients think of the reader.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RatingView {
    /// Null without ratings.
    pub average: Option<f64>,
    /// How many.
    pub count: i64,
}

/// Something that happened to the order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HistoryView {
    pub at: Time,
    /// Null for the platform itself.
    pub actor: Option<PersonView>,
    /// One of the order's actions, `create`, or `payment_…`.
    pub action: String,
    /// The status before; of a `payment_…` the payment's.
    pub from: Option<String>,
    /// The status after; of a `payment_…` the payment's.
    pub to: String,
    /// Why. A rejection's is between monitors and the reader.
    pub reason: Option<String>,
}

/// An order with everything that the caller may know of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OrderDetail {
    #[serde(flatten)]
    pub order: OrderView,
    pub notes: Option<String>,
    /// What the client told beside the notes.
    #[schema(value_type = Option<Object>)]
    pub details: Option<Map<String, Value>>,
    pub reader_rating: Option<RatingView>,
    /// Null until the caller may see one.
    pub result: Option<ResultView>,
    pub review: Option<ReviewView>,
    pub history: Vec<HistoryView>,
}

/// What a client writes when they order, as it is sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Notes {
    pub notes: Option<String>,
    pub details: Option<Map<String, Value>>,
}

/// What the caller may do next with an order, by the table and by what the table cannot know.
pub fn next_actions(order: &Order, viewer: &Viewer) -> Result<Vec<Action>, Error> {
    let mut actions = order::next_actions(order.status()?, &viewer.parties(order));
    actions.retain(|action| match action {
        Action::Assign => !order.waits_for_payment(),
        Action::Review => order.rating.is_none(),
        _ => true,
    });
    Ok(actions)
}

/// An order as lists and moves answer it.
pub fn order(order: &Order, viewer: &Viewer) -> Result<OrderView, Error> {
    let names = next_actions(order, viewer)?.into_iter().map(Action::name);
    Ok(OrderView {
        id: order.id,
        number: order.shown_number(),
        service: OrderedService {
            id: order.service_id,
            kind: order.kind.clone(),
            name: order.service_name.clone(),
            kind_again: order.kind.clone(),
        },
        client: PersonView::new(order.client_id, order.client_name.as_deref()),
        reader: order
            .reader_id
            .map(|id| PersonView::new(id, order.reader_name.as_deref())),
        status: order.status_name().to_owned(),
        payment_status: order.payment_name().to_owned(),
        price: order.price,
        currency: order.currency.clone(),
        revision: order.revision,
        next_actions: names.collect(),
        created_at: order.created_at.into(),
        updated_at: order.updated_at.into(),
        version: order.version,
    })
}
