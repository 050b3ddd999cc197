//! `parlour deliveries …`

use std::path::Path;

use clap::{Args, Subcommand};
use parlour_chassis::Context;
use parlour_http::Time;
use parlour_notify::domain::Channel;
use parlour_notify::operator;
use parlour_notify::store::deliveries::Delivery;
use serde_json::json;
use uuid::Uuid;

use crate::{cli, print};

/// What an operator does with deliveries of notifications.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List deliveries that were given up, the newest first, one JSON object per line.
    ///
    /// Neither addresses nor texts are printed.
    Failed(Failed),
    /// Have deliveries that were given up tried again from the start
    ///
    /// A running service takes them up within a second. Notifications that have expired meanwhile are
    /// skipped. Everything that a provider refused while it was down:
    ///
    ///   parlour deliveries failed | jq -r 'select(.class == "transient").id' |
    ///     xargs -r parlour deliveries redrive
    #[command(verbatim_doc_comment)]
    Redrive(Redrive),
    /// Cancel a bulk job or broadcast. Whoever was told by then stays told.
    CancelJob {
        /// The job's id.
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Failed {
    /// Only on this channel: socket, email, sms or push.
    #[arg(long, value_parser = channel)]
    channel: Option<Channel>,
    /// At the most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// The deliveries' ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<Uuid>,
}

fn channel(name: &str) -> Result<Channel, String> {
    Channel::named(name).ok_or_else(|| "is none of socket, email, sms and push".to_owned())
}

/// Does it, on the database that notify uses; notify itself need not be running.
pub(crate) async fn execute(command: Command, file: Option<&Path>) -> anyhow::Result<()> {
    let context = Context::offline(parlour_notify::NAME, cli::layers(file)?)?;
    let notify = operator::open(&context)?;
    let who = cli::operator();
    match command {
        Command::Failed(Failed { channel, limit }) => {
            for delivery in operator::failed(&notify, channel, limit.into()).await? {
                print::line(line(&delivery))?;
            }
        }
        Command::Redrive(Redrive { ids }) => {
            let wanted = ids.len();
            let count = operator::redrive(&notify, ids, &who).await?;
            print::line(format!("{count} deliveries are tried again"))?;
            if count < wanted {
                anyhow::bail!("{} of {wanted} had not been given up", wanted - count);
            }
        }
        Command::CancelJob { id } => {
            if !operator::cancel(&notify, id, &who).await? {
                anyhow::bail!("there is no job {id} that goes on");
            }
            print::line(format!("the job {id} is cancelled"))?;
        }
    }
    Ok(())
}

fn line(delivery: &Delivery) -> serde_json::Value {
    json!({
        "id": delivery.id,
        "notification_id": delivery.notification_id,
        "account_id": delivery.account_id,
        "type": delivery.kind,
        "channel": delivery.channel,
        "class": delivery.reason,
        "provider": delivery.provider,
        "error": delivery.error,
        "attempts": delivery.attempts,
        "created_at": Time::from(delivery.created_at),
    })
}
