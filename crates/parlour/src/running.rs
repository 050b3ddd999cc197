//! `parlour run`, `parlour migrate`, `parlour config check`.

use std::path::Path;

use anyhow::Context as _;
use parlour::services;
use parlour_chassis::{Service, Settings};

use crate::{cli, print};

/// Runs services until a signal.
pub(crate) async fn run(names: &[String], file: Option<&Path>) -> anyhow::Result<()> {
    let chosen = services::named(names)?;
    let layers = cli::layers(file)?;
    let settings = Settings::read(&layers)?;
    let instance = if names.is_empty() {
        "all".to_owned()
    } else {
        names.join("-")
    };
    let telemetry = parlour_telemetry::init(&settings.telemetry, &instance)?;
    let metrics = parlour_telemetry::install_metrics()?;
    let result = parlour_chassis::run(&chosen, layers, Some(metrics)).await;
    telemetry.shutdown();
    Ok(result?)
}

/// Runs pending migrations.
pub(crate) async fn migrate(names: &[String], file: Option<&Path>) -> anyhow::Result<()> {
    let chosen = services::named(names)?;
    let layers = cli::layers(file)?;
    let settings = Settings::read(&layers)?;
    for service in chosen.iter().filter(|service| service.has_database) {
        let migrations = parlour_chassis::migrations(service);
        let ran = parlour_db::migrate(&settings.database, service.name, migrations)
            .await
            .with_context(|| format!("{}: migrations", service.name))?;
        match ran.len() {
            0 => print::progress(format_args!("{}: up to date", service.name))?,
            _ => print::progress(format_args!("{}: ran {}", service.name, ran.join(", ")))?,
        }
    }
    Ok(())
}

/// Says what is wrong with the configuration.
pub(crate) fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let layers = cli::layers(file)?;
    Settings::read(&layers)?;
    for Service { name, check, .. } in services::all() {
        check(&layers).with_context(|| name)?;
    }
    match layers.file() {
        Some(file) => print::line(format_args!("{} and the environment are fine", file.display())),
        None => print::line("the defaults and the environment are fine; no file was read"),
    }
}
