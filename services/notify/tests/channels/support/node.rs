//! Peers in Node: independent implementations of what is tested.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use parlour_testkit::stage_node;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/node");

/// The folder with the scripts and their packages, beside what cargo makes.
fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notify-peers");
        stage_node(Path::new(SOURCES), &home);
        home
    })
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
