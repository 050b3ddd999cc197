//! Chat: conversations, what is said in them, groups, end-to-end keys, and every live
//! connection of the platform.

pub mod access;
pub mod domain;
pub mod error;
pub mod events;
pub mod following;
pub mod http;
pub mod jobs;
pub mod limiting;
pub mod marking;
pub mod meeting;
pub mod message;
pub mod opening;
pub mod profile;
pub mod pushing;
pub mod reacting;
pub mod reading;
pub mod releasing;
pub mod schema;
pub mod sending;
pub mod settings;
pub mod sockets;
pub mod state;
pub mod store;
pub mod telling;
pub mod uploading;
pub mod view;
pub mod viewer;

use std::sync::Arc;

use parlour_chassis::{Built, Context, Service};
use parlour_db::EmbeddedMigrations;
use parlour_events::Realtime;

use crate::pushing::Pusher;
use crate::settings::Settings;
use crate::sockets::serve;
use crate::state::Chat;

/// The service's name.
pub const NAME: &str = "chat";

const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();

/// The service, described.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: Some(NAME),
        defaults: include_str!("../config.default.toml"),
        migrations: || vec![parlour_directory::MIGRATIONS, MIGRATIONS],
        has_database: true,
        check: |layers| layers.part::<Settings>(NAME).map(drop),
        routes: http::routes,
        build: |context| Box::pin(build(context)),
    }
}

async fn build(context: Context) -> anyhow::Result<Built> {
    let settings: Settings = context.config()?;
    let realtime = Realtime::new(context.broker.clone());
    let (pusher, waiting) = Pusher::new(realtime.clone(), settings.waiting_pushes);
    let state = Arc::new(Chat::open(&context, settings, pusher)?);
    let mut built = Built::new(state.clone());
    built.tasks = vec![Box::pin(pushing::run(realtime, waiting, context.stop.clone()))];
    let run = state.settings.run;
    if run.has_api() {
        built.consumer = Some(events::consumer(&state));
        built.jobs = jobs::all(&state);
    }
    if run.has_sockets() {
        serve::open(&mut built, state, context).await?;
    }
    Ok(built)
}
