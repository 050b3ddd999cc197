//! `GET /api/notifications/jobs/{id}`, `DELETE /api/notifications/jobs/{id}`

use parlour_auth::Principal;
use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{Admin, ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success, Time};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::reach;
use crate::state::Notify;
use crate::store::jobs::{self, Job};

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_show_job, _, _, _>(RateClass::General, show_job)
        .add::<__path_cancel_job, _, _, _>(RateClass::General, cancel_job)
}

/// A bulk job or broadcast.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// `queued`, `running`, `done`, `cancelled` or `failed`.
    pub status: String,
    /// People to tell.
    pub total: i64,
    /// People told.
    pub done: i64,
    /// People who could not be told: unknown, blocked or gone.
    pub failed: i64,
    /// When it was accepted.
    pub created_at: Time,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            status: job.status,
            total: job.total,
            done: job.done,
            failed: job.failed,
            created_at: job.created_at.into(),
            started_at: job.started_at.map(Time::from),
            finished_at: job.finished_at.map(Time::from),
        }
    }
}

/// Progress of a bulk job or broadcast
#[utoipa::path(
    get, path = "/api/notifications/jobs/{id}", tag = "notifications",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "How far it is.", body = Success<JobView>))
)]
pub async fn show_job(admin: Admin, state: State<Notify>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let caller = admin.0;
    let job = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<Job, Error> {
            visible(tx, &caller, id).await
        })
        .await?;
    Reply::ok(JobView::from(job))
}

/// Cancels a bulk job or broadcast
///
/// Whoever was told by then stays told. Cancelling a job that has ended is a 409.
#[utoipa::path(
    delete, path = "/api/notifications/jobs/{id}", tag = "notifications",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "Nobody else is told.", body = Success<JobView>))
)]
pub async fn cancel_job(
    admin: Admin,
    state: State<Notify>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let (caller, shared) = (admin.0, state.0.clone());
    let work = async move |tx: &mut Tx| -> Result<Job, Error> {
        let job = visible(tx, &caller, id).await?;
        if job.kind == "broadcast" && !caller.has(Role::SuperAdmin) {
            return Err(Error::Forbidden(
                "a broadcast is cancelled by whoever may send one",
            ));
        }
        if !jobs::end(tx, id, "cancelled", None, shared.clock.now()).await? {
            return Err(Error::State(format!("the job is {}", job.status)));
        }
        let job = jobs::find(tx, id).await?.ok_or(Error::NotFound)?;
        let after = json!({ "done": job.done, "total": job.total });
        let target = ("notification_job", id.to_string());
        shared
            .audit(tx, &origin, "notification_job.cancelled", target, Some(after))
            .await?;
        Ok(job)
    };
    let job = state.db.write(Scope::Service, work).await?;
    Reply::ok(JobView::from(job))
}

/// The job, if the caller may know of it: somebody limited to a country knows their own.
async fn visible(tx: &mut Tx, caller: &Principal, id: Uuid) -> Result<Job, Error> {
    let job = jobs::find(tx, id).await?.ok_or(Error::NotFound)?;
    if reach::country_of(caller)?.is_some() && job.sender != caller.id {
        return Err(Error::NotFound);
    }
    Ok(job)
}
