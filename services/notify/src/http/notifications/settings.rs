//! `GET /api/notifications/settings`, `PUT /api/notifications/settings`

mod change;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlour_auth::Principal;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Json, Once, Origin, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use self::change::SettingsChange;
use crate::domain::Channel;
use crate::domain::wishes::Wishes;
use crate::error::Error;
use crate::rules::{FALLBACK, Rules};
use crate::state::Notify;
use crate::store::settings;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_show_settings, _, _, _>(RateClass::General, show_settings)
        .add::<__path_change_settings, _, _, _>(RateClass::General, change_settings)
}

/// What a person is told, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsView {
    /// Whether a type is told on a channel, by type and channel, as it stands: the person's own
    /// choice, else the default of their role and the type.
    #[schema(value_type = Object)]
    pub preferences: BTreeMap<String, BTreeMap<Channel, bool>>,
    /// When they are not disturbed.
    pub quiet_hours: QuietHoursView,
    /// The language of what they are told.
    pub locale: String,
    /// What is put together.
    pub digest: DigestView,
}

/// Quiet hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuietHoursView {
    /// Whether they count.
    pub enabled: bool,
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`; on the next day when it is not after `start`.
    pub end: String,
    /// IANA name.
    pub time_zone: String,
    /// `monday` … `sunday`, on which they begin; null is every day.
    pub days: Option<Vec<&'static str>>,
}

/// Digests.
#[derive(Debug, Serialize, ToSchema)]
pub struct DigestView {
    /// Whether notifications of low priority are put together.
    pub enabled: bool,
    /// For how long they are collected.
    pub window_minutes: u16,
}

/// What I am told, and when
#[utoipa::path(
    get, path = "/api/notifications/settings", tag = "notifications",
    responses((status = 200, description = "As it stands.", body = Success<SettingsView>))
)]
pub async fn show_settings(user: User, state: State<Notify>) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), user.0);
    let view = state
        .db
        .read(
            Scope::Person(caller.id),
            async move |tx: &mut Tx| -> Result<_, Error> {
                let wishes = settings::find(tx, caller.id).await?;
                view(&shared, tx, &caller, &wishes).await
            },
        )
        .await?;
    Reply::ok(view)
}

/// Changes what I am told
///
/// What is left out stays. A preference of null goes back to the default; the type `all` stands for
/// every type that is not named.
#[utoipa::path(
    put, path = "/api/notifications/settings", tag = "notifications", request_body = SettingsChange,
    responses((status = 200, description = "As it stands now.", body = Success<SettingsView>))
)]
pub async fn change_settings(
    user: User,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<SettingsChange>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), user.0);
    once.write(
        Scope::Person(caller.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let mut wishes = settings::lock(tx, caller.id).await?;
            let fields = body.apply(&mut wishes)?;
            settings::save(tx, caller.id, &wishes).await?;
            let after = serde_json::json!({ "fields": fields });
            let target = ("account", caller.id.to_string());
            shared
                .audit(tx, &origin, "notification_settings.changed", target, Some(after))
                .await?;
            Ok(Reply::ok(view(&shared, tx, &caller, &wishes).await?)?)
        },
    )
    .await
}

async fn view(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    caller: &Principal,
    wishes: &Wishes,
) -> Result<SettingsView, Error> {
    let rules = notify.rules.get(tx).await?;
    let profile = settings::profile(tx, caller.id).await?;
    let (language, zone) = profile.unwrap_or_default();
    let hours = &wishes.quiet_hours;
    let zone = hours.time_zone.map(|zone| zone.name().to_owned()).or(zone);
    let locale = wishes.locale.clone().unwrap_or(language);
    Ok(SettingsView {
        preferences: preferences(&rules, caller, wishes),
        quiet_hours: QuietHoursView {
            enabled: hours.enabled,
            start: hours.start.format("%H:%M").to_string(),
            end: hours.end.format("%H:%M").to_string(),
            time_zone: zone.unwrap_or_else(|| "UTC".to_owned()),
            days: hours
                .days
                .as_ref()
                .map(|days| days.iter().map(|day| change::day_name(*day)).collect()),
        },
        locale: if locale.is_empty() {
            FALLBACK.to_owned()
        } else {
            locale
        },
        digest: DigestView {
            enabled: wishes.digest.enabled,
            window_minutes: wishes.digest.window_minutes,
        },
    })
}

/// What holds for every type that the platform tells or the person has named.
fn preferences(
    rules: &Rules,
    caller: &Principal,
    wishes: &Wishes,
) -> BTreeMap<String, BTreeMap<Channel, bool>> {
    let mine: Vec<String> = caller.roles.iter().map(|role| role.name().to_owned()).collect();
    let kinds: BTreeSet<&str> = rules
        .kinds()
        .into_iter()
        .chain(wishes.preferences.keys().map(String::as_str))
        .collect();
    let holds = |kind: &str, channel: Channel| {
        wishes.of(kind, channel).unwrap_or_else(|| {
            let default = channel == Channel::Socket || rules.has_template(kind, channel);
            rules.role_default(&mine, kind, channel).unwrap_or(default)
        })
    };
    kinds
        .into_iter()
        .map(|kind| {
            let channels = Channel::ALL.map(|channel| (channel, holds(kind, channel)));
            (kind.to_owned(), channels.into())
        })
        .collect()
}
