//! `POST /api/auth/2fa/enroll`, `/activate`, `/disable`

use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::logout::Nothing;
use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::single_use;
use crate::two_factor::{self, Proof};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_enroll, _, _, _>(RateClass::Auth, enroll)
        .add::<__path_activate, _, _, _>(RateClass::Auth, activate)
        .add::<__path_disable, _, _, _>(RateClass::Auth, disable)
}

/// What an authenticator app needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolment {
    /// Base 32, to type.
    pub secret: String,
    /// To show as a QR code.
    pub otpauth_url: String,
}

/// A code of the authenticator.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TwoFactorCode {
    /// Six digits.
    #[schema(min_length = 6, max_length = 10)]
    pub code: String,
}

impl Check for TwoFactorCode {}

/// Single-use codes for the day the authenticator is lost.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Shown once.
    pub recovery_codes: Vec<String>,
}

/// The password and one proof.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TwoFactorDisable {
    /// The account's password.
    #[schema(min_length = 1, max_length = 1000)]
    pub password: String,
    /// Six digits.
    #[schema(max_length = 10)]
    pub code: Option<String>,
    /// In the place of a code.
    #[schema(max_length = 40)]
    pub recovery_code: Option<String>,
}

impl Check for TwoFactorDisable {
    fn check(&self, problems: &mut Problems) {
        let one = self.code.is_some() != self.recovery_code.is_some();
        problems.require(one, "code", "exactly one of code and recovery_code is required");
    }
}

/// Starts TOTP enrolment
///
/// Nothing changes until a code was shown to `/api/auth/2fa/activate`. Asking again makes a new secret.
#[utoipa::path(
    post, path = "/api/auth/2fa/enroll", tag = "auth",
    responses(
        (status = 200, description = "The secret.", body = Success<Enrolment>),
        (status = 409, description = "A second factor is active already.", body = parlour_http::Failure),
    )
)]
pub async fn enroll(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let id = user.id;
    let shared = state.clone();
    let enrolment = state.db.write(Scope::Person(id), async move |tx: &mut Tx| {
        let state = shared;
        let account = accounts::lock(tx, id).await?;
        if account.two_factor_enabled {
            return Err(Error::State(
                "A second factor is active already. Disable it first.",
            ));
        }
        let label = state
            .email_of(&account)?
            .or(account.person.username)
            .unwrap_or_default();
        let secret = two_factor::new_secret()?;
        let totp = two_factor::authenticator(secret.as_bytes(), &label)?;
        let place = Account::two_factor_place(id);
        let sealed = state.vault.seal(&place, secret.as_bytes())?;
        accounts::set_two_factor(tx, id, Some(&sealed), false).await?;
        let url = totp
            .to_url()
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Enrolment {
            secret: secret.to_base32(),
            otpauth_url: url,
        })
    });
    Reply::ok(enrolment.await?)
}

/// Confirms enrolment with a code
///
/// Answers ten recovery codes, once.
#[utoipa::path(
    post, path = "/api/auth/2fa/activate", tag = "auth", request_body = TwoFactorCode,
    responses((status = 200, description = "Active.", body = Success<RecoveryCodes>))
)]
pub async fn activate(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<TwoFactorCode>,
    once: Once,
) -> Result<Reply, ApiError> {
    let id = user.id;
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let account = accounts::lock(tx, id).await?;
        if account.two_factor_enabled || account.two_factor_sealed.is_none() {
            return Err(Error::State("There is no enrolment to confirm."));
        }
        if !two_factor::accept(&state, tx, &account, &Proof::Code(body.code)).await? {
            return Err(Error::Field(
                "code",
                "is not the code that the authenticator shows now",
            ));
        }
        let mut codes = Vec::new();
        for _ in 0..RECOVERY_CODES {
            codes.push(secret::recovery_code()?);
        }
        let hashes: Vec<Vec<u8>> = codes.iter().map(|c| two_factor::recovery_hash(c)).collect();
        single_use::replace_recovery_codes(tx, id, &hashes).await?;
        accounts::set_two_factor(tx, id, account.two_factor_sealed.as_deref(), true).await?;
        state.tell_credentials(tx, id, "two_factor_on").await?;
        state
            .audit(tx, &origin, "two_factor.enabled", id, (None, None))
            .await?;
        Ok(Reply::ok(RecoveryCodes {
            recovery_codes: codes,
        })?)
    })
    .await
}

/// Disables the second factor with password and code
#[utoipa::path(
    post, path = "/api/auth/2fa/disable", tag = "auth", request_body = TwoFactorDisable,
    responses((status = 200, description = "Disabled.", body = Success<Nothing>))
)]
pub async fn disable(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<TwoFactorDisable>,
    once: Once,
) -> Result<Reply, ApiError> {
    let id = user.id;
    let account = state
        .db
        .read(Scope::Person(id), async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(accounts::find(tx, id).await?)
        })
        .await?;
    if !state.hasher.verify(body.password, account.password_hash).await? {
        return Err(Error::InvalidCredentials.into());
    }
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let account = accounts::lock(tx, id).await?;
        if !account.two_factor_enabled {
            return Err(Error::State("There is no second factor to disable."));
        }
        let proof = Proof::of(body.code, body.recovery_code);
        if !two_factor::accept(&state, tx, &account, &proof).await? {
            return Err(Error::InvalidCredentials);
        }
        accounts::set_two_factor(tx, id, None, false).await?;
        state.tell_credentials(tx, id, "two_factor_off").await?;
        state.alert(tx, id, "two_factor_disabled", Some(&origin)).await?;
        state
            .audit(tx, &origin, "two_factor.disabled", id, (None, None))
            .await?;
        Ok(Reply::said(Nothing {}, "The second factor is disabled.")?)
    })
    .await
}
