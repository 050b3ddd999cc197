//! What a process tells of itself: `parlour probe` and `/metrics`.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};

use parlour_testkit::{Database, Vhost, eventually};

use crate::desk::Desk;

/// Two ports that are free now; the system hands each out again only after many others.
fn free_addresses() -> [String; 2] {
    let bound = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    bound.map(|listener| listener.local_addr().unwrap().to_string())
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
    let [listen, internal] = free_addresses();
    let probe = ["probe", "ready", "--address", &internal];
    assert!(desk.complain(&probe).contains("Connection refused"));

    let mut process = desk
        .command(&["run", "identity"])
        .envs([
            ("PARLOUR__HTTP__LISTEN", &listen),
            ("PARLOUR__HTTP__INTERNAL_LISTEN", &internal),
        ])
        .env("PARLOUR__HTTP__DRAIN_SECONDS", "1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually(async || desk.run(&probe).status.success()).await;
    assert!(
        desk.print(&probe).contains("\"identity\":\"active\"") || desk.print(&probe).contains("degraded")
    );
    let wanted = [
        "parlour_ready 1",
        "parlour_service_health{service=\"identity\",state=\"down\"} 0",
        "parlour_pool_connections{service=\"identity\",state=\"used\"}",
    ];
    eventually(async || {
        let told = metrics(&internal).await;
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
    eventually(async || desk.complain(&probe).contains("not ready")).await;
    assert!(process.wait().unwrap().success());
}
