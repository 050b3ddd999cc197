//! `PUT /api/notifications/templates/{id}`

use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, PathId, RateClass, Reply, Routes, State, Success,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::ToSchema;

use super::TemplateData;
use crate::domain::Channel;
use crate::domain::template::{self, Words};
use crate::error::Error;
use crate::state::Notify;
use crate::store::templates;

/// Registers the route.
pub(super) fn route(routes: Routes) -> Routes {
    routes.add::<__path_update_template, _, _, _>(RateClass::General, update_template)
}

/// What is changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateTemplate {
    /// Subject or title.
    #[schema(max_length = 500)]
    pub subject: Option<String>,
    /// The text.
    #[schema(min_length = 1, max_length = 20_000)]
    pub body: Option<String>,
    /// The HTML part of an e-mail; null has it made from the text.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100_000)]
    pub html: Option<Option<String>>,
    /// Whether it is used.
    pub active: Option<bool>,
}

impl Check for UpdateTemplate {}

/// Tells null from left out.
#[expect(clippy::option_option, reason = "left out, null and a value are three things")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Changes a template
///
/// Other words make a new version; the versions before are kept.
#[utoipa::path(
    put, path = "/api/notifications/templates/{id}", tag = "notifications", request_body = UpdateTemplate,
    params(("id" = Uuid, Path, description = "The template.")),
    responses((status = 200, description = "As it is now.", body = Success<TemplateData>))
)]
pub async fn update_template(
    admin: Admin,
    state: State<Notify>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<UpdateTemplate>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), admin.0);
    once.write(Scope::Nobody, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let row = templates::lock(tx, id).await?;
        let words = Words {
            subject: body.subject.unwrap_or_else(|| row.subject.clone()),
            body: body.body.unwrap_or_else(|| row.body.clone()),
            html: body.html.unwrap_or_else(|| row.html.clone()),
        };
        let channel = Channel::named(&row.channel).ok_or(Error::NotFound)?;
        template::check(&row.kind, channel, &words)?;
        let active = body.active.unwrap_or(row.active);
        let changed = templates::change(tx, &row, &words, active, Some(caller.id)).await?;
        let after = json!({ "version": changed.version, "active": changed.active });
        let target = ("notification_template", id.to_string());
        shared
            .audit(tx, &origin, "notification_template.changed", target, Some(after))
            .await?;
        let book = shared.clone();
        tx.on_commit(move || book.rules.forget());
        Ok(Reply::ok(TemplateData {
            template: changed.into(),
        })?)
    })
    .await
}
