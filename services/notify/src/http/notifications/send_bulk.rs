//! `POST /api/notifications/send-bulk`

use std::sync::Arc;

use actix_web::http::StatusCode;
use parlour_auth::Principal;
use parlour_contracts::{Role, id};
use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::send_to_role::role_name;
use crate::domain::job::Audience;
use crate::error::Error;
use crate::reach;
use crate::sending::Request;
use crate::state::Notify;
use crate::store::jobs::{self, Job, NewJob};
use crate::store::recipients;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_bulk, _, _, _>(RateClass::General, send_bulk)
}

/// What is told to many: to these, to a role, or to whom a filter leaves.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkBody {
    /// These people.
    #[schema(min_items = 1, max_items = 10_000)]
    pub user_ids: Option<Vec<Uuid>>,
    /// Everybody with this role; aliases are taken.
    #[schema(min_length = 1, max_length = 40)]
    pub role: Option<String>,
    /// Everybody who fits.
    pub filter: Option<BulkFilter>,
    /// What they are told.
    #[serde(flatten)]
    pub request: Request,
}

/// All conditions hold together; at least one is needed.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkFilter {
    /// Any of these roles.
    #[schema(min_items = 1, max_items = 10)]
    pub roles: Option<Vec<String>>,
    /// ISO 3166-1 alpha-2.
    #[schema(min_length = 2, max_length = 2)]
    pub country: Option<String>,
    /// A language, such as `ar`.
    #[schema(min_length = 2, max_length = 3)]
    pub locale: Option<String>,
}

impl Check for BulkBody {
    fn check(&self, problems: &mut Problems) {
        let chosen = [
            self.user_ids.is_some(),
            self.role.is_some(),
            self.filter.is_some(),
        ];
        let one = chosen.into_iter().filter(|given| *given).count() == 1;
        problems.require(one, "user_ids", "give one of user_ids, role and filter");
        let fine = self
            .role
            .as_deref()
            .is_none_or(|role| role.parse::<Role>().is_ok());
        problems.require(fine, "role", "is not a role");
        if let Some(filter) = &self.filter {
            let empty = filter.roles.is_none() && filter.country.is_none() && filter.locale.is_none();
            problems.require(
                !empty,
                "filter",
                "needs at least one condition; everybody is told by a broadcast",
            );
            for (index, role) in filter.roles.iter().flatten().enumerate() {
                problems.require(
                    role.parse::<Role>().is_ok(),
                    &format!("filter.roles[{index}]"),
                    "is not a role",
                );
            }
        }
        self.request.check(problems, false);
    }
}

impl BulkBody {
    fn audience(&self) -> Audience {
        let filter = self.filter.as_ref();
        let roles = filter.and_then(|filter| filter.roles.clone());
        let roles = roles.or_else(|| self.role.clone().map(|role| vec![role]));
        Audience {
            user_ids: self.user_ids.clone().map(|mut ids| {
                ids.sort_unstable();
                ids.dedup();
                ids
            }),
            roles: roles.map(|roles| roles.iter().map(|role| role_name(role)).collect()),
            country: filter.and_then(|filter| filter.country.clone()),
            locale: filter.and_then(|filter| filter.locale.clone()),
        }
    }
}

/// The job that tells them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    pub job_id: Uuid,
    /// Where its progress is.
    pub status_url: String,
}

/// Sends a notification to many
///
/// Answered at once; a job tells them.
#[utoipa::path(
    post, path = "/api/notifications/send-bulk", tag = "notifications", request_body = BulkBody,
    responses((status = 202, description = "A job tells them.", body = Success<Accepted>))
)]
pub async fn send_bulk(
    admin: Admin,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<BulkBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), admin.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let mut audience = body.audience();
        if let Some(country) = reach::country_of(&caller)? {
            audience.country = Some(country);
        }
        accept(&shared, tx, (&origin, &caller), ("bulk", audience), &body.request).await
    })
    .await
}

/// Writes a job down and answers where it can be watched.
pub async fn accept(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    (origin, caller): (&Origin, &Principal),
    (kind, audience): (&'static str, Audience),
    request: &Request,
) -> Result<Reply, Error> {
    let now = notify.clock.now();
    let rules = notify.rules.get(tx).await?;
    request.check_at(&rules, now)?;
    if jobs::open(tx).await? >= i64::from(notify.settings.bulk.open) {
        return Err(Error::State(
            "too many jobs are open; wait for one to end".to_owned(),
        ));
    }
    let total = match &audience.user_ids {
        Some(ids) => i64::try_from(ids.len()).unwrap_or(i64::MAX),
        None => recipients::count(tx, &audience).await?,
    };
    let id = id::new();
    let plain = serde_json::to_vec(request).map_err(ApiError::internal)?;
    let job = NewJob {
        id,
        kind,
        status: "queued",
        request_sealed: notify.vault.seal(&Job::place(id), &plain)?,
        audience: serde_json::to_value(&audience).map_err(ApiError::internal)?,
        sender: caller.id,
        total,
        leased_until: now,
        created_at: now,
    };
    jobs::insert(tx, &job).await?;
    let after = json!({ "kind": kind, "type": request.kind, "total": total });
    let target = ("notification_job", id.to_string());
    notify
        .audit(tx, origin, "notification_job.created", target, Some(after))
        .await?;
    let accepted = Accepted {
        job_id: id,
        status_url: format!("/api/notifications/jobs/{id}"),
    };
    Ok(Reply::enveloped(StatusCode::ACCEPTED, accepted, None)?)
}
