//! Requests that mean one thing to one server and something else to the next.

use crate::support::echo::Echo;
use crate::support::gateway_to;
use crate::support::raw::{say, status};

/// Nothing of these may reach a service, and the connection is of no use afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_lengths_are_refused_and_the_connection_closed() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    let smuggled = "GET /api/orders/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let cases = [
        (
            "CL.TE",
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "TE.CL",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        ),
        (
            "TE.TE",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        ),
        (
            "TE twice in one",
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        ),
        ("TE obscured", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 0\r\n\r\n"),
        (
            "the same length twice",
            "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        ),
        ("a list of lengths", "Content-Length: 0, 0\r\n\r\n"),
        ("a signed length", "Content-Length: +0\r\n\r\n"),
        ("a folded header", "X-Fold: a\r\n b\r\n\r\n"),
        ("a folded length", "Content-Length:\r\n 5\r\n\r\n"),
        ("a space before the colon", "Content-Length : 5\r\n\r\n"),
        ("a bare name", "Transfer-Encoding\r\n\r\n"),
        ("a null in a header", "X-Null: a\0b\r\n\r\n"),
        ("two hosts", "Host: y\r\n\r\n"),
    ];
    for (name, rest) in cases {
        let request = format!("POST /api/orders HTTP/1.1\r\nHost: x\r\n{rest}{smuggled}");
        let (answer, closed) = say(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), "400", "{name}: {answer}");
        assert!(closed, "{name}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: {answer}");
    }
    assert_eq!(echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_paths_are_refused_in_the_envelope() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    for target in [
        "http://elsewhere.example/api/orders",
        "/api/orders/../../internal/jwks",
        "/api/orders/%2e%2e/%2E%2e/internal/jwks",
        "/api/orders/..;/x",
        "/api/orders/.",
        "/api/orders/%2Fx",
        "/api/orders%5cx",
        "/api/orders/%00",
        "/api/orders/%zz",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let (answer, _) = say(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), "400", "{target}: {answer}");
        let samia = target.starts_with("/api/") || target.starts_with("http");
        assert!(answer.contains("VALIDATION_ERROR") && samia, "{target}: {answer}");
    }
    for line in ["CONNECT example.org:443", "OPTIONS *", "GET *"] {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let (answer, _) = say(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), "400", "{line}: {answer}");
    }
    assert_eq!(echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_heads_are_refused() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    let one = "a".repeat(100_000);
    let request = format!("GET /api/orders HTTP/1.1\r\nHost: x\r\nX-Long: {one}\r\n\r\n");
    let (answer, _) = say(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), "431", "{answer}");
    assert!(answer.contains("\"code\""), "{answer}");
    // More than the server's own buffer: refused before there is a path to answer for.
    let request = format!("GET /api/orders HTTP/1.1\r\nHost: x\r\nX-Long: {one}{one}\r\n\r\n");
    let (answer, closed) = say(gateway.address, request.as_bytes()).await;
    assert!(answer.is_empty() || status(&answer) == "431", "{answer}");
    assert!(closed);
    let many = (0..200).fold(String::new(), |all, n| all + &format!("X-{n}: a\r\n"));
    let request = format!("GET /api/orders HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    let (answer, closed) = say(gateway.address, request.as_bytes()).await;
    assert!(matches!(status(&answer), "400" | "431") && closed, "{answer}");
    let request = format!("GET /api/orders?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9000));
    let (answer, _) = say(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), "414", "{answer}");
    assert_eq!(echo.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answers_with_a_page_of_a_framework() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("orders", echo.address).await;
    for request in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
        "GET /\0 HTTP/1.1\r\n\r\n",
    ] {
        let (answer, _) = say(gateway.address, request.as_bytes()).await;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        assert!(body.is_empty() || body.starts_with('{'), "{request:?}: {answer}");
    }
}
