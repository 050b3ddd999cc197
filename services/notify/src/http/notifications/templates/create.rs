//! `POST /api/notifications/templates`

use actix_web::http::StatusCode;
use parlour_db::{DbError, Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, Problems, Query, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{Preview, TemplateData};
use crate::domain::template::{self, Words};
use crate::domain::{Channel, kinds};
use crate::error::Error;
use crate::sending::ChannelName;
use crate::state::Notify;
use crate::store::templates;

/// Registers the route.
pub(super) fn route(routes: Routes) -> Routes {
    routes.add::<__path_create_template, _, _, _>(RateClass::General, create_template)
}

/// A new template.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateTemplate {
    /// The type that it words.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 64)]
    pub kind: String,
    /// The channel.
    #[schema(value_type = ChannelName)]
    pub channel: Channel,
    /// The language, such as `ar` or `en-GB`.
    #[schema(min_length = 2, max_length = 35)]
    pub locale: String,
    /// Subject or title; SMS needs none.
    #[schema(max_length = 500)]
    pub subject: Option<String>,
    /// The text.
    #[schema(min_length = 1, max_length = 20_000)]
    pub body: String,
    /// The HTML part of an e-mail; made from the text when there is none.
    #[schema(min_length = 1, max_length = 100_000)]
    pub html: Option<String>,
    /// Whether it is used at once, which it is unless said otherwise.
    pub active: Option<bool>,
    /// For a preview.
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
}

impl Check for CreateTemplate {
    fn check(&self, problems: &mut Problems) {
        problems.require(
            kinds::is_name(&self.kind),
            "type",
            "must be small letters, digits, _ . or -",
        );
        let fine = self
            .locale
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        problems.require(fine, "locale", "must be a BCP 47 language tag");
    }
}

impl CreateTemplate {
    fn words(&self) -> Words {
        Words {
            subject: self.subject.clone().unwrap_or_default(),
            body: self.body.clone(),
            html: self.html.clone(),
        }
    }
}

/// Whether it is only tried.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Renders with `variables` and saves nothing.
    pub preview: Option<bool>,
}

impl Check for PreviewQuery {}

/// Creates a template
///
/// One for each type, channel and language. A variable that the type does not have is refused here and
/// not when it is sent. With `preview=true` nothing is saved: the answer is what it would say with
/// `variables`, each of which has to be given.
#[utoipa::path(
    post, path = "/api/notifications/templates", tag = "notifications",
    params(PreviewQuery), request_body = CreateTemplate,
    responses(
        (status = 200, description = "The preview.", body = Success<Preview>),
        (status = 201, description = "The template.", body = Success<TemplateData>)
    )
)]
pub async fn create_template(
    admin: Admin,
    state: State<Notify>,
    origin: Origin,
    Query(query): Query<PreviewQuery>,
    Json(body): Json<CreateTemplate>,
    once: Once,
) -> Result<Reply, ApiError> {
    let words = body.words();
    if query.preview == Some(true) {
        return preview(&state, &body, &words).map_err(Into::into);
    }
    template::check(&body.kind, body.channel, &words).map_err(Error::from)?;
    let (shared, caller) = (state.0.clone(), admin.0);
    once.write(Scope::Nobody, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let key = (body.kind.as_str(), body.channel, body.locale.as_str());
        let active = body.active.unwrap_or(true);
        let made = templates::insert(tx, key, &words, active, Some(caller.id)).await;
        let row = made.map_err(DbError::from).map_err(|error| {
            if error.violates("templates_kind_channel_locale_key") {
                Error::Taken(
                    "There is a template of this type, channel and language already. Change it instead.",
                )
            } else {
                error.into()
            }
        })?;
        let after = json!({ "type": row.kind, "channel": row.channel, "locale": row.locale });
        let target = ("notification_template", row.id.to_string());
        shared
            .audit(tx, &origin, "notification_template.created", target, Some(after))
            .await?;
        let book = shared.clone();
        tx.on_commit(move || book.rules.forget());
        Ok(Reply::created(TemplateData { template: row.into() })?)
    })
    .await
}

fn preview(notify: &Notify, body: &CreateTemplate, words: &Words) -> Result<Reply, Error> {
    let mut variables = body.variables.clone().unwrap_or_default();
    variables
        .entry("brand")
        .or_insert_with(|| Value::from(notify.settings.brand.clone()));
    let mut rendered = template::render(words, &variables)?;
    if body.channel == Channel::Email && rendered.html.is_none() {
        let brand = &notify.settings.brand;
        rendered.html = Some(template::html_of(
            &body.locale,
            &rendered.subject,
            &rendered.body,
            brand,
        )?);
    }
    Ok(Reply::enveloped(StatusCode::OK, Preview::from(rendered), None)?)
}
