//! `parlour events tail`

use std::time::Duration;

use parlour_chassis::Settings;
use parlour_events::Broker;
use parlour_events::admin::{self, Shown, Start};
use tokio::signal::unix::{SignalKind, signal};

use super::text;
use crate::print;

/// Prints events until Ctrl-C, or until nobody reads them any more.
pub(super) async fn follow(
    settings: &Settings,
    start: Start,
    pattern: Option<String>,
    json: bool,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let broker = Broker::new(settings.broker.clone())?;
    let done = tokio::select! {
        done = print_all(&broker, start, pattern, json) => done,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
        _ = terminate.recv() => Ok(()),
        () = print::unread() => Ok(()),
    };
    // A broker that hangs must not keep a person waiting.
    drop(tokio::time::timeout(Duration::from_secs(1), broker.close()).await);
    done
}

async fn print_all(broker: &Broker, start: Start, pattern: Option<String>, json: bool) -> anyhow::Result<()> {
    let mut tail = admin::tail(broker, start).await?;
    if let Some(pattern) = pattern {
        tail = tail.only(pattern);
    }
    let mut last = None;
    while let Some(event) = tail.next().await {
        let Ok(event) = event else { break };
        print(&event, json)?;
        last = Some(event.time);
    }
    match last {
        Some(time) => {
            let time = text::time(time);
            anyhow::bail!("the broker ended the connection; go on with --from {time}")
        }
        None => anyhow::bail!("the broker ended the connection"),
    }
}

fn print(event: &Shown, json: bool) -> anyhow::Result<()> {
    if json {
        print::line(serde_json::to_string(event)?)
    } else {
        print::line(text::published(event))
    }
}
