//! `POST /api/auth/password/change`

use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::logout::Nothing;
use crate::domain::password;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_change, _, _, _>(RateClass::Auth, change)
}

/// The old password and the new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The password so far.
    #[schema(min_length = 1, max_length = 1000)]
    pub current_password: String,
    /// 8 to 128 characters, none of the common ones.
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: String,
}

impl Check for PasswordChange {
    fn check(&self, problems: &mut Problems) {
        if let Some(problem) = password::problem(&self.new_password, &[]) {
            problems.add("new_password", problem);
        }
        let same = self.current_password == self.new_password;
        problems.require(!same, "new_password", "must not be the current password");
    }
}

/// Changes the password
///
/// Every other session ends, everywhere, within a second; this one goes on.
#[utoipa::path(
    post, path = "/api/auth/password/change", tag = "auth", request_body = PasswordChange,
    responses((status = 200, description = "Changed.", body = Success<Nothing>))
)]
pub async fn change(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<PasswordChange>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (id, session) = (user.id, user.session);
    let account = state
        .db
        .read(Scope::Person(id), async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(accounts::find(tx, id).await?)
        })
        .await?;
    let names = [state.email_of(&account)?, account.username.clone()];
    let names: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
    if let Some(problem) = password::problem(&body.new_password, &names) {
        return Err(Error::Field("new_password", problem).into());
    }
    if !state
        .hasher
        .verify(body.current_password, account.password_hash)
        .await?
    {
        return Err(Error::InvalidCredentials.into());
    }
    let hash = state.hasher.hash(body.new_password).await?;
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        accounts::lock(tx, id).await?;
        accounts::set_password(tx, id, &hash).await?;
        state
            .end_all_sessions(tx, id, Some(session), "password_changed")
            .await?;
        state.tell_credentials(tx, id, "password").await?;
        state.alert(tx, id, "password_changed", Some(&origin)).await?;
        state
            .audit(tx, &origin, "password.changed", id, (None, None))
            .await?;
        Ok(Reply::said(
            Nothing {},
            "Your password is changed. Other sessions have ended.",
        )?)
    })
    .await
}
