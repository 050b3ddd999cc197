//! What arrives at a service, and what comes back.

use serde_json::Value;

use crate::support::echo::Echo;
use crate::support::{at, client, gateway, gateway_to, get, url};

fn headers<'v>(seen: &'v Value, name: &str) -> Vec<&'v str> {
    let all = seen["headers"].as_array().unwrap();
    all.iter()
        .filter(|pair| pair[0] == name)
        .map(|pair| pair[1].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_sent_and_says_who_sent_it() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    let answer = client()
        .put(at(&gateway, "/api/orders/7/x%20y/?a=1&b=%D9%85"))
        .header("x-custom", "kept")
        .header("x-parlour-internal", "forged")
        .header("x-parlour-anything", "forged")
        .header("forwarded", "for=1.2.3.4")
        .header("x-forwarded-host", "evil.example")
        .header("x-real-ip", "1.2.3.4")
        .header("x-request-id", "my-own-id")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("te", "trailers")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body("{\"a\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-request-id"], "my-own-id");
    assert_eq!(answer.headers()["x-served-by"], "one");
    assert!(!answer.headers().contains_key("x-parlour-secret"));
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["target"], "/api/orders/7/x%20y/?a=1&b=%D9%85");
    assert_eq!(seen["body"], "{\"a\":1}");
    assert_eq!(headers(&seen, "x-custom"), ["kept"]);
    assert_eq!(headers(&seen, "x-request-id"), ["my-own-id"]);
    assert_eq!(headers(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(headers(&seen, "x-forwarded-proto"), ["http"]);
    assert_eq!(headers(&seen, "x-forwarded-host"), [gateway.address.to_string()]);
    assert_eq!(headers(&seen, "host"), [gateway.address.to_string()]);
    let trace = headers(&seen, "traceparent");
    assert!(
        trace[0].starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{trace:?}"
    );
    for gone in [
        "x-parlour-internal",
        "x-parlour-anything",
        "forwarded",
        "x-real-ip",
        "x-hop",
        "te",
    ] {
        assert!(headers(&seen, gone).is_empty(), "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_the_last_that_no_proxy_of_ours_added() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    let ask = async |forwarded: &'static str| {
        let request = client().get(at(&gateway, "/api/orders"));
        let request = request
            .header("x-forwarded-for", forwarded)
            .header("x-forwarded-proto", "https");
        let seen: Value = request.send().await.unwrap().json().await.unwrap();
        let one = |name: &str| headers(&seen, name).join("|");
        (one("x-forwarded-for"), one("x-forwarded-proto"))
    };
    assert_eq!(
        ask("203.0.113.9, 198.51.100.1").await,
        ("198.51.100.1".into(), "https".into())
    );
    assert_eq!(ask("rubbish").await, ("127.0.0.1".into(), "http".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_begins_here_when_nobody_began_it() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    let seen: Value = get(&gateway, "/api/orders").await.json().await.unwrap();
    let trace = headers(&seen, "traceparent");
    assert_eq!((trace.len(), trace[0].len(), &trace[0][..3]), (1, 55, "00-"));
    assert_eq!(headers(&seen, "x-request-id").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_busy_replica_is_asked_and_every_one_in_turn() {
    let (one, two) = (Echo::start("one").await, Echo::start("two").await);
    let both = format!("{},{}", url(one.address), url(two.address));
    let gateway = gateway(&[("gateway.upstreams.media", &both)]).await;
    let client = client();
    for _ in 0..20 {
        client
            .get(at(&gateway, "/api/media/open/1"))
            .send()
            .await
            .unwrap();
    }
    let (one, two) = (one.requests(), two.requests());
    assert!(one + two == 20 && one.abs_diff(two) <= 4, "{one} and {two}");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_without_a_service_are_told_in_their_own_dialect() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    for (path, samia) in [
        ("/api/media/files", true),
        ("/api/v1/owner", true),
        ("/mood-history/", false),
    ] {
        let answer = get(&gateway, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], "RESOURCE_NOT_FOUND");
        assert_eq!(body.get("success").is_some(), samia, "{path}");
    }
    for hidden in [
        "/-/ready",
        "/-/openapi.json",
        "/internal/jwks",
        "/internal",
        "/-",
        "/metrics",
    ] {
        assert_eq!(get(&gateway, hidden).await.status(), 404, "{hidden}");
    }
    assert_eq!(echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_body_keep_what_they_tell() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let head = client()
        .head(at(&gateway, "/api/media/text"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &"8011".parse().unwrap())
    );
    for _ in 0..3 {
        let unchanged = get(&gateway, "/api/media/none").await;
        assert_eq!(
            (unchanged.status().as_u16(), &unchanged.headers()["etag"]),
            (304, &"\"a\"".parse().unwrap())
        );
    }
    let text = get(&gateway, "/api/media/text").await;
    assert_eq!(text.content_length(), Some(8011));
}
