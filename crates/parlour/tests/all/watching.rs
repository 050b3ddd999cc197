//! What a process tells of itself: `parlour probe` and `/metrics`.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{ChildStdout, Command, Stdio};

use parlour_testkit::{Database, Vhost, eventually};
use serde_json::Value;

use crate::desk::Desk;

/// Waits for the line of the log that says so.
fn until(log: &mut Lines<BufReader<ChildStdout>>, message: &str) -> Value {
    let mut lines = log.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    lines.find(|line| line["message"] == message).unwrap()
}

async fn metrics(address: &str) -> String {
    let url = format!("http://{address}/metrics");
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_is_ready_and_says_so_also_in_its_metrics() {
    let database = Database::of(&[parlour_identity::service()]).await;
    let vhost = Vhost::create().await;
    let desk = Desk::new(&database.url(None), &vhost.url(None));
    let nobody = desk.complain(&["probe", "live", "--address", "127.0.0.1:1"]);
    assert!(nobody.contains("Connection refused"), "{nobody}");

    let mut process = desk
        .command(&["run", "identity"])
        .env("PARLOUR__HTTP__LISTEN", "127.0.0.1:0")
        .env("PARLOUR__HTTP__INTERNAL_LISTEN", "127.0.0.1:0")
        .env("PARLOUR__HTTP__DRAIN_SECONDS", "1")
        .env("PARLOUR__TELEMETRY__FORMAT", "json")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
    let serving = until(&mut log, "serving");
    let address = serving["internal_address"].as_str().unwrap();
    let probe = ["probe", "ready", "--address", address];
    // Ready is who has their queue, a moment later than who serves.
    let ready = eventually(async || {
        let output = desk.run(&probe);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(told)
        } else {
            Err(told)
        }
    });
    assert!(ready.await.contains("\"identity\""));
    let wanted = [
        "parlour_ready 1",
        "parlour_service_health{service=\"identity\",state=\"down\"} 0",
        "parlour_pool_connections{service=\"identity\",state=\"used\"}",
    ];
    eventually(async || {
        let told = metrics(address).await;
        wanted
            .iter()
            .all(|line| told.contains(line))
            .then_some(())
            .ok_or(told)
    })
    .await;

    let sent = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    until(&mut log, "stopping");
    let stopping = eventually(async || {
        let output = desk.run(&probe);
        (!output.status.success()).then_some(output.stderr)
    });
    let stopping = String::from_utf8(stopping.await).unwrap();
    assert!(
        stopping.contains("not ready") || stopping.contains("refused"),
        "{stopping}"
    );
    until(&mut log, "stopped");
    assert!(process.wait().unwrap().success());
}
