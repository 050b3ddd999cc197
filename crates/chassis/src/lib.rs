//! A service described, and what runs it: configuration, pools, listeners,
//! probes, jobs, graceful stop. A [`Service`] only describes; [`run`] puts one or
//! many of them into a process.

mod assemble;
mod audit;
mod background;
mod clock;
mod context;
mod front;
mod gauges;
mod handover;
mod internal;
mod jobs;
mod leave;
mod main_of;
mod readiness;
mod revocations;
mod run;
mod runtime;
mod serve;
mod service;
mod settings;
mod signals;
mod wait;

pub use audit::audit_entry;
pub use clock::{Clock, Hands};
pub use context::Context;
pub use front::{Front, FrontFactory, Local, MakeFront};
pub use handover::{Handed, Handovers};
pub use jobs::Job;
pub use leave::{Stream, Takeover, Wire};
pub use main_of::main_of;
pub use readiness::{Readiness, Report, ServiceHealth};
pub use run::{Process, RunError, run};
pub use runtime::runtime;
pub use service::{Built, Page, Service};
pub use settings::{AuthSettings, HttpSettings, InternalSettings, Settings};
pub use wait::patiently;

/// The defaults that every process starts from.
pub const DEFAULTS: &str = include_str!("../defaults.toml");

/// The version that `/health` tells.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The layers of configuration for `services`.
pub fn layers(
    services: &[Service],
    file: Option<&std::path::Path>,
) -> Result<parlour_config::Layers, parlour_config::ConfigError> {
    let mut defaults = vec![DEFAULTS];
    defaults.extend(services.iter().map(|service| service.defaults));
    parlour_config::Layers::load(&defaults, file)
}

/// The migrations of a service, with those of the crates it stands on first.
pub fn migrations(service: &Service) -> parlour_db::Migrations {
    let mut all = vec![parlour_http::MIGRATIONS, parlour_events::MIGRATIONS];
    all.extend((service.migrations)());
    all
}
