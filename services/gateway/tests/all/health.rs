//! How the whole is doing.

use serde_json::{Value, json};

use crate::support::authority::token;
use crate::support::echo::Echo;
use crate::support::{at, client, gateway, get, orders, start, until, url};

#[tokio::test(flavor = "multi_thread")]
async fn every_deployed_service_has_an_entry_under_the_names_that_frontends_know() {
    let echo = Echo::start("one").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (alive, dead) = (url(echo.address), url(free));
    let settings = [
        ("gateway.upstreams.orders", alive.as_str()),
        ("gateway.upstreams.moderation", dead.as_str()),
    ];
    let gateway = gateway(&settings).await;
    let apis = async || get(&gateway, "/health").await.json::<Value>().await.unwrap()["apis"].clone();
    let expected =
        json!({ "keeper": "active", "orders": "active", "monitor": "down", "ai_moderation": "down" });
    until("both replicas to be asked", async || apis().await == expected).await;
    let answer = get(&gateway, "/api/health").await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["status"], body["version"].is_string()),
        (&"degraded".into(), true)
    );
    echo.stop().await;
    until("the end of the other", async || apis().await["orders"] == "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn safetalk_is_told_in_its_own_shape() {
    let gateway = start(&[parlour_gateway::service(), orders::service()], &[]).await;
    let ask = async |path: &str| {
        let answer = get(&gateway, path).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, health) = ask("/health").await;
    assert_eq!(
        (status, &health["status"], &health["apis"]["orders"]),
        (200, &"healthy".into(), &"active".into())
    );
    let (_, health) = ask("/health/").await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&health), ["status", "timestamp", "version"]);
    let (_, status) = ask("/status/").await;
    assert_eq!(keys(&status), ["cache", "database", "status", "timestamp"]);
    assert_eq!(
        (&status["database"], &status["cache"]),
        (&"healthy".into(), &"healthy".into())
    );
    assert!(status["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_staff_and_only_with_the_slash() {
    let gateway = start(&[parlour_gateway::service(), orders::service()], &[]).await;
    get(&gateway, "/api/services").await;
    get(&gateway, "/api/services").await;
    assert_eq!(get(&gateway, "/metrics").await.status(), 404);
    assert_eq!(get(&gateway, "/metrics/").await.status(), 401);
    let ask = async |role: &str| {
        let request = client()
            .get(at(&gateway, "/metrics/"))
            .bearer_auth(token(&[role]));
        request.send().await.unwrap()
    };
    assert_eq!(ask("client").await.status(), 403);
    for role in ["support", "monitor", "admin", "super_admin", "owner"] {
        assert_eq!(ask(role).await.status(), 200, "{role}");
    }
    let body: Value = ask("admin").await.json().await.unwrap();
    let route = &body["GET /api/services"];
    assert_eq!(route["request_count"], 2);
    assert!(route["average_duration_ms"].as_f64().unwrap() > 0.0);
    assert!(route["last_request"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_nobody_has_are_only_missing_themselves() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let to = url(free);
    let settings = [("gateway.upstreams.sockets", to.as_str())];
    let gateway = start(&[parlour_gateway::service(), orders::service()], &settings).await;
    let asking = "/socket.io/?EIO=4&transport=polling";
    until("a probe of nobody", async || {
        get(&gateway, asking).await.status() == 503
    })
    .await;
    let answer = get(&gateway, "/health").await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["status"], &body["apis"]),
        (
            &"healthy".into(),
            &json!({ "keeper": "active", "orders": "active" })
        )
    );
    assert_eq!(get(&gateway, "/api/services").await.status(), 200);
    assert_eq!(get(&gateway, "/ws/chat/1/").await.status(), 503);
}
