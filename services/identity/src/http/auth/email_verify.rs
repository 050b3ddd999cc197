//! `POST /api/auth/email/verify`

use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Once, Origin, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::logout::Nothing;
use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts;
use crate::store::single_use::{self, Purpose};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_verify, _, _, _>(RateClass::Auth, verify)
}

/// The mailed token.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EmailVerify {
    /// From the mail.
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
}

impl Check for EmailVerify {}

/// Confirms an e-mail address with a mailed token
#[utoipa::path(
    post, path = "/api/auth/email/verify", tag = "auth", request_body = EmailVerify,
    responses((status = 200, description = "Confirmed.", body = Success<Nothing>))
)]
pub async fn verify(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<EmailVerify>,
    once: Once,
) -> Result<Reply, ApiError> {
    let token = secret::hash(&body.token);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let redeemed = single_use::redeem(tx, &token, Purpose::VerifyEmail, state.now()).await?;
        let id = redeemed.ok_or(Error::InvalidToken)?;
        accounts::set_email_verified(tx, id).await?;
        let account = accounts::find(tx, id).await?;
        state.tell_contact(tx, &account).await?;
        state
            .audit(tx, &origin, "email.verified", id, (None, None))
            .await?;
        Ok(Reply::said(Nothing {}, "Your e-mail address is confirmed.")?)
    })
    .await
}
