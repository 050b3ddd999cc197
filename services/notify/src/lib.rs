//! Notify: the right person, the right channel, at the right time, once.

pub mod channels;
pub mod dispatch;
pub mod domain;
pub mod error;
pub mod events;
pub mod http;
pub mod jobs;
pub mod operator;
pub mod reach;
pub mod rules;
pub mod schema;
pub mod sending;
pub mod settings;
pub mod shipped;
pub mod state;
pub mod store;
pub mod telling;
pub mod view;

use std::sync::Arc;

use parlour_chassis::{Built, Context, Service};
use parlour_db::EmbeddedMigrations;

use crate::dispatch::{Carrier, NoProviders, Outbound};
use crate::state::Notify;

/// The service's name.
pub const NAME: &str = "notify";

const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();

/// The service, described.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: Some("notifications"),
        defaults: include_str!("../config.default.toml"),
        migrations: || vec![parlour_directory::MIGRATIONS, MIGRATIONS],
        has_database: true,
        check: |layers| layers.part::<settings::Settings>(NAME).map(drop),
        routes: http::routes,
        build: |context| Box::pin(build(context, Arc::new(NoProviders))),
    }
}

/// Puts the service together, with `carrier` for what leaves the platform.
pub async fn build(context: Context, carrier: Arc<dyn Carrier>) -> anyhow::Result<Built> {
    let (outbound, pushes) = Outbound::new();
    let notify = Arc::new(Notify::open(&context, outbound)?);
    shipped::seed(&notify).await?;
    let mut built = Built::new(notify.clone());
    built.consumer = Some(events::consumer(&notify));
    built.jobs = jobs::all(&notify);
    built.tasks = dispatch::tasks(&notify, &carrier, pushes, &context.stop);
    Ok(built)
}
