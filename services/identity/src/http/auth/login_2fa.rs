//! `POST /api/auth/login/2fa`

use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::secret;
use crate::error::Error;
use crate::issuing::Through;
use crate::state::Identity;
use crate::store::single_use::{self, Purpose};
use crate::store::{accounts, profiles};
use crate::two_factor;
use crate::view::SignedIn;

/// Codes that may be tried on one challenge.
const ATTEMPTS: i32 = 5;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_login_2fa, _, _, _>(RateClass::Auth, login_2fa)
}

/// The challenge of a login and one proof.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Login2fa {
    /// From the login's answer.
    #[schema(min_length = 1, max_length = 200)]
    pub challenge: String,
    /// The code that the authenticator shows.
    #[schema(max_length = 10)]
    pub code: Option<String>,
    /// One of the recovery codes.
    #[schema(max_length = 40)]
    pub recovery_code: Option<String>,
}

impl Check for Login2fa {
    fn check(&self, problems: &mut Problems) {
        let one = self.code.is_some() != self.recovery_code.is_some();
        problems.require(one, "code", "exactly one of code and recovery_code is required");
    }
}

/// Finishes a login with a TOTP or recovery code
///
/// A challenge takes five attempts within five minutes; a code works once.
#[utoipa::path(
    post, path = "/api/auth/login/2fa", tag = "auth", request_body = Login2fa,
    responses((status = 200, description = "Signed in.", body = Success<SignedIn>))
)]
pub async fn login_2fa(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<Login2fa>,
) -> Result<Reply, ApiError> {
    let challenge = secret::hash(&body.challenge);
    // The attempt is counted in a transaction of its own: a wrong code must not undo it.
    let (counted, now) = (challenge.clone(), state.now());
    let account = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(single_use::attempt(tx, &counted, ATTEMPTS, now).await?)
        })
        .await?
        .ok_or(Error::InvalidToken)?;
    let shared = state.clone();
    let signed_in = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let state = shared;
            let account = accounts::lock(tx, account).await?;
            let proof = two_factor::Proof::of(body.code, body.recovery_code);
            if !two_factor::accept(&state, tx, &account, &proof).await? {
                return Err(Error::InvalidCredentials);
            }
            if !account.is_active() {
                return Err(Error::Blocked);
            }
            single_use::redeem(tx, &challenge, Purpose::TwoFactor, now)
                .await?
                .ok_or(Error::InvalidToken)?;
            let started = state.start_session(tx, &account, &origin, Through::TwoFactor, false);
            let (tokens, _) = started.await?;
            let profile = profiles::find(tx, account.id).await?;
            Ok(SignedIn::new(tokens, state.user(&account, &profile)?))
        })
        .await?;
    Reply::ok(signed_in)
}
