//! `parlour events …`

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use parlour_contracts::moderation::v1::UserBlocked;
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{App, Database, eventually};
use uuid::Uuid;

use crate::desk::Desk;

async fn start() -> (App, Desk) {
    let app = App::of(&[parlour_identity::service()])
        // The operator's commands look at every service's schema.
        .on(Database::of(&parlour::services::all()).await)
        .with_vhost()
        .start()
        .await;
    let desk = Desk::new(&app.database().url(None), &app.vhost().url(None));
    // What is published before the queue stands is not for it.
    eventually(async || !app.vhost().bindings("parlour.identity").await.is_empty()).await;
    (app, desk)
}

async fn block(app: &App, account: &str) -> Uuid {
    let event = UserBlocked {
        account_id: account.to_owned(),
        ..Default::default()
    };
    let publishing = async move |tx: &mut Tx| -> Result<Uuid, DbError> {
        parlour_events::publish(tx, "account:test", &event).await
    };
    app.database()
        .db("identity")
        .write(Scope::Service, publishing)
        .await
        .unwrap()
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How it ends by itself.
fn end(mut child: Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_follows_and_ends_with_its_reader_or_on_ctrl_c() {
    let (app, desk) = start().await;
    let id = block(&app, "no id").await;
    for options in [
        &["--from", "first", "--json"][..],
        &["--from", "first", "--type", "moderation.#"],
        &["--from", "2026-01-01T00:00:00Z"],
    ] {
        let tail = [&["events", "tail"], options].concat();
        let mut child = desk.command(&tail).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(
            line.contains("moderation.user.blocked") && line.contains("no id"),
            "{line}"
        );
        if options.contains(&"--json") {
            assert_eq!(lines(&line)[0]["id"], id.to_string());
        }
        // Nothing more is published: it has to notice by itself.
        drop(output);
        assert!(end(child).success());
    }
    let silent = ["events", "tail", "--from", "first", "--type", "identity.#"];
    let child = desk.command(&silent).stdout(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success() && end(child).success());
    assert!(
        desk.complain(&["events", "tail", "--from", "noon"])
            .contains("is none of first, now and a time")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_event_is_shown_replayed_and_dropped() {
    let (app, desk) = start().await;
    assert_eq!(desk.print(&["events", "parked"]), "nothing is parked\n");
    assert_eq!(desk.print(&["events", "parked", "--json"]), "");
    let id = block(&app, "no id").await.to_string();
    let parked = async || lines(&desk.print(&["events", "parked", "--json"])).pop();
    let found = eventually(parked).await;
    assert_eq!(
        (&found["service"], &found["state"]),
        (&"identity".into(), &"parked".into())
    );
    assert_eq!(
        (&found["event"]["id"], &found["attempts"]),
        (&id.as_str().into(), &1.into())
    );
    assert!(
        desk.print(&["events", "parked", "--service", "identity"])
            .contains(&id)
    );

    let shown = desk.print(&["events", "show", &id]);
    assert!(
        shown.contains("account:test") && shown.contains("\"account_id\": \"no id\""),
        "{shown}"
    );
    let replayed = desk.print(&["events", "replay", &id]);
    assert_eq!(replayed, format!("identity: {id} is tried again now\n"));
    let state = async || lines(&desk.print(&["events", "show", &id, "--json"]))[0]["state"] == "parked";
    eventually(state).await;

    assert!(desk.complain(&["events", "drop", &id]).contains("--reason"));
    assert!(
        desk.complain(&["events", "drop", &id, "--reason", ""])
            .contains("--reason")
    );
    desk.print(&["events", "drop", &id, "--reason", "it names nobody"]);
    assert_eq!(desk.print(&["events", "parked"]), "nothing is parked\n");
    let services = parlour::services::all();
    let places = services.iter().filter(|service| service.has_database);
    let places: Vec<&str> = places.map(|service| service.name).collect();
    let sentence = format!("parlour: no event {id} is parked in {}\n", places.join(", "));
    assert_eq!(desk.complain(&["events", "show", &id]), sentence);
    assert!(
        desk.complain(&["events", "replay", &id])
            .ends_with("1 of 1 events are not replayed\n")
    );
    let gateway = desk.complain(&["events", "parked", "--service", "gateway"]);
    assert!(gateway.contains("gateway has no database"), "{gateway}");
}
