//! Templates and their versions.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_contracts::id;
use parlour_db::Conn;
use uuid::Uuid;

use crate::domain::Channel;
use crate::domain::template::Words;
use crate::schema::{template_versions, templates};

/// A template in its current version.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Template {
    pub id: Uuid,
    pub kind: String,
    pub channel: String,
    pub locale: String,
    pub version: i32,
    pub active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub subject: String,
    pub body: String,
    pub html: Option<String>,
    pub author: Option<Uuid>,
}

impl Template {
    /// Its words.
    pub fn words(&self) -> Words {
        Words {
            subject: self.subject.clone(),
            body: self.body.clone(),
            html: self.html.clone(),
        }
    }
}

/// Which templates.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Filter {
    pub kind: Option<String>,
    pub channel: Option<Channel>,
    pub locale: Option<String>,
}

type Version = diesel::dsl::And<
    diesel::dsl::Eq<template_versions::template_id, templates::id>,
    diesel::dsl::Eq<template_versions::version, templates::version>,
>;
type Joined = diesel::helper_types::InnerJoinOn<templates::table, template_versions::table, Version>;
type Boxed<'q> = diesel::helper_types::IntoBoxed<'q, Joined, Pg>;

fn current<'q>() -> Boxed<'q> {
    templates::table
        .inner_join(
            template_versions::table.on(template_versions::template_id
                .eq(templates::id)
                .and(template_versions::version.eq(templates::version))),
        )
        .into_boxed()
}

macro_rules! columns {
    () => {
        (
            templates::id,
            templates::kind,
            templates::channel,
            templates::locale,
            templates::version,
            templates::active,
            templates::created_at,
            templates::updated_at,
            template_versions::subject,
            template_versions::body,
            template_versions::html,
            template_versions::author,
        )
    };
}

fn filtered(filter: &Filter) -> Boxed<'_> {
    let mut query = current();
    if let Some(kind) = &filter.kind {
        query = query.filter(templates::kind.eq(kind));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(templates::channel.eq(channel.name()));
    }
    if let Some(locale) = &filter.locale {
        query = query.filter(templates::locale.eq(locale));
    }
    query
}

/// A page, by type, channel and language.
pub async fn page(conn: &mut Conn, filter: &Filter, limit: i64, offset: i64) -> QueryResult<Vec<Template>> {
    filtered(filter)
        .order((templates::kind, templates::channel, templates::locale))
        .limit(limit)
        .offset(offset)
        .select(columns!())
        .load(conn)
        .await
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filtered(filter)
        .select(diesel::dsl::count_star())
        .first(conn)
        .await
}

/// One, locked for a change.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Template> {
    let _: Uuid = templates::table
        .find(id)
        .select(templates::id)
        .for_update()
        .first(conn)
        .await?;
    current()
        .filter(templates::id.eq(id))
        .select(columns!())
        .first(conn)
        .await
}

/// A new template, version 1. The unique constraint refuses a second one of the same type,
/// channel and language.
pub async fn insert(
    conn: &mut Conn,
    (kind, channel, locale): (&str, Channel, &str),
    words: &Words,
    active: bool,
    author: Option<Uuid>,
) -> QueryResult<Template> {
    let id = id::new();
    diesel::insert_into(templates::table)
        .values((
            templates::id.eq(id),
            templates::kind.eq(kind),
            templates::channel.eq(channel.name()),
            templates::locale.eq(locale),
            templates::version.eq(1),
            templates::active.eq(active),
        ))
        .execute(conn)
        .await?;
    add_version(conn, id, 1, words, author).await?;
    lock(conn, id).await
}

/// Changes a template: other words are a new version.
pub async fn change(
    conn: &mut Conn,
    template: &Template,
    words: &Words,
    active: bool,
    author: Option<Uuid>,
) -> QueryResult<Template> {
    let mut version = template.version;
    if *words != template.words() {
        version += 1;
        add_version(conn, template.id, version, words, author).await?;
    }
    diesel::update(templates::table.find(template.id))
        .set((
            templates::version.eq(version),
            templates::active.eq(active),
            templates::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    lock(conn, template.id).await
}

async fn add_version(
    conn: &mut Conn,
    id: Uuid,
    version: i32,
    words: &Words,
    author: Option<Uuid>,
) -> QueryResult<()> {
    diesel::insert_into(template_versions::table)
        .values((
            template_versions::template_id.eq(id),
            template_versions::version.eq(version),
            template_versions::subject.eq(&words.subject),
            template_versions::body.eq(&words.body),
            template_versions::html.eq(&words.html),
            template_versions::author.eq(author),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// One of a type, channel and language, if there is one.
pub async fn find(
    conn: &mut Conn,
    (kind, channel, locale): (&str, Channel, &str),
) -> QueryResult<Option<Template>> {
    current()
        .filter(templates::kind.eq(kind))
        .filter(templates::channel.eq(channel.name()))
        .filter(templates::locale.eq(locale))
        .select(columns!())
        .first(conn)
        .await
        .optional()
}

/// Keeps other processes from seeding until the transaction ends.
pub async fn lock_all(conn: &mut Conn) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('notify.templates', 0))")
        .execute(conn)
        .await?;
    Ok(())
}
