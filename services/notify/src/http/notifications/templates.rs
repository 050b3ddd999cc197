//! `GET|POST /api/notifications/templates`, `PUT /api/notifications/templates/{id}`

pub mod create;
pub mod update;

use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, PageQuery, Pagination, Problems, Query, RateClass, Reply, Routes, State, Success,
    Time,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::Channel;
use crate::domain::template::{Words, Wrong};
use crate::error::Error;
use crate::state::Notify;
use crate::store::templates::{self, Filter, Template};

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    let routes = routes.add::<__path_list_templates, _, _, _>(RateClass::General, list_templates);
    update::route(create::route(routes))
}

/// A template in its current version.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its id, the same in every version.
    pub id: Uuid,
    /// The type that it words.
    #[serde(rename = "type")]
    pub kind: String,
    /// `socket`, `email`, `sms` or `push`.
    pub channel: String,
    /// The language.
    pub locale: String,
    /// Subject or title.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The HTML part of an e-mail; made from the text when null.
    pub html: Option<String>,
    /// Counts from 1.
    pub version: i32,
    /// Whether it is used; an active one switches its channel on by default.
    pub active: bool,
    /// Whether the words are those of the release.
    pub shipped: bool,
    /// When the first version was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl From<Template> for TemplateView {
    fn from(row: Template) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            channel: row.channel,
            locale: row.locale,
            subject: row.subject,
            body: row.body,
            html: row.html,
            version: row.version,
            active: row.active,
            shipped: row.author.is_none(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// `{template}`
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateData {
    /// As it is now.
    pub template: TemplateView,
}

/// What a template would say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// Subject or title.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The HTML part of an e-mail.
    pub html: Option<String>,
}

impl From<Words> for Preview {
    fn from(words: Words) -> Self {
        Self {
            subject: words.subject,
            body: words.body,
            html: words.html,
        }
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self::field(&wrong.field, &wrong.why)
    }
}

/// Which templates.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateSearch {
    /// Only of this type.
    #[serde(rename = "type")]
    #[schema(max_length = 64)]
    #[param(max_length = 64)]
    pub kind: Option<String>,
    /// Only of this channel.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub channel: Option<String>,
    /// Only in this language.
    #[schema(max_length = 35)]
    #[param(max_length = 35)]
    pub locale: Option<String>,
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Items on a page, 20 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
}

impl Check for TemplateSearch {
    fn check(&self, problems: &mut Problems) {
        let known = self
            .channel
            .as_deref()
            .is_none_or(|name| Channel::named(name).is_some());
        problems.require(known, "channel", "must be socket, email, sms or push");
    }
}

/// A page of templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplatePage {
    /// By type, channel and language.
    pub templates: Vec<TemplateView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// Templates in their current versions
#[utoipa::path(
    get, path = "/api/notifications/templates", tag = "notifications", params(TemplateSearch),
    responses((status = 200, description = "A page.", body = Success<TemplatePage>))
)]
pub async fn list_templates(
    _: Admin,
    state: State<Notify>,
    Query(query): Query<TemplateSearch>,
) -> Result<Reply, ApiError> {
    let pages = PageQuery {
        page: query.page,
        limit: query.limit,
        cursor: None,
    };
    let filter = Filter {
        kind: query.kind,
        channel: query.channel.as_deref().and_then(Channel::named),
        locale: query.locale,
    };
    let (limit, offset) = (pages.limit(), pages.offset());
    let (rows, total) = state
        .db
        .read(Scope::Nobody, async move |tx: &mut Tx| -> Result<_, Error> {
            let total = templates::count(tx, &filter).await?;
            Ok((templates::page(tx, &filter, limit, offset).await?, total))
        })
        .await?;
    Reply::ok(TemplatePage {
        templates: rows.into_iter().map(TemplateView::from).collect(),
        pagination: Pagination::new(&pages, total, None),
    })
}
