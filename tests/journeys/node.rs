//! What runs in Node: the official client of Socket.IO, and a browser's remote control.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use parlour_testkit::stage_node;
use serde_json::Value;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/journeys/node");
/// The scripts give up by themselves long before.
const PATIENCE: Duration = Duration::from_mins(5);

/// The folder with the scripts and their packages, beside what cargo makes.
pub(crate) fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journeys-peers");
        stage_node(Path::new(SOURCES), &home);
        home
    })
}

/// Runs a script to its end and answers what it says as JSON.
pub(crate) async fn run(script: &str, arguments: &[&str]) -> Value {
    let node = tokio::process::Command::new("node")
        .arg(home().join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(PATIENCE, node.wait_with_output()).await;
    let output = ended.unwrap_or_else(|_| panic!("{script} does not end")).unwrap();
    assert!(output.status.success(), "{script} failed: see what it said");
    serde_json::from_slice(&output.stdout).unwrap()
}
