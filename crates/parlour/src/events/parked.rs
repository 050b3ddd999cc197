//! `parlour events parked|show|replay|drop`

use anyhow::{Context as _, bail};
use parlour_db::Db;
use parlour_events::admin::{self, AdminError, Operator, ParkedEvent};
use serde_json::json;
use uuid::Uuid;

use super::text;
use crate::{cli, print};

/// Prints what is parked in all of `places`.
pub(super) async fn list(places: &[Db], limit: u32, json: bool) -> anyhow::Result<()> {
    let mut found = false;
    for db in places {
        let service = db.service();
        let events = admin::parked(db, i64::from(limit)).await.context(service)?;
        for event in &events {
            found = true;
            print(service, event, json, text::parked)?;
        }
        if events.len() >= usize::try_from(limit)? {
            print::remark(format_args!("{service}: there may be more than --limit {limit}"));
        }
    }
    if !found && !json {
        print::line("nothing is parked")?;
    }
    Ok(())
}

/// Prints the event wherever it is parked.
pub(super) async fn show(places: &[Db], id: Uuid, json: bool) -> anyhow::Result<()> {
    let found = find(places, id).await?;
    for (db, event) in &found {
        print(db.service(), event, json, text::whole)?;
    }
    Ok(())
}

/// Has each event tried again. One that cannot be does not keep the others from it.
pub(super) async fn replay(places: &[Db], ids: &[Uuid], json: bool) -> anyhow::Result<()> {
    let mut failed = 0;
    for &id in ids {
        match replay_one(places, id).await {
            Ok(service) => done(service, id, "replayed", "is tried again now", json)?,
            Err(error) => {
                failed += 1;
                print::remark(format_args!("{id}: {error:#}"));
            }
        }
    }
    match failed {
        0 => Ok(()),
        _ => bail!("{failed} of {} events are not replayed", ids.len()),
    }
}

async fn replay_one(places: &[Db], id: Uuid) -> anyhow::Result<&'static str> {
    let db = the_one(places, id).await?;
    admin::replay(db, id).await?;
    Ok(db.service())
}

/// Gives the event up.
pub(super) async fn drop_one(places: &[Db], id: Uuid, reason: &str, json: bool) -> anyhow::Result<()> {
    let db = the_one(places, id).await?;
    admin::drop_event(db, id, reason, operator()).await?;
    done(db.service(), id, "dropped", "is given up", json)
}

/// Where the event is parked. It may be in several services, each of which has its own trouble with it.
async fn find(places: &[Db], id: Uuid) -> anyhow::Result<Vec<(&Db, ParkedEvent)>> {
    let mut found = Vec::new();
    for db in places {
        match admin::show(db, id).await {
            Ok(event) => found.push((db, event)),
            Err(AdminError::NotParked(_)) => {}
            Err(error) => return Err(error).context(db.service()),
        }
    }
    if found.is_empty() {
        let names: Vec<&str> = places.iter().map(Db::service).collect();
        bail!("no event {id} is parked in {}", names.join(", "));
    }
    Ok(found)
}

/// The one place where the event is parked.
async fn the_one(places: &[Db], id: Uuid) -> anyhow::Result<&Db> {
    let found = find(places, id).await?;
    if let [(db, _)] = found.as_slice() {
        return Ok(db);
    }
    let names: Vec<&str> = found.iter().map(|(db, _)| db.service()).collect();
    bail!(
        "the event is parked in {}: choose with --service",
        names.join(" and ")
    )
}

fn print(
    service: &str,
    event: &ParkedEvent,
    json: bool,
    text: fn(&str, &ParkedEvent) -> String,
) -> anyhow::Result<()> {
    if !json {
        return print::line(text(service, event));
    }
    let mut value = serde_json::to_value(event)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("service".to_owned(), service.into());
    }
    print::line(value)
}

fn done(service: &str, id: Uuid, result: &str, sentence: &str, json: bool) -> anyhow::Result<()> {
    if json {
        print::progress(json!({ "service": service, "id": id, "result": result }))
    } else {
        print::progress(format_args!("{service}: {id} {sentence}"))
    }
}

/// Whoever sits at this machine.
fn operator() -> Operator {
    Operator {
        actor_id: None,
        name: cli::operator(),
        address: "127.0.0.1".to_owned(),
    }
}
