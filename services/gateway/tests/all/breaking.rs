//! Services that are dead, slow, broken or lying.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::raw::{After, say, status, upstream};
use crate::support::{at, client, gateway, gateway_to, get, url};

async fn outcome(answer: &'static [u8], after: After, path: &str) -> (u16, Value) {
    let address = upstream(answer, after).await;
    let settings = [
        ("gateway.upstreams.orders", url(address)),
        ("gateway.timeouts.first_byte_ms", "500".to_owned()),
        ("gateway.timeouts.idle_ms", "500".to_owned()),
    ];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    let gateway = gateway(&settings).await;
    let answer = get(&gateway, path).await;
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or(Value::Null),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_answer_is_told_in_the_envelope() {
    use After::{Close, Hang};
    let cases: [(&[u8], After, u16); 8] = [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Close, 502),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
            Close,
            502,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            Close,
            502,
        ),
        (b"HTTP/1.1 200 OK\r\nX-Half", Close, 502),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Close, 502),
        (b"", Close, 502),
        (b"", Hang, 504),
        (b"HTTP/1.1 200 OK\r\nX-Half", Hang, 504),
    ];
    for (answer, after, expected) in cases {
        for (path, samia) in [("/api/orders", true), ("/chat/appointments/", false)] {
            let (status, body) = outcome(answer, after, path).await;
            let text = String::from_utf8_lossy(answer);
            assert_eq!(
                (status, &body["code"]),
                (expected, &"UPSTREAM_UNAVAILABLE".into()),
                "{text:?}"
            );
            assert_eq!(body.get("request_id").is_some(), samia);
            assert!(!body.to_string().contains("127.0.0.1"), "{body}");
        }
    }
}

/// The client must be able to tell a part from the whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    use After::{Close, Hang};
    let cases: [(&[u8], After); 4] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Close),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
            Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n",
            Close,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Hang),
    ];
    for (answer, after) in cases {
        let address = upstream(answer, after).await;
        let upstream = url(address);
        let settings = [
            ("gateway.upstreams.orders", upstream.as_str()),
            ("gateway.timeouts.idle_ms", "300"),
        ];
        let gateway = gateway(&settings).await;
        let whole = async {
            let answer = client().get(at(&gateway, "/api/orders")).send().await?;
            assert_eq!(answer.status(), 200);
            answer.bytes().await
        };
        assert!(whole.await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_with_its_connection_is_whole() {
    let address = upstream(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it",
        After::Close,
    )
    .await;
    let gateway = gateway_to("orders", address).await;
    assert_eq!(
        get(&gateway, "/api/orders").await.text().await.unwrap(),
        "all of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_the_answer_is_not_the_answer() {
    let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n\
                 HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
    let gateway = gateway_to("orders", upstream(text, After::Hang).await).await;
    let answer = get(&gateway, "/api/orders").await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (201, "ok")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_before_the_end_of_an_upload_reaches_the_client() {
    let text = b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
    let gateway = gateway_to("media", upstream(text, After::Hang).await).await;
    let head = "POST /api/media/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n";
    let (answer, _) = say(gateway.address, &[head.as_bytes(), &vec![b'x'; 100_000]].concat()).await;
    assert_eq!(status(&answer), "413", "{answer}");
    assert!(answer.ends_with("large"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_service_is_told_at_once_and_only_on_its_own_paths() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gateway = gateway_to("orders", free).await;
    let began = Instant::now();
    let answer = get(&gateway, "/api/orders").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "UPSTREAM_UNAVAILABLE");
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(get(&gateway, "/docs").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_given_up() {
    let echo = crate::support::echo::Echo::start("one").await;
    let to = url(echo.address);
    let settings = [
        ("gateway.upstreams.media", to.as_str()),
        ("gateway.timeouts.idle_ms", "400"),
    ];
    let gateway = gateway(&settings).await;
    for length in ["1000", "1000000"] {
        let head =
            format!("POST /api/media/count HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nonly");
        let (answer, _) = say(gateway.address, head.as_bytes()).await;
        assert_eq!(status(&answer), "408", "{answer}");
        assert!(
            answer.contains("REQUEST_TIMEOUT") && answer.contains("connection: close"),
            "{answer}"
        );
    }
    let over = client()
        .post(at(&gateway, "/api/media/count"))
        .header("content-length", "70000000");
    let answer = over.body(vec![0; 70_000_000]).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "PAYLOAD_TOO_LARGE");
}
