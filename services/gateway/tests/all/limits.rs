//! The classes that the gateway counts, and what it lets in at the same time.

use std::time::Duration;

use serde_json::Value;

use crate::support::authority::token;
use crate::support::echo::Echo;
use crate::support::raw::{After, upstream};
use crate::support::{at, client, gateway, get, orders, start, until, url};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_counted_wherever_they_come_from_and_told_where_they_stand() {
    let settings = [("limits.general.burst", "3"), ("limits.chat.burst", "5")];
    let gateway = start(&[parlour_gateway::service(), orders::service()], &settings).await;
    let ask = async |path: &str, token: &str, from: &str| {
        let request = client().get(at(&gateway, path)).bearer_auth(token);
        request.header("x-forwarded-for", from).send().await.unwrap()
    };
    let (one, other) = (token(&["client"]), token(&["client"]));
    for turn in 0..3 {
        let answer = ask("/api/orders", &one, &format!("198.51.100.{turn}")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["ratelimit-policy"], "\"general\";q=100;w=60");
        let state = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(
            state.starts_with(&format!("\"general\";r={}", 2 - turn)),
            "{state}"
        );
    }
    let refused = ask("/api/orders", &one, "198.51.100.9").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(
        refused.headers()["ratelimit"]
            .to_str()
            .unwrap()
            .starts_with("\"general\";r=0;t=")
    );
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["code"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(ask("/api/orders", &other, "198.51.100.9").await.status(), 200);
    // Another class is another count, and what is not limited says nothing of limits.
    assert_eq!(ask("/api/assist/chat", &one, "198.51.100.9").await.status(), 200);
    let free = ask("/api/astro/open", &one, "198.51.100.9").await;
    assert!(!free.headers().contains_key("ratelimit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_counted_where_nobody_is_signed_in() {
    let settings = [("limits.general.burst", "4"), ("gateway.replicas", "2")];
    let gateway = start(&[parlour_gateway::service(), orders::service()], &settings).await;
    let ask = async |from: &str| {
        let request = client()
            .get(at(&gateway, "/api/services"))
            .header("x-forwarded-for", from);
        request.send().await.unwrap().status().as_u16()
    };
    // Two gateways share four.
    assert_eq!(
        [
            ask("198.51.100.1").await,
            ask("198.51.100.1").await,
            ask("198.51.100.1").await
        ],
        [200, 200, 429]
    );
    assert_eq!(ask("198.51.100.2").await, 200);
    // One subscriber has many addresses of IPv6.
    assert_eq!(
        [
            ask("2001:db8::1").await,
            ask("2001:db8::2").await,
            ask("2001:db8::3").await
        ],
        [200, 200, 429]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_figure_is_followed_within_seconds() {
    let gateway = start(
        &[parlour_gateway::service(), orders::service()],
        &[("limits.general.burst", "1")],
    )
    .await;
    assert_eq!(get(&gateway, "/api/services").await.status(), 200);
    assert_eq!(get(&gateway, "/api/services").await.status(), 429);
    client()
        .post(at(&gateway, "/api/assist/limits"))
        .send()
        .await
        .unwrap();
    until("the new figure", async || {
        let passed = async || get(&gateway, "/api/services").await.status() == 200;
        passed().await && passed().await && passed().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_routes_are_counted_by_the_class_that_their_document_tells() {
    let echo = Echo::start("one").await;
    let to = url(echo.address);
    let settings = [
        ("gateway.upstreams.media", to.as_str()),
        ("limits.general.burst", "3"),
    ];
    let gateway = gateway(&settings).await;
    let ask = async || get(&gateway, "/api/media/open/1").await;
    until("the document", async || {
        !ask().await.headers().contains_key("ratelimit")
    })
    .await;
    for _ in 0..10 {
        assert_eq!(ask().await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_shed_before_it_is_a_burden() {
    let slow = url(upstream(b"", After::Hang).await);
    let settings = [
        ("gateway.upstreams.orders", slow.as_str()),
        ("gateway.caps.requests", "4"),
        ("gateway.caps.requests_per_address", "3"),
        ("gateway.timeouts.first_byte_ms", "1500"),
    ];
    let gateway = gateway(&settings).await;
    let ask = |from: &'static str| {
        let request = client()
            .get(at(&gateway, "/api/orders"))
            .header("x-forwarded-for", from);
        tokio::spawn(async move { request.send().await.unwrap() })
    };
    let waiting: Vec<_> = (0..3).map(|_| ask("198.51.100.1")).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let shed = ask("198.51.100.1").await.unwrap();
    assert_eq!(
        (shed.status().as_u16(), shed.headers().contains_key("retry-after")),
        (503, true)
    );
    let other = ask("198.51.100.2");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ask("198.51.100.3").await.unwrap().status(), 503);
    for request in waiting.into_iter().chain([other]) {
        assert_eq!(request.await.unwrap().status(), 504);
    }
    // Every seat was given back.
    assert_eq!(ask("198.51.100.1").await.unwrap().status(), 504);
}
