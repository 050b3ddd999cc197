//! What runs in Node: the official client of Socket.IO, and a browser's remote control.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/journeys/node");
const FILES: [&str; 6] = [
    "package.json",
    "package-lock.json",
    "platform.mjs",
    "device.mjs",
    "encrypted.mjs",
    "page.mjs",
];
/// The scripts give up by themselves long before.
const PATIENCE: Duration = Duration::from_mins(5);

/// The folder with the scripts and their packages, which is made once for each version of the
/// lock file, beside what cargo makes.
pub(crate) fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journeys-peers");
        std::fs::create_dir_all(&home).unwrap();
        for name in FILES {
            let text = std::fs::read(Path::new(SOURCES).join(name)).unwrap();
            let to = home.join(name);
            // Another run may be reading what is the same already.
            if std::fs::read(&to).ok().as_ref() != Some(&text) {
                std::fs::write(to, text).unwrap();
            }
        }
        let stamp = home.join("installed");
        let lock = std::fs::read(home.join("package-lock.json")).unwrap();
        if std::fs::read(&stamp).ok().as_ref() != Some(&lock) {
            install(&home);
            std::fs::write(&stamp, lock).unwrap();
        }
        home
    })
}

fn install(home: &Path) {
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let done = Command::new("npm")
        .arg("ci")
        .args(quiet)
        .current_dir(home)
        .status();
    match done {
        Ok(status) => assert!(status.success(), "npm ci failed in {}", home.display()),
        Err(error) => panic!("Node and npm are missing ({error}): deploy/local/install --with-node"),
    }
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
