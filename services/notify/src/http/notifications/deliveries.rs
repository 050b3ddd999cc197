//! `GET /api/notifications/{id}/deliveries`

use parlour_db::{Scope, Tx};
use parlour_http::{Admin, ApiError, PathId, RateClass, Reply, Routes, State, Success, Time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Channel;
use crate::domain::reason::{Chosen, Reason, way};
use crate::error::Error;
use crate::reach;
use crate::state::Notify;
use crate::store::deliveries::{self, Delivery};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_deliveries, _, _, _>(RateClass::General, list_deliveries)
}

/// What became of a notification on a channel, and why.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DeliveryView {
    /// None for a channel that was left out from the start.
    pub id: Option<Uuid>,
    #[schema(value_type = String)]
    pub channel: Channel,
    /// `queued`, `sending`, `sent`, `delivered`, `failed` or `skipped`.
    pub status: String,
    /// Why it waits, was skipped or failed.
    pub reason: Option<String>,
    /// The whole story in words.
    pub explanation: String,
    pub attempts: i32,
    /// An emergency is told in several rounds, the first is 0.
    pub round: i32,
    /// When it is sent, if it waits.
    pub not_before: Option<Time>,
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    pub sent_at: Option<Time>,
    pub delivered_at: Option<Time>,
    /// In the provider's words.
    pub error: Option<String>,
}

/// `{deliveries}`
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// Every channel, and every device of push.
    pub deliveries: Vec<DeliveryView>,
}

/// What became of a notification on every channel
///
/// Every decision is explained, also why a channel was left out.
#[utoipa::path(
    get, path = "/api/notifications/{id}/deliveries", tag = "notifications",
    params(("id" = Uuid, Path, description = "The notification.")),
    responses((status = 200, description = "By channel.", body = Success<Deliveries>))
)]
pub async fn list_deliveries(
    admin: Admin,
    state: State<Notify>,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let country = reach::country_of(&admin)?;
    let (skipped, rows) = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let found = deliveries::of_notification(tx, id, country.as_deref()).await?;
            found.ok_or(Error::NotFound)
        })
        .await?;
    let mut list: Vec<DeliveryView> = rows.into_iter().filter_map(of_row).collect();
    let left_out = Channel::ALL.into_iter().filter_map(|channel| {
        let reason = skipped.get(channel.name())?.as_str()?;
        Some(left_out(channel, reason))
    });
    list.extend(left_out);
    list.sort_by_key(|view| (view.round, view.channel));
    Reply::ok(Deliveries { deliveries: list })
}

fn left_out(channel: Channel, reason: &str) -> DeliveryView {
    let sentence = Reason::named(reason).map_or_else(String::new, |reason| reason.sentence(channel));
    DeliveryView {
        id: None,
        channel,
        status: "skipped".to_owned(),
        reason: Some(reason.to_owned()),
        explanation: sentence,
        attempts: 0,
        round: 0,
        not_before: None,
        provider: None,
        provider_id: None,
        sent_at: None,
        delivered_at: None,
        error: None,
    }
}

fn of_row(row: Delivery) -> Option<DeliveryView> {
    let channel = Channel::named(&row.channel)?;
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(Time::from);
    Some(DeliveryView {
        explanation: explain(channel, &row),
        id: Some(row.id),
        channel,
        reason: row.reason,
        attempts: row.attempts,
        round: row.round,
        not_before: (row.status == "queued").then(|| row.not_before.into()),
        status: row.status,
        provider: row.provider,
        provider_id: row.provider_id,
        sent_at: time(row.sent_at),
        delivered_at: time(row.delivered_at),
        error: row.error,
    })
}

/// Why it was chosen, and what came of it.
fn explain(channel: Channel, row: &Delivery) -> String {
    let chosen = Chosen::sentence(&row.chosen, channel);
    let reason = row.reason.as_deref().and_then(Reason::named);
    let by = row
        .provider
        .as_deref()
        .map(|name| format!(" by {name}"))
        .unwrap_or_default();
    let times = match row.attempts {
        0 | 1 => String::new(),
        attempts => format!(" at attempt {attempts}"),
    };
    let outcome = match (row.status.as_str(), reason) {
        ("queued" | "skipped", Some(reason)) => reason.sentence(channel),
        ("queued", None) => format!("{} waits for its turn.", way(channel)),
        ("sending", _) => format!("{} is being sent.", way(channel)),
        ("sent", _) if row.digest_id.is_some() => format!("It was sent in a digest{by}{times}."),
        ("sent", _) => format!("It was sent{by}{times}."),
        ("delivered", _) => format!("It was delivered{by}{times}."),
        ("failed", _) => {
            let class = row.reason.as_deref().unwrap_or("unknown").replace('_', " ");
            let attempts = row.attempts;
            format!("It was given up after {attempts} attempts: the refusal{by} was {class}.")
        }
        (status, _) => format!("It is {status}."),
    };
    format!("{chosen} {outcome}")
}
