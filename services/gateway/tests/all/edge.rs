//! What browsers are told, and how bytes travel.

use std::io::Read as _;

use serde_json::Value;

use crate::support::echo::Echo;
use crate::support::{at, client, gateway, gateway_to, get, orders, start, url};

const OURS: &str = "https://app.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_list_may_call_and_others_may_not() {
    let echo = Echo::start("one").await;
    let to = url(echo.address);
    let settings = [
        ("gateway.upstreams.media", to.as_str()),
        ("gateway.cors.origins", OURS),
    ];
    let gateway = gateway(&settings).await;
    let preflight = async |origin: &str| {
        let request = client().request(reqwest::Method::OPTIONS, at(&gateway, "/api/media/files/1"));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "PUT");
        request
            .header("access-control-request-headers", "authorization")
            .send()
            .await
            .unwrap()
    };
    let answer = preflight(OURS).await;
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], OURS);
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(headers["access-control-max-age"], "600");
    assert!(
        headers["access-control-allow-methods"]
            .to_str()
            .unwrap()
            .contains("PUT")
    );
    assert!(
        headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .contains("Authorization")
    );
    for other in [
        "https://evil.example",
        "null",
        "https://app.example.com.evil.example",
        "http://app.example.com",
    ] {
        let answer = preflight(other).await;
        assert!(
            answer
                .headers()
                .keys()
                .all(|name| !name.as_str().starts_with("access-control")),
            "{other}"
        );
    }
    assert_eq!(echo.requests(), 0);
    // Also an error must be readable.
    for path in ["/api/media/files/1", "/api/nothing"] {
        let answer = client()
            .get(at(&gateway, path))
            .header("origin", OURS)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], OURS, "{path}");
        assert_eq!(answer.headers()["vary"], "Origin");
        let exposed = answer.headers()["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(exposed.contains("RateLimit") && exposed.contains("X-Request-Id"));
    }
    // tus asks with OPTIONS too, and not as a browser does.
    let tus = client()
        .request(reqwest::Method::OPTIONS, at(&gateway, "/api/media/tus/"))
        .send()
        .await
        .unwrap();
    assert_eq!((tus.status().as_u16(), echo.requests()), (200, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_browsers_careful() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    for path in [
        "/api/media/open/1",
        "/health",
        "/api/nothing",
        "/docs",
        "/api/media/..%2f",
    ] {
        let answer = get(&gateway, path).await;
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["x-frame-options"], "DENY");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert!(
            !answer.headers().contains_key("strict-transport-security"),
            "without TLS it means nothing"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_text_travels_compressed_and_says_so() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let ask = async |path: &str, encodings: &'static str| {
        let request = client()
            .get(at(&gateway, path))
            .header("accept-encoding", encodings);
        request.send().await.unwrap()
    };
    let plain = ask("/api/media/text", "identity").await;
    assert_eq!(
        (plain.content_length(), &plain.headers()["etag"]),
        (Some(8011), &"\"a\"".parse().unwrap())
    );
    let plain = plain.bytes().await.unwrap();
    let zipped = ask("/api/media/text", "gzip").await;
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    assert_eq!(zipped.headers()["etag"], "W/\"a\"");
    assert!(
        zipped.headers()["vary"]
            .to_str()
            .unwrap()
            .contains("accept-encoding")
    );
    let zipped = zipped.bytes().await.unwrap();
    assert!(zipped.len() < 1000);
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(&*zipped)
        .read_to_end(&mut unzipped)
        .unwrap();
    assert_eq!(unzipped, plain);
    assert_eq!(
        ask("/api/media/text", "gzip, br").await.headers()["content-encoding"],
        "br"
    );
    assert!(
        !ask("/health", "gzip, br")
            .await
            .headers()
            .contains_key("content-encoding"),
        "short"
    );
    let own = ask("/openapi.json", "br").await;
    assert_eq!(own.headers()["content-encoding"], "br");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_without_tls_too() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let answer = client
        .post(at(&gateway, "/api/media/open/1"))
        .body("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, reqwest::Version::HTTP_2)
    );
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(
        (&seen["body"], &seen["target"]),
        (&"hello".into(), &"/api/media/open/1".into())
    );
    let hosts: Vec<&Value> = seen["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|h| h[0] == "host")
        .collect();
    assert_eq!(hosts, [&serde_json::json!(["host", gateway.address.to_string()])]);
    let answer = client
        .get(at(&gateway, "/api/media/open/2"))
        .send()
        .await
        .unwrap();
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["body"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_with_http_2_and_told_to_services() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("tls.crt"), dir.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let echo = Echo::start("one").await;
    let to = url(echo.address);
    let settings = [
        ("gateway.upstreams.media", to.as_str()),
        ("gateway.tls.certificate", certificate.to_str().unwrap()),
        ("gateway.tls.key", key.to_str().unwrap()),
    ];
    let gateway = gateway(&settings).await;
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .build()
        .unwrap();
    let there = format!("https://localhost:{}/api/media/open/1", gateway.address.port());
    let answer = client.get(there).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert!(
        answer.headers()["strict-transport-security"]
            .to_str()
            .unwrap()
            .starts_with("max-age=")
    );
    let seen: Value = answer.json().await.unwrap();
    assert!(
        seen["headers"]
            .as_array()
            .unwrap()
            .contains(&serde_json::json!(["x-forwarded-proto", "https"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_and_large_bodies_are_told_in_the_dialect_of_the_path() {
    let gateway = start(&[parlour_gateway::service(), orders::service()], &[]).await;
    let token = crate::support::authority::token(&["client"]);
    for (path, samia) in [("/api/orders", true), ("/chat/appointments/", false)] {
        let post = async |kind: &'static str, body: Vec<u8>| {
            let request = client()
                .post(at(&gateway, path))
                .bearer_auth(&token)
                .header("content-type", kind);
            let answer = request.body(body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        for (kind, body, status, code) in [
            ("text/plain", b"x".to_vec(), 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("application/json", b"{".to_vec(), 400, "VALIDATION_ERROR"),
            ("application/json", vec![b' '; 2 << 20], 413, "PAYLOAD_TOO_LARGE"),
        ] {
            let (got, answer) = post(kind, body).await;
            assert_eq!((got, &answer["code"]), (status, &code.into()), "{path}");
            assert_eq!(answer.get("success").is_some(), samia, "{path}");
        }
    }
}
