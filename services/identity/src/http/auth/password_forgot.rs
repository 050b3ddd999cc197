//! `POST /api/auth/password/forgot`

use parlour_db::{Scope, Tx};
use parlour_http::{Anonymous, ApiError, Check, Json, Problems, RateClass, Reply, Routes, State, Success};
use serde::Deserialize;
use utoipa::ToSchema;

use super::logout::Nothing;
use crate::domain::email;
use crate::error::Error;
use crate::state::Identity;
use crate::store::{accounts, profiles};
use crate::telling::Mail;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_forgot, _, _, _>(RateClass::Auth, forgot)
}

/// An e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PasswordForgot {
    /// Where the link goes.
    #[schema(max_length = 254, format = "email")]
    pub email: String,
}

impl Check for PasswordForgot {
    fn check(&self, problems: &mut Problems) {
        let fine = email::normalise(&self.email).is_some();
        problems.require(fine, "email", "must be a valid e-mail address");
    }
}

/// Mails a link to set a new password
///
/// The answer is the same whether there is such an account or not. The link works once, for an hour.
#[utoipa::path(
    post, path = "/api/auth/password/forgot", tag = "auth", request_body = PasswordForgot,
    responses((status = 200, description = "If there is such an account, a link is on its way.", body = Success<Nothing>))
)]
pub async fn forgot(
    _: Anonymous,
    state: State<Identity>,
    Json(body): Json<PasswordForgot>,
) -> Result<Reply, ApiError> {
    let address = email::normalise(&body.email).unwrap_or_default();
    let shared = state.clone();
    // Beside the answer, so that its time does not tell whether the account exists.
    tokio::spawn(async move {
        if let Err(error) = send(&shared, address).await {
            tracing::error!(%error, "a reset link could not be sent");
        }
    });
    Reply::said(
        Nothing {},
        "If there is an account with this address, a link is on its way.",
    )
}

async fn send(state: &State<Identity>, address: String) -> Result<(), Error> {
    let shared = state.clone();
    let index = state.email_index(&address);
    state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<(), Error> {
            let Some(account) = accounts::by_email(tx, &index).await? else {
                return Ok(());
            };
            let locale = profiles::find(tx, account.id).await?.locale;
            shared
                .mail_link(tx, &account, &locale, Mail::ResetPassword)
                .await?;
            Ok(())
        })
        .await
}
