//! The page under `/demo`, in a browser.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::node;
use crate::platform::Platform;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The browser: the one that `PARLOUR_TEST_CHROMIUM` names, or the first that is installed.
fn chromium() -> PathBuf {
    if let Some(named) = std::env::var_os("PARLOUR_TEST_CHROMIUM") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = NAMES.iter().find_map(|name| {
        let places = std::env::split_paths(&path);
        places.map(|place| place.join(name)).find(|file| file.exists())
    });
    found.unwrap_or_else(|| panic!("Chromium is missing: deploy/local/install --with-chromium"))
}

/// Two people do by hand what the demonstration plays: text, typing, reading, reactions, a lost
/// connection, a picture, a voice note by the microphone, a notification.
#[tokio::test(flavor = "multi_thread")]
async fn two_windows_talk() {
    let platform = Platform::new().await;
    let client = node::home().join("node_modules/socket.io-client/dist/socket.io.esm.min.js");
    let client = client.to_str().unwrap().to_owned();
    let process = platform.live(&[("PARLOUR__GATEWAY__DEMO_CLIENT", client)]).await;
    let accounts = platform.people(&process, &["reader", "admin"]).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journeys-page");
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("http://{}", process.address);
    let (chromium, folder) = (chromium(), folder);
    let arguments = [
        &url,
        &accounts,
        chromium.to_str().unwrap(),
        folder.to_str().unwrap(),
    ];
    let seen = node::run("page.mjs", &arguments).await;
    let words = [
        "Good evening. <b>What</b> is on your mind?",
        "سؤال من القلب",
        "missed: one",
        "missed: two",
        "missed: three",
        "written without a connection",
    ];
    let expected = json!({
        "problems": [],
        "presence": true,
        "typing": true,
        "arabic": "rtl",
        "read": true,
        "reaction": true,
        "order": { "left": words, "right": words },
        "picture": [8, 8],
        "bars": 100,
        "tall": true,
        "length": seen["length"],
        "played": true,
        "notification": true,
        "sockets": true,
        "again": words,
    });
    assert_eq!(seen, expected);
    // It was stopped when it said two seconds; how long that took is the machine's to say.
    assert!(
        seen["length"].as_str().unwrap().starts_with("0:0"),
        "{}",
        seen["length"]
    );
    process.terminate().await;
}
