//! The whole of a service's `main`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::{RunError, Service, Settings, layers, run, runtime};

/// Runs one service as a process: configuration from the file that
/// `PARLOUR_CONFIG` names and from the environment.
pub fn main_of(service: Service) -> ExitCode {
    let result = runtime().map_err(|error| error.to_string()).and_then(|runtime| {
        runtime
            .block_on(start(service))
            .map_err(|error| error.to_string())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{}: {sentence}", service.name);
            ExitCode::FAILURE
        }
    }
}

async fn start(service: Service) -> Result<(), RunError> {
    let file = std::env::var_os("PARLOUR_CONFIG").map(PathBuf::from);
    let layers = layers(&[service], file.as_deref())?;
    let settings = Settings::read(&layers)?;
    let telemetry = parlour_telemetry::init(&settings.telemetry, service.name)
        .map_err(|error| RunError::Telemetry(error.to_string()))?;
    let metrics =
        parlour_telemetry::install_metrics().map_err(|error| RunError::Telemetry(error.to_string()))?;
    let result = run(&[service], layers, Some(metrics)).await;
    telemetry.shutdown();
    result
}
