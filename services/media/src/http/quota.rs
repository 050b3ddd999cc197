//! `GET /api/media/quota`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::state::Media;
use crate::store::quotas::{self, Quota};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_quota, _, _, _>(RateClass::General, quota)
}

/// What the caller uses and may use, in bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaData {
    /// By files that are there and files that can be brought back. The same content counts once.
    pub used: i64,
    /// In all.
    pub allowed: i64,
    /// What is left.
    pub remaining: i64,
    /// Null for whom no plan is known.
    pub plan: Option<String>,
}

/// Used and allowed bytes
#[utoipa::path(
    get, path = "/api/media/quota", tag = "media",
    responses((status = 200, description = "The figures.", body = Success<QuotaData>))
)]
pub async fn quota(user: User, state: State<Media>) -> Result<Reply, ApiError> {
    let (owner, usual) = (user.id, state.settings.quota_bytes);
    let work = async move |tx: &mut Tx| -> Result<Quota, Error> { Ok(quotas::read(tx, owner, usual).await?) };
    let quota = state.db.read(Scope::Person(owner), work).await?;
    Reply::ok(QuotaData {
        used: quota.used,
        allowed: quota.allowed,
        remaining: (quota.allowed - quota.used).max(0),
        plan: quota.plan,
    })
}
