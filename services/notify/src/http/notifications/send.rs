//! `POST /api/notifications/send`

use std::sync::Arc;

use parlour_auth::Principal;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, Staff, State, Success,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::reach;
use crate::sending::Request;
use crate::state::Notify;
use crate::store::recipients::{self, Recipient};
use crate::store::{notifications, people};
use crate::telling::{Told, tell};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_notifications, _, _, _>(RateClass::General, send_notifications)
}

/// What is told to whom.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SendBody {
    /// The people.
    #[schema(min_items = 1, max_items = 1000)]
    pub user_ids: Vec<Uuid>,
    /// What they are told.
    #[serde(flatten)]
    pub request: Request,
}

impl Check for SendBody {
    fn check(&self, problems: &mut Problems) {
        self.request.check(problems, false);
    }
}

/// A notification of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentNotification {
    /// The notification.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
}

/// Who was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentNotifications {
    /// One for each person; under a `dedupe_key` that was used before, the one from then.
    pub notifications: Vec<SentNotification>,
    /// People who may not use the platform and were not told.
    pub skipped: Vec<Uuid>,
}

/// Sends a notification to given users
#[utoipa::path(
    post, path = "/api/notifications/send", tag = "notifications", request_body = SendBody,
    responses((status = 201, description = "Who was told.", body = Success<SentNotifications>))
)]
pub async fn send_notifications(
    staff: Staff,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<SendBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), staff.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let people = known(tx, &caller, body.user_ids).await?;
        deliver(&shared, tx, (&origin, &caller), &body.request, people).await
    })
    .await
}

/// The people with these ids; one whom the caller may not know of is as unknown as one who is not there.
pub async fn known(tx: &mut Tx, caller: &Principal, mut ids: Vec<Uuid>) -> Result<Vec<Recipient>, Error> {
    let country = reach::country_of(caller)?;
    let known = people::known(tx, &ids, country.as_deref()).await?;
    let wrong: Vec<String> = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| !known.contains(id))
        .map(|(index, _)| format!("user_ids[{index}]: is not a known account"))
        .take(50)
        .collect();
    if !wrong.is_empty() {
        return Err(Error::Fields(wrong));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(recipients::by_id(tx, ids).await?)
}

/// Tells `people` and answers who was told.
pub async fn deliver(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    (origin, caller): (&Origin, &Principal),
    request: &Request,
    people: Vec<Recipient>,
) -> Result<Reply, Error> {
    let now = notify.clock.now();
    let rules = notify.rules.get(tx).await?;
    request.check_at(&rules, now)?;
    let message = request.message(id::new(), Some(caller.id), notify, now);
    let ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
    let mut told = tell(notify, tx, &message, people).await?;
    if request.dedupe_key.is_some() {
        let all = notifications::by_source(tx, &ids, message.source, &message.kind).await?;
        told = all
            .into_iter()
            .map(|(id, account_id)| Told { account_id, id })
            .collect();
    }
    let after = json!({ "type": message.kind, "priority": message.priority, "people": told.len() });
    let target = ("notification_source", message.source.to_string());
    notify
        .audit(tx, origin, "notification.sent", target, Some(after))
        .await?;
    let skipped = ids
        .into_iter()
        .filter(|id| told.iter().all(|told| told.account_id != *id));
    let skipped = skipped.collect();
    let notifications = told.iter().map(|told| SentNotification {
        id: told.id,
        user_id: told.account_id,
    });
    Ok(Reply::created(SentNotifications {
        notifications: notifications.collect(),
        skipped,
    })?)
}
