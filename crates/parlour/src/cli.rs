//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use parlour::services;
use parlour_config::Layers;

use crate::{admin, deliveries, documents, events, media, probe, running};

/// The backend of live-consultation platforms: services, migrations and the operator's tools.
///
/// Without --config it reads .local/parlour.toml of this folder or one above it, which `make up` writes. Every
/// value can also come from the environment: `gateway.listen` is `PARLOUR__GATEWAY__LISTEN`.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, env = "PARLOUR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run services in this process until SIGTERM or SIGINT.
    ///
    /// With the gateway among them, its listener serves the others' routes directly, and passes requests
    /// for services that run elsewhere on to [gateway.upstreams]. Without it, the routes are served at
    /// http.listen, for a gateway in another process.
    Run(Names),
    /// Create the schemas and roles of services where they are missing and run pending migrations.
    ///
    /// Uses `database.migration_url`. Safe to run again, and by several at once.
    Migrate(Names),
    /// Accounts, as an operator.
    #[command(subcommand)]
    Admin(admin::Command),
    /// The event backbone: follow it, and see to events that failed.
    Events(events::Events),
    /// Notifications that could not be delivered, and jobs that tell many people.
    #[command(subcommand)]
    Deliveries(deliveries::Command),
    /// Files: whether rows and objects agree.
    #[command(subcommand)]
    Media(media::Command),
    /// Ask a process of this machine how it is; fails when the answer is no. For health checks.
    Probe(probe::Probe),
    /// Print the OpenAPI 3.1 document of all services, without starting anything.
    Openapi,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Args)]
struct Names {
    /// Services, such as `identity`; all when none is named.
    #[arg(value_name = "SERVICE")]
    names: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration can be used, and what is wrong with it. Secrets are not printed.
    Check,
}

/// Does what was asked for.
pub(crate) async fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let file = arguments.config.or_else(found);
    match arguments.command {
        Command::Run(names) => running::run(&names.names, file.as_deref()).await,
        Command::Migrate(names) => running::migrate(&names.names, file.as_deref()).await,
        Command::Admin(command) => admin::execute(command, file.as_deref()).await,
        Command::Events(events) => events::execute(events, file.as_deref()).await,
        Command::Deliveries(command) => deliveries::execute(command, file.as_deref()).await,
        Command::Media(command) => media::execute(command, file.as_deref()).await,
        Command::Probe(probe) => probe::execute(&probe).await,
        Command::Openapi => documents::openapi(),
        Command::Config(ConfigCommand::Check) => running::check(file.as_deref()),
    }
}

/// The file that `make up` wrote, in this folder or one above it.
fn found() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|folder| folder.join(".local/parlour.toml"))
        .find(|file| file.is_file())
}

/// The layers of configuration for all services.
pub(crate) fn layers(file: Option<&std::path::Path>) -> anyhow::Result<Layers> {
    Ok(parlour_chassis::layers(&services::all(), file)?)
}

/// The name of whoever sits at this machine, for the audit log.
pub(crate) fn operator() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default()
}
