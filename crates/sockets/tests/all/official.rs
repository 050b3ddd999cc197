//! The official client, over each transport and from one to the other.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use parlour_sockets::{Gone, Settings};
use parlour_testkit::stage_node;
use serde_json::{Value, json};

use crate::support::{Server, Told, calm, soon};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/node");

/// The folder with the scripts and their packages, beside what cargo makes.
fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sockets-peers");
        stage_node(Path::new(SOURCES), &home);
        home
    })
}

async fn lives(transports: &str, transport: &str) {
    let mut server = Server::start(Settings { queue: 64, ..calm() }).await;
    let node = tokio::process::Command::new("node")
        .arg(home().join("client.mjs"))
        .arg(format!("http://{}", server.address))
        .arg(transports)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = soon(node.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "the client failed over {transports}");
    let mut seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    // What the browser's connection says depends on whether a poll was waiting.
    let closed = seen.as_object_mut().unwrap().remove("closed").unwrap();
    let closed = closed.as_str().unwrap();
    assert!(
        matches!(closed, "transport close" | "transport error"),
        "{closed}"
    );
    let many: Vec<i32> = (0..50).collect();
    let expected = json!({
        "transport": transport,
        "auth": { "token": "abc" },
        "acknowledged": { "deep": [true, null, "é"] },
        "bytes": [1, 2, 3],
        "many": many,
        "custom": { "token": "def" },
        "nowhere": "Invalid namespace",
        "renamed": true,
        "back": "back",
        "left": "io server disconnect",
        "after": { "active": false, "connected": false, "attempts": 0 },
    });
    assert_eq!(seen, expected);
    // It came three times, into the main namespace and the other one and back, and was gone as often.
    let (mut came, mut gone) = (0, Vec::new());
    while gone.len() < 3 {
        match server.told().await {
            Told::Connected(..) => came += 1,
            Told::Gone(namespace, why) => gone.push((namespace, why)),
            Told::Said(_) => {}
        }
    }
    assert_eq!(came, 3);
    let closed = ("/".to_owned(), Gone::Closed);
    assert_eq!(gone, [("/custom".to_owned(), Gone::Left), closed.clone(), closed]);
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lives_by_polling() {
    lives("polling", "polling").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lives_over_a_websocket() {
    lives("websocket", "websocket").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_from_polling_to_a_websocket() {
    lives("polling,websocket", "websocket").await;
}
