//! `parlour media …`

use std::path::Path;

use chrono::{Duration, Utc};
use clap::{Args, Subcommand};
use parlour_chassis::Context;
use parlour_media::check::{self, Findings, Wrong};
use parlour_media::state::Media;
use serde_json::json;
use uuid::Uuid;

use crate::{cli, print};

/// What an operator does with the bytes of files.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare rows and objects, and print what does not agree, one JSON object per line; fails when there is any
    ///
    /// Every row has its object, no object is without a row or unfinished, and references, holdings and quotas are what
    /// there is. It may run beside the service, and needs some memory for each object.
    #[command(verbatim_doc_comment)]
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Remove objects without a row and those that were never finished, and put the figures right. Files whose bytes are lost stay as they are: it may
    /// be the store that is not the right one.
    #[arg(long)]
    repair: bool,
    /// Objects that were written since so many minutes ago may belong to an upload that is still going on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    age: u16,
}

/// Does it, on the database and the store that media uses; media itself need not be running.
pub(crate) async fn execute(command: Command, file: Option<&Path>) -> anyhow::Result<()> {
    let context = Context::offline(parlour_media::NAME, cli::layers(file)?)?;
    let media = Media::open(&context)?;
    let Command::Check(Check { repair, age }) = command;
    let before = Utc::now() - Duration::minutes(age.into());
    let findings = check::check(&media, before).await?;
    print(&findings)?;
    if findings.is_empty() {
        return print::line("everything agrees");
    }
    if !repair {
        anyhow::bail!("rows and objects do not agree; --repair removes orphans and puts figures right");
    }
    check::repair(&media, &findings, before).await?;
    let left = check::check(&media, before).await?;
    if !left.is_empty() {
        print(&left)?;
        anyhow::bail!("not everything could be repaired");
    }
    print::line("repaired")
}

fn print(findings: &Findings) -> anyhow::Result<()> {
    let objects = |what: &str, ids: &[Uuid]| -> anyhow::Result<()> {
        for id in ids {
            print::line(json!({ "problem": what, "object": id }))?;
        }
        Ok(())
    };
    let figures = |what: &str, list: &[Wrong]| -> anyhow::Result<()> {
        for wrong in list {
            print::line(
                json!({ "problem": what, "id": wrong.id, "found": wrong.found, "expected": wrong.expected }),
            )?;
        }
        Ok(())
    };
    objects("lost", &findings.lost)?;
    objects("orphan", &findings.orphans)?;
    for file in &findings.unfinished {
        print::line(json!({ "problem": "unfinished", "file": file }))?;
    }
    figures("references", &findings.references)?;
    figures("holdings", &findings.holdings)?;
    figures("quota", &findings.quotas)
}
