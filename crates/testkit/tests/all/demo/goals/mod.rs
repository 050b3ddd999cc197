//! A service with one table of personal rows and routes with different guards.

pub(crate) mod schema;

use std::future::ready;
use std::sync::Arc;

use chrono::Duration;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use parlour_chassis::{Built, Clock, Context, Job, Service};
use parlour_contracts::{id, wellbeing::v1::GoalSet};
use parlour_db::{Db, DbError, EmbeddedMigrations, Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, PathId, Problems, Public, RateClass, Reply, Routes, Staff, State, Success,
    User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use schema::goals;

pub(crate) const MIGRATIONS: EmbeddedMigrations =
    diesel_migrations::embed_migrations!("tests/all/demo/goals/migrations");
pub(crate) const SCHEMA: &str = include_str!("schema.rs");

pub(crate) fn service() -> Service {
    Service {
        name: "goals",
        health: Some("goals"),
        defaults: "[goals]\nlongest_title = 100\n",
        migrations: || vec![MIGRATIONS],
        has_database: true,
        check: |layers| layers.part::<Settings>("goals").map(drop),
        routes,
        build: |context| Box::pin(ready(build(context))),
    }
}

pub(crate) fn routes() -> Routes {
    Routes::of("goals")
        .add::<__path_about, _, _, _>(RateClass::None, about)
        .add::<__path_set, _, _, _>(RateClass::Auth, set)
        .add::<__path_one, _, _, _>(RateClass::General, one)
        .add::<__path_remove, _, _, _>(RateClass::General, remove)
}

struct Goals {
    db: Db,
    longest_title: usize,
}

#[derive(Debug, Deserialize)]
struct Settings {
    longest_title: usize,
}

impl parlour_config::Part for Settings {}

fn build(context: Context) -> anyhow::Result<Built> {
    let longest_title = context.config::<Settings>()?.longest_title;
    let db = context.db()?;
    let mut built = Built::new(Arc::new(Goals {
        db: db.clone(),
        longest_title,
    }));
    built.jobs = vec![expire(db, context.clock)];
    Ok(built)
}

/// Takes goals away that are older than a year.
fn expire(db: Db, clock: Clock) -> Job {
    Job::new("expire", std::time::Duration::from_hours(1), move || {
        let (db, oldest) = (db.clone(), clock.now() - Duration::days(365));
        async move {
            db.write(Scope::Service, async move |tx: &mut Tx| -> Result<(), DbError> {
                let expired = goals::table.filter(goals::created_at.lt(oldest));
                diesel::delete(expired).execute(tx).await?;
                Ok(())
            })
            .await
        }
    })
}

#[derive(Debug, Serialize, ToSchema)]
struct About {
    longest_title: usize,
}

/// What goals are
#[utoipa::path(get, path = "/api/goals/about", responses((status = 200, body = Success<About>)))]
async fn about(_: Public, state: State<Goals>) -> Result<Reply, ApiError> {
    Reply::ok(About {
        longest_title: state.longest_title,
    })
}

#[derive(Debug, Deserialize, ToSchema)]
struct SetGoal {
    #[schema(min_length = 1, max_length = 1000)]
    title: String,
    #[schema(minimum = 0, maximum = 100)]
    weight: Option<i16>,
    #[serde(default)]
    #[schema(max_items = 10)]
    tags: Vec<String>,
}

impl Check for SetGoal {
    fn check(&self, problems: &mut Problems) {
        problems.require(!self.title.trim().is_empty(), "title", "must not be blank");
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Goal {
    id: Uuid,
    title: String,
}

/// Sets a goal
#[utoipa::path(
    post, path = "/api/goals", request_body = SetGoal, responses((status = 201, body = Success<Goal>))
)]
async fn set(user: User, Json(body): Json<SetGoal>, once: Once) -> Result<Reply, ApiError> {
    let (account, id) = (user.id, id::new());
    once.write(
        Scope::Person(account),
        async move |tx: &mut Tx| -> Result<Reply, ApiError> {
            diesel::insert_into(goals::table)
                .values((
                    goals::id.eq(id),
                    goals::account_id.eq(account),
                    goals::title.eq(&body.title),
                    goals::weight.eq(body.weight),
                    goals::tags.eq(&body.tags),
                ))
                .execute(tx)
                .await?;
            let event = GoalSet {
                account_id: account.to_string(),
                goal_id: id.to_string(),
            };
            parlour_events::publish(tx, format!("goal:{id}"), &event).await?;
            Reply::created(Goal {
                id,
                title: body.title,
            })
        },
    )
    .await
}

/// One of my goals
#[utoipa::path(
    get, path = "/api/goals/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<Goal>))
)]
async fn one(user: User, state: State<Goals>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let work = async move |tx: &mut Tx| -> Result<String, DbError> {
        Ok(goals::table.find(id).select(goals::title).first(tx).await?)
    };
    let title = state.db.read(Scope::Person(user.id), work).await?;
    Reply::ok(Goal { id, title })
}

/// Takes anybody's goal away
#[utoipa::path(
    delete, path = "/api/goals/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<Goal>))
)]
async fn remove(_: Staff, state: State<Goals>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let work = async move |tx: &mut Tx| -> Result<String, DbError> {
        let removed = diesel::delete(goals::table.find(id)).returning(goals::title);
        Ok(removed.get_result(tx).await?)
    };
    let title = state.db.write(Scope::Service, work).await?;
    Reply::ok(Goal { id, title })
}
