//! `parlour events …`

mod parked;
mod tail;
mod text;

use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use parlour::services;
use parlour_chassis::Settings;
use parlour_db::Db;
use parlour_events::admin::Start;
use uuid::Uuid;

use crate::cli;

/// What an operator does with events.
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Print one JSON object per line instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follow what all services publish, decoded, until Ctrl-C
    ///
    /// Reads the log that the broker keeps, for a week by default. Reading takes nothing away and is
    /// noticed by no service.
    ///
    ///   parlour events tail --type 'identity.account.*'
    ///   parlour events tail --from 2026-05-04T09:00:00Z --json | jq 'select(.aggregate == "account:…")'
    #[command(verbatim_doc_comment)]
    Tail(Tail),
    /// List the events that failed, and those that wait behind them.
    ///
    /// "retrying" events are tried again by themselves, after 1 s, 5 s, 30 s and 5 min. "parked" ones
    /// have been tried in vain or can never succeed: they need you. "waiting" ones are later events of
    /// the same aggregate, which follow in order as soon as the one in front is replayed or dropped.
    Parked(List),
    /// Show a parked event: what it says, what went wrong, how often it was tried.
    Show(One),
    /// Have parked events tried again now, with all attempts before them
    ///
    /// A running consumer takes them up within a second; whether they succeed `parlour events parked`
    /// shows. What waits behind them follows in order. Everything that is parked:
    ///
    ///   parlour events parked --json | jq -r 'select(.state == "parked").event.id' |
    ///     xargs -r parlour events replay
    #[command(verbatim_doc_comment)]
    Replay(Replay),
    /// Give a parked event up for good: it never takes effect in that service.
    ///
    /// What waits behind it goes on. The audit log keeps the event's attributes, your name on this
    /// machine, and the reason.
    Drop(Give),
}

#[derive(Debug, Args)]
struct Tail {
    /// Where to begin: first (the oldest event that the log has), now, or a time as in RFC 3339.
    #[arg(long, value_name = "WHERE", default_value = "now", value_parser = start)]
    from: Start,
    /// Only types of this pattern: * is one word, # any number of words, as in identity.#.
    #[arg(long = "type", value_name = "PATTERN")]
    pattern: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    of: Of,
    /// At the most so many of each service.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Debug, Args)]
struct One {
    /// The event's id.
    id: Uuid,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Replay {
    /// The events' ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<Uuid>,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Give {
    #[command(flatten)]
    one: One,
    /// Why, for the audit log.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

#[derive(Debug, Args)]
struct Of {
    /// Only the events that failed in this service; otherwise in any.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

fn start(text: &str) -> Result<Start, String> {
    match text {
        "first" => Ok(Start::First),
        "now" => Ok(Start::Now),
        time => match chrono::DateTime::parse_from_rfc3339(time) {
            Ok(time) => Ok(Start::At(time.to_utc())),
            Err(_) => Err("is none of first, now and a time such as 2026-05-04T09:00:00Z".to_owned()),
        },
    }
}

/// Does it. The services need not be running.
pub(crate) async fn execute(events: Events, file: Option<&Path>) -> anyhow::Result<()> {
    let settings = Settings::read(&cli::layers(file)?)?;
    let json = events.json;
    match events.command {
        Command::Tail(tail) => tail::follow(&settings, tail.from, tail.pattern, json).await,
        Command::Parked(list) => {
            let places = places(&settings, &list.of)?;
            parked::list(&places, list.limit, json).await
        }
        Command::Show(one) => parked::show(&places(&settings, &one.of)?, one.id, json).await,
        Command::Replay(replay) => {
            let places = places(&settings, &replay.of)?;
            parked::replay(&places, &replay.ids, json).await
        }
        Command::Drop(Give { one, reason }) => {
            let places = places(&settings, &one.of)?;
            parked::drop_one(&places, one.id, &reason, json).await
        }
    }
}

/// The databases in which events can be parked.
fn places(settings: &Settings, of: &Of) -> anyhow::Result<Vec<Db>> {
    let chosen = services::named(of.service.as_slice())?;
    let with_events = chosen.iter().filter(|service| service.has_database);
    let places: Vec<Db> = with_events
        .map(|service| {
            Db::new(&settings.database, service.name)
                .with_context(|| format!("{}: database.url", service.name))
        })
        .collect::<Result<_, _>>()?;
    if places.is_empty() {
        let name = of.service.as_deref().unwrap_or("parlour");
        anyhow::bail!("{name} has no database, and so no events");
    }
    Ok(places)
}
