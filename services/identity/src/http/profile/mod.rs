//! `/api/profile…`

pub mod change;

use parlour_db::{Conn, Scope, Tx};
use parlour_http::{ApiError, Json, Once, Origin, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::change::ProfileChange;
use crate::domain::requirements;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account, Person};
use crate::store::phones;
use crate::store::profiles::{self, Profile};
use crate::view::FullProfile;

/// Routes below `/api/profile`.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<__path_mine, _, _, _>(RateClass::General, mine)
        .add::<__path_update, _, _, _>(RateClass::General, update)
        .add::<__path_missing, _, _, _>(RateClass::General, missing)
        .add::<__path_complete, _, _, _>(RateClass::General, complete)
}

/// What a profile still needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requirements {
    /// Whether nothing is missing.
    pub complete: bool,
    /// The fields without a value.
    pub missing: Vec<&'static str>,
    /// The fields that the account's roles need.
    pub required: Vec<&'static str>,
}

/// My profile
#[utoipa::path(
    get, path = "/api/profile", tag = "profile",
    responses((status = 200, description = "Account and profile.", body = Success<FullProfile>))
)]
pub async fn mine(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let (person, profile) = load(&state, user.id).await?;
    Reply::ok(state.full_profile(&person, &profile)?)
}

/// Updates my profile
///
/// Fields that are left out stay; null clears.
#[utoipa::path(
    put, path = "/api/profile", tag = "profile", request_body = ProfileChange,
    responses((status = 200, description = "The profile as it is now.", body = Success<FullProfile>))
)]
pub async fn update(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<ProfileChange>,
    once: Once,
) -> Result<Reply, ApiError> {
    let id = user.id;
    once.write(
        Scope::Person(id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let (account, profile) = apply(&state, tx, id, body, &origin).await?;
            Ok(Reply::ok(state.full_profile(&account, &profile)?)?)
        },
    )
    .await
}

/// Which profile fields are still missing
#[utoipa::path(
    get, path = "/api/profile/requirements", tag = "profile",
    responses((status = 200, description = "By the account's roles.", body = Success<Requirements>))
)]
pub async fn missing(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let (person, profile) = load(&state, user.id).await?;
    Reply::ok(requirements_of(&state, &person, &profile)?)
}

/// Completes the profile
///
/// Takes the fields of `PUT /api/profile`; afterwards nothing that the account's
/// roles need may be missing, else nothing is changed and every missing field is named.
#[utoipa::path(
    post, path = "/api/profile/complete", tag = "profile", request_body = ProfileChange,
    responses((status = 200, description = "The profile as it is now.", body = Success<FullProfile>))
)]
pub async fn complete(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<ProfileChange>,
    once: Once,
) -> Result<Reply, ApiError> {
    let id = user.id;
    once.write(
        Scope::Person(id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let (account, profile) = apply(&state, tx, id, body, &origin).await?;
            let requirements = requirements_of(&state, &account, &profile)?;
            if !requirements.complete {
                let problems = requirements
                    .missing
                    .iter()
                    .map(|field| format!("{field}: is required"));
                return Err(ApiError::validation(problems.collect()).into());
            }
            Ok(Reply::ok(state.full_profile(&account, &profile)?)?)
        },
    )
    .await
}

/// A person and their profile, as they see it.
pub async fn load(state: &Identity, id: Uuid) -> Result<(Person, Profile), Error> {
    let found = state
        .db
        .ask(async move |conn: &Conn| profiles::with_person(conn, id).await);
    Ok(found.await?)
}

fn requirements_of(state: &Identity, account: &Person, profile: &Profile) -> Result<Requirements, Error> {
    let birth = state.birth_of(profile)?;
    let filled = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
    let required = requirements::required(&account.roles());
    let missing: Vec<&'static str> = required
        .iter()
        .copied()
        .filter(|field| !match *field {
            "first_name" => filled(&profile.first_name),
            "last_name" => filled(&profile.last_name),
            "display_name" => filled(&profile.display_name),
            "bio" => filled(&profile.bio),
            "country" => filled(&profile.country),
            "birth_date" => birth.date.is_some(),
            "languages" => !profile.languages.is_empty(),
            "specialities" => !profile.specialities.is_empty(),
            _ => false,
        })
        .collect();
    Ok(Requirements {
        complete: missing.is_empty(),
        missing,
        required,
    })
}

async fn apply(
    state: &Identity,
    tx: &mut Tx,
    id: Uuid,
    change: ProfileChange,
    origin: &Origin,
) -> Result<(Account, Profile), Error> {
    let mut account = accounts::lock(tx, id).await?;
    let mut profile = profiles::find(tx, id).await?;
    let fields = change.fields();
    let phone = change.phone.clone();
    change.into_profile(state, &mut profile)?;
    profiles::save(tx, &profile).await?;
    if let Some(phone) = phone {
        set_phone(state, tx, &account, phone.as_deref()).await?;
        account = accounts::find(tx, id).await?;
        state.tell_contact(tx, &account).await?;
    }
    state.tell_profile(tx, &account, &profile).await?;
    let what = Some(serde_json::json!({ "fields": fields }));
    state
        .audit(tx, origin, "profile.updated", id, (None, what))
        .await?;
    Ok((account, profile))
}

/// A number that is only written down is not a proved one; the proved one stays proved when it is written again.
async fn set_phone(
    state: &Identity,
    tx: &mut Tx,
    account: &Account,
    phone: Option<&str>,
) -> Result<(), Error> {
    let number = phone.and_then(crate::phone::parse);
    let Some(number) = number else {
        return Ok(phones::clear_phone(tx, account.id).await?);
    };
    let same = state.phone_of(account)?.as_deref() == Some(&number.e164);
    let verified = same && account.phone_verified;
    let sealed = state
        .vault
        .seal_text(&Account::phone_place(account.id), &number.e164)?;
    let index = state.phone_index(&number.e164);
    Ok(phones::set_phone(tx, account.id, &sealed, &index, verified).await?)
}
