//! Orders: from request to delivered result, and appointments.

pub mod detail;
pub mod domain;
pub mod error;
pub mod events;
pub mod http;
pub mod jobs;
pub mod moving;
pub mod plan;
pub mod schema;
pub mod settings;
pub mod state;
pub mod store;
pub mod telling;
pub mod view;
pub mod viewer;

use std::sync::Arc;

use parlour_chassis::{Built, Context, Service};
use parlour_db::EmbeddedMigrations;

use crate::state::Orders;

/// The service's name.
pub const NAME: &str = "orders";

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
    let state = Arc::new(Orders::open(context)?);
    let mut built = Built::new(state.clone());
    built.consumer = Some(events::consumer(&state));
    built.jobs = jobs::all(&state);
    Ok(built)
}
