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
pub mod sink;
pub mod state;
pub mod store;
pub mod telling;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::{Built, Context, Service};
use parlour_db::EmbeddedMigrations;

use crate::channels::Providers;
use crate::dispatch::{Carrier, Outbound};
use crate::sink::Sink;
use crate::state::Notify;

/// The service's name.
pub const NAME: &str = "notify";

/// How long the events of this service wait for more of them. They say what has been told already: nobody waits
/// for them, while somebody does for what they would hold up if they went out one by one.
const EVENTS_WAIT: Duration = Duration::from_millis(20);

const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();

/// The service, described.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: Some("notifications"),
        defaults: concat!(
            include_str!("../config.default.toml"),
            "\n",
            include_str!("channels/config.toml")
        ),
        migrations: || vec![parlour_directory::MIGRATIONS, MIGRATIONS],
        has_database: true,
        check: |layers| {
            layers.part::<settings::Settings>(NAME)?;
            layers.part::<channels::Settings>(NAME).map(drop)
        },
        routes: http::routes,
        build: |context| Box::pin(with_providers(context)),
    }
}

/// The service with the providers that its configuration names, and the page of what was
/// sent when one of them is the development sink.
async fn with_providers(context: Context) -> anyhow::Result<Built> {
    let settings: channels::Settings = context.config()?;
    let sink = if settings.use_sink() {
        let folder = context.outbox()?;
        Some(
            Sink::start(
                &settings.sink,
                context.environment(),
                &folder,
                context.stop.clone(),
            )
            .await?,
        )
    } else {
        None
    };
    let providers = Providers::new(&settings, sink.as_ref(), &context.clock)?;
    let mut built = build(context, Arc::new(providers)).await?;
    if let Some(sink) = sink {
        built.pages.push(Arc::new(sink::routes(sink.outbox().clone())));
    }
    Ok(built)
}

/// Puts the service together, with `carrier` for what leaves the platform.
pub async fn build(context: Context, carrier: Arc<dyn Carrier>) -> anyhow::Result<Built> {
    let (outbound, pushes) = Outbound::new();
    let notify = Arc::new(Notify::open(&context, outbound, carrier.clone())?);
    shipped::seed(&notify, &context.stop).await?;
    let mut built = Built::new(notify.clone());
    built.consumer = Some(events::consumer(&notify));
    built.events_wait = EVENTS_WAIT;
    built.jobs = jobs::all(&notify);
    built.tasks = dispatch::tasks(&notify, &carrier, pushes, &context.stop);
    Ok(built)
}
