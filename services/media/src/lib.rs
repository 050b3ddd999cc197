//! Media: files, safely.

pub mod check;
pub mod deriving;
pub mod domain;
pub mod error;
pub mod events;
pub mod http;
pub mod jobs;
pub mod receiving;
pub mod removing;
pub mod resuming;
pub mod scanning;
pub mod schema;
pub mod screening;
pub mod serving;
pub mod settings;
pub mod settling;
pub mod state;
pub mod storage;
pub mod store;
pub mod storing;
pub mod telling;
pub mod tools;
pub mod view;
pub mod viewer;
pub mod whole;

use std::sync::Arc;

use parlour_chassis::{Built, Context, Service};
use parlour_db::EmbeddedMigrations;

use crate::state::Media;

/// The service's name.
pub const NAME: &str = "media";

const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();

/// The service, described.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: Some(NAME),
        defaults: include_str!("../config.default.toml"),
        migrations: || vec![parlour_directory::MIGRATIONS, MIGRATIONS],
        has_database: true,
        check: |layers| layers.part::<settings::Settings>(NAME).map(drop),
        routes: http::routes,
        build: |context| Box::pin(std::future::ready(build(&context))),
    }
}

fn build(context: &Context) -> anyhow::Result<Built> {
    let state = Arc::new(Media::open(context)?);
    let mut built = Built::new(state.clone());
    built.consumer = Some(events::consumer(&state));
    built.jobs = jobs::all(&state);
    built.tasks = scanning::tasks(&state, &context.stop);
    Ok(built)
}
