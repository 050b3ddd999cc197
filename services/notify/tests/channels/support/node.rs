//! Peers in Node: independent implementations of what is tested.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/node");

/// The folder with the scripts and their packages, which is made once for each version of
/// the lock file, beside what cargo makes.
fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notify-peers");
        std::fs::create_dir_all(&home).unwrap();
        for file in std::fs::read_dir(SOURCES).unwrap() {
            let file = file.unwrap().path();
            if file.is_file() {
                install_file(&file, &home.join(file.file_name().unwrap()));
            }
        }
        let done = home.join("node_modules/.package-lock.json");
        let stamp = home.join("installed");
        let lock = std::fs::read(home.join("package-lock.json")).unwrap();
        if !done.exists() || std::fs::read(&stamp).ok().as_ref() != Some(&lock) {
            install(&home);
            std::fs::write(&stamp, lock).unwrap();
        }
        home
    })
}

/// Leaves a file alone that is the same already: another run may be reading it.
fn install_file(from: &Path, to: &Path) {
    let text = std::fs::read(from).unwrap();
    if std::fs::read(to).ok().as_ref() != Some(&text) {
        std::fs::write(to, text).unwrap();
    }
}

fn install(home: &Path) {
    let done = Command::new("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(home)
        .status();
    match done {
        Ok(status) => assert!(status.success(), "npm ci failed in {}", home.display()),
        Err(error) => panic!(
            "these tests need Node 20 and npm (on Debian and Ubuntu: apt-get install nodejs npm): {error}"
        ),
    }
}

/// Runs a script with `input` and answers what it said.
pub(crate) async fn run(script: &str, input: &Value) -> Value {
    let mut node = command(script, None);
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = node.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A script that goes on running.
pub(crate) struct Running {
    // Ends with its standard input, which ends with this.
    node: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(script: &str, argument: &Value) -> Self {
        let mut node = command(script, Some(argument));
        let said = BufReader::new(node.stdout.take().unwrap()).lines();
        Self { node, said }
    }

    /// The next thing that it says; nothing when it has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = self.said.next_line().await.unwrap()?;
        serde_json::from_str(&line).ok()
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&mut self) {
        self.node.start_kill().unwrap();
    }
}

fn command(script: &str, argument: Option<&Value>) -> Child {
    tokio::process::Command::new("node")
        .arg(home().join(script))
        .args(argument.map(ToString::to_string))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
