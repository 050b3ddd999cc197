//! `/api/verify/phone/…`

use chrono::Duration;
use parlour_contracts::identity::v1::PhoneVerified;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::secret;
use crate::error::Error;
use crate::phone::{self, PhoneChannel, PhoneVerifier};
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::phones::{self, Verification};

/// How long a code works.
const LIFETIME: Duration = Duration::minutes(10);
/// Codes that may be tried.
const ATTEMPTS: i32 = 5;

/// Routes below `/api/verify`.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<__path_start, _, _, _>(RateClass::Auth, start)
        .add::<__path_check, _, _, _>(RateClass::Auth, check)
}

/// A number to prove.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PhoneStart {
    /// In international form, such as `+46701740605`.
    #[schema(min_length = 5, max_length = 32)]
    pub phone_number: String,
    /// How the code travels; sms without one.
    pub channel: Option<PhoneChannel>,
}

impl Check for PhoneStart {
    fn check(&self, problems: &mut Problems) {
        let fine = phone::parse(&self.phone_number).is_some();
        problems.require(
            fine,
            "phone_number",
            "must be a valid number in international form",
        );
    }
}

/// A number and the code that was sent to it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PhoneCheck {
    /// The number that verification was started for.
    #[schema(min_length = 5, max_length = 32)]
    pub phone_number: String,
    /// The code.
    #[schema(min_length = 4, max_length = 10, pattern = "^[0-9]+$")]
    pub code: String,
}

impl Check for PhoneCheck {
    fn check(&self, problems: &mut Problems) {
        let fine = phone::parse(&self.phone_number).is_some();
        problems.require(
            fine,
            "phone_number",
            "must be a valid number in international form",
        );
    }
}

/// How far a verification is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhoneState {
    /// `pending` or `approved`.
    pub status: &'static str,
    /// The number in E.164.
    pub phone_number: String,
}

/// Starts phone verification
///
/// A code is sent; it works for ten minutes and may be tried five times.
#[utoipa::path(
    post, path = "/api/verify/phone/start", tag = "verify", request_body = PhoneStart,
    responses((status = 200, description = "A code is on its way.", body = Success<PhoneState>))
)]
pub async fn start(
    user: User,
    state: State<Identity>,
    Json(body): Json<PhoneStart>,
) -> Result<Reply, ApiError> {
    let number = parsed(&body.phone_number)?;
    let channel = body.channel.unwrap_or(PhoneChannel::Sms);
    let now = state.now();
    let code_hash = match &state.phones {
        PhoneVerifier::Twilio(twilio) => {
            twilio.start(&number.e164, channel).await?;
            None
        }
        PhoneVerifier::Embedded(outbox) => {
            let code = secret::code(6)?;
            outbox.send(&number.e164, &code, channel, now).await?;
            Some(secret::hash(&code))
        }
    };
    let account = user.id;
    let sealed = state
        .vault
        .seal_text(&Verification::phone_place(account), &number.e164)?;
    let verification = Verification {
        account_id: account,
        phone_sealed: sealed,
        code_hash,
        attempts: 0,
        expires_at: now + LIFETIME,
    };
    state
        .db
        .write(
            Scope::Person(account),
            async move |tx: &mut Tx| -> Result<_, Error> { Ok(phones::start(tx, &verification).await?) },
        )
        .await?;
    Reply::said(
        PhoneState {
            status: "pending",
            phone_number: number.e164,
        },
        "A code is on its way.",
    )
}

/// Checks the code
#[utoipa::path(
    post, path = "/api/verify/phone/check", tag = "verify", request_body = PhoneCheck,
    responses((status = 200, description = "The number is yours.", body = Success<PhoneState>))
)]
pub async fn check(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<PhoneCheck>,
    once: Once,
) -> Result<Reply, ApiError> {
    let number = parsed(&body.phone_number)?;
    let (account, now) = (user.id, state.now());
    // Counted in a transaction of its own: a wrong code must not undo it.
    let pending = state
        .db
        .write(
            Scope::Person(account),
            async move |tx: &mut Tx| -> Result<_, Error> {
                Ok(phones::attempt(tx, account, ATTEMPTS, now).await?)
            },
        )
        .await?
        .ok_or(Error::InvalidToken)?;
    let place = Verification::phone_place(account);
    let same = state.vault.open_text(&place, &pending.phone_sealed)? == number.e164;
    if !same || !is_right(&state, &pending, &number.e164, &body.code).await? {
        return Err(Error::Field("code", "is not the code that was sent to this number").into());
    }
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        finish(&state, tx, account, &number, &origin).await?;
        Ok(Reply::said(
            PhoneState {
                status: "approved",
                phone_number: number.e164,
            },
            "The number is confirmed.",
        )?)
    })
    .await
}

fn parsed(text: &str) -> Result<phone::Number, Error> {
    phone::parse(text).ok_or(Error::Field("phone_number", "must be a valid number"))
}

async fn is_right(state: &Identity, pending: &Verification, e164: &str, code: &str) -> Result<bool, Error> {
    match &state.phones {
        PhoneVerifier::Twilio(twilio) => twilio.check(e164, code).await,
        PhoneVerifier::Embedded(_) => Ok(pending.code_hash == Some(secret::hash(code))),
    }
}

async fn finish(
    state: &Identity,
    tx: &mut Tx,
    id: Uuid,
    number: &phone::Number,
    origin: &Origin,
) -> Result<(), Error> {
    let sealed = state.vault.seal_text(&Account::phone_place(id), &number.e164)?;
    phones::set_phone(tx, id, &sealed, &state.phone_index(&number.e164), true).await?;
    phones::finish(tx, id).await?;
    let account = accounts::find(tx, id).await?;
    state.tell_contact(tx, &account).await?;
    let event = PhoneVerified {
        account_id: id.to_string(),
        country: number.country.clone(),
    };
    parlour_events::publish(tx, format!("account:{id}"), &event).await?;
    state.audit(tx, origin, "phone.verified", id, (None, None)).await
}
