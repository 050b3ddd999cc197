//! `parlour … | head`: whoever stops reading ends the command quietly.

use std::process::Stdio;

use parlour_testkit::Database;

use crate::desk::Desk;

const NO_BROKER: &str = "amqp://127.0.0.1:1/none";

/// Runs a command whose output nobody reads from the start.
fn unread(desk: &Desk, arguments: &[&str]) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk
        .command(arguments)
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "parlour {}: {said}",
        arguments.join(" ")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_minds_a_closed_pipe() {
    let database = Database::of(&parlour::services::all()).await;
    let desk = Desk::new(&database.url(None), NO_BROKER);
    let new = [
        "--email",
        "a@example.org",
        "--password",
        "correct horse battery",
        "--role",
        "admin",
    ];
    for arguments in [
        &["--help"][..],
        &["openapi"],
        &["config", "check"],
        &["events", "parked"],
        &["admin", "rotate-keys"],
        &[&["admin", "user", "create"][..], &new].concat(),
    ] {
        unread(&desk, arguments);
    }
    let admin = database.admin().await;
    let made = admin
        .query_one("SELECT count(*) FROM identity.accounts", &[])
        .await
        .unwrap();
    assert_eq!(
        made.get::<_, i64>(0),
        1,
        "what was asked for is done all the same"
    );
}
