//! Identity: who a person is. Every other service knows people only through this one's events.

pub mod authority;
pub mod domain;
pub mod error;
pub mod events;
pub mod hashing;
pub mod http;
pub mod issuing;
pub mod keyring;
pub mod operator;
pub mod phone;
pub mod schema;
pub mod settings;
pub mod state;
pub mod store;
pub mod telling;
pub mod two_factor;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::{Built, Context, Job, Service};
use parlour_db::{DbError, EmbeddedMigrations, Scope, Tx};

use crate::state::Identity;
use crate::store::{failures, refresh_tokens, single_use};

/// The service's name.
pub const NAME: &str = "identity";

const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();

/// The service, described.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: Some("identity"),
        defaults: include_str!("../config.default.toml"),
        migrations: || vec![MIGRATIONS],
        has_database: true,
        check: |layers| layers.part::<settings::Settings>(NAME).map(drop),
        routes: http::routes,
        build: |context| Box::pin(build(context)),
    }
}

async fn build(context: Context) -> anyhow::Result<Built> {
    let state = Arc::new(Identity::open(&context).await?);
    let mut built = Built::new(state.clone());
    built.consumer = Some(events::consumer(&state));
    built.jobs = vec![sweep(&state), rotate(&state)];
    built.internal = http::internal::routes();
    built.authority = Some(state);
    Ok(built)
}

/// Deletes what is dead.
fn sweep(state: &Arc<Identity>) -> Job {
    let state = state.clone();
    Job::new("sweep_tokens", Duration::from_mins(10), move || {
        let state = state.clone();
        async move {
            let now = state.now();
            let swept = state
                .db
                .write(Scope::Service, async move |tx: &mut Tx| -> Result<(), DbError> {
                    refresh_tokens::sweep(tx, now).await?;
                    single_use::sweep(tx, now).await?;
                    failures::sweep(tx, now).await?;
                    Ok(())
                });
            swept.await
        }
    })
}

/// Keeps this replica's signing keys fresh; every replica does it for itself.
fn rotate(state: &Arc<Identity>) -> Job {
    let state = state.clone();
    Job::everywhere("refresh_signing_keys", Duration::from_secs(30), move || {
        let state = state.clone();
        async move {
            match state.keys.refresh(&state.db).await {
                Ok(()) => Ok(()),
                Err(error::Error::Db(error)) => Err(error),
                Err(error) => {
                    tracing::error!(%error, "signing keys cannot be refreshed");
                    Ok(())
                }
            }
        }
    })
}
