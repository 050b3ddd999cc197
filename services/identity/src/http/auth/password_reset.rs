//! `POST /api/auth/password/reset`

use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::logout::Nothing;
use crate::domain::{password, secret};
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts;
use crate::store::single_use::{self, Purpose};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_reset, _, _, _>(RateClass::Auth, reset)
}

/// The mailed token and the new password.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PasswordReset {
    /// From the mail.
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
    /// 8 to 128 characters, none of the common ones.
    #[schema(min_length = 8, max_length = 128)]
    pub password: Option<String>,
    /// The same, under the name that password/change uses.
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: Option<String>,
}

impl Check for PasswordReset {
    fn check(&self, problems: &mut Problems) {
        match self.chosen() {
            None => problems.add("password", "is required"),
            Some(text) => {
                if let Some(problem) = password::problem(text, &[]) {
                    problems.add("password", problem);
                }
            }
        }
    }
}

impl PasswordReset {
    fn chosen(&self) -> Option<&str> {
        self.password.as_deref().or(self.new_password.as_deref())
    }
}

/// Sets a new password with a mailed token
///
/// Every session ends. The address that the link went to counts as verified.
#[utoipa::path(
    post, path = "/api/auth/password/reset", tag = "auth", request_body = PasswordReset,
    responses((status = 200, description = "Changed.", body = Success<Nothing>))
)]
pub async fn reset(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<PasswordReset>,
    once: Once,
) -> Result<Reply, ApiError> {
    let token = secret::hash(&body.token);
    let hash = state
        .hasher
        .hash(body.chosen().unwrap_or_default().to_owned())
        .await?;
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let redeemed = single_use::redeem(tx, &token, Purpose::ResetPassword, state.now()).await?;
        let id = redeemed.ok_or(Error::InvalidToken)?;
        accounts::lock(tx, id).await?;
        accounts::set_password(tx, id, &hash).await?;
        accounts::set_email_verified(tx, id).await?;
        state.end_all_sessions(tx, id, None, "password_changed").await?;
        state.tell_credentials(tx, id, "password").await?;
        state.alert(tx, id, "password_changed", Some(&origin)).await?;
        state
            .audit(tx, &origin, "password.reset", id, (None, None))
            .await?;
        Ok(Reply::said(Nothing {}, "Your password is set. Sign in with it.")?)
    })
    .await
}
