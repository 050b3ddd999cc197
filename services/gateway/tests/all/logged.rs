//! The access log: everything an operator needs, nothing that is nobody's business.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use uuid::Uuid;

use crate::support::authority::token_of;
use crate::support::echo::Echo;
use crate::support::{at, client, gateway_to, until};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn of(&self, request_id: &str) -> Option<Value> {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        all.lines()
            .find(|line| line.contains(request_id))
            .map(|line| serde_json::from_str(line).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_what_became_of_a_request_and_no_secret() {
    let lines = Lines::default();
    let written = lines.clone();
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(move || written.clone());
    tracing_subscriber::registry()
        .with(Targets::new().with_target("access", tracing::Level::INFO))
        .with(layer)
        .init();

    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let account = Uuid::now_v7();
    let ask = async |path: &str, id: &str| {
        let request = client()
            .put(at(&gateway, path))
            .bearer_auth(token_of(account, &["client"], 60));
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = request
            .header("x-request-id", id.to_owned())
            .header("traceparent", trace);
        let body = "{\"note\":\"hush\"}";
        request
            .body(body)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .len()
    };
    until("the document", async || {
        ask("/api/media/files/1?x=hush", "warming").await;
        ask("/api/media/files/1?access_token=hush", "logged-1").await;
        lines
            .of("logged-1")
            .is_some_and(|line| line["route"] == "/api/media/files/{id}")
            || {
                lines.0.lock().unwrap().clear();
                false
            }
    })
    .await;
    let line = lines.of("logged-1").unwrap();
    assert_eq!((&line["method"], &line["status"]), (&"PUT".into(), &200.into()));
    assert_eq!(line["user"], account.to_string());
    assert_eq!(line["received"], 15);
    assert!(line["sent"].as_u64().unwrap() > 100);
    assert!(line["ms"].as_f64().unwrap() >= line["upstream_ms"].as_f64().unwrap());
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let all = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!all.contains("hush") && !all.contains("eyJ"), "{all}");
}
