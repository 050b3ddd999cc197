//! The rules that operators may change.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;

use crate::schema::{role_defaults, routes, template_versions, templates};

/// Who hears of an event, and as what.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = routes)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Route {
    pub event: String,
    pub audience: String,
    pub kind: String,
    pub priority: String,
    pub required: bool,
}

/// All routes, in a stable order.
pub async fn routes(conn: &mut Conn) -> QueryResult<Vec<Route>> {
    routes::table
        .order((routes::event, routes::audience, routes::kind))
        .select(Route::as_select())
        .load(conn)
        .await
}

/// Role, type, channel, and whether it is on.
pub async fn role_defaults(conn: &mut Conn) -> QueryResult<Vec<(String, String, String, bool)>> {
    role_defaults::table.load(conn).await
}

/// An active template in its current version.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct ActiveTemplate {
    pub kind: String,
    pub channel: String,
    pub locale: String,
    pub subject: String,
    pub body: String,
    pub html: Option<String>,
}

/// All active templates.
pub async fn templates(conn: &mut Conn) -> QueryResult<Vec<ActiveTemplate>> {
    templates::table
        .inner_join(
            template_versions::table.on(template_versions::template_id
                .eq(templates::id)
                .and(template_versions::version.eq(templates::version))),
        )
        .filter(templates::active)
        .select((
            templates::kind,
            templates::channel,
            templates::locale,
            template_versions::subject,
            template_versions::body,
            template_versions::html,
        ))
        .load(conn)
        .await
}
