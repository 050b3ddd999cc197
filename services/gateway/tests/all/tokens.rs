//! Who is let through with what token.

use serde_json::Value;
use uuid::Uuid;

use crate::support::authority::{token, token_of};
use crate::support::echo::Echo;
use crate::support::{at, client, gateway_to, orders, start, until, url};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_answered_here_once_the_routes_are_known() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let ask = async |path: &str, token: &str| {
        let request = client().get(at(&gateway, path)).header("authorization", token);
        request.send().await.unwrap().status().as_u16()
    };
    until("the document", async || {
        ask("/api/media/files/1", "Bearer rubbish").await == 401
    })
    .await;
    let before = echo.requests();
    let expired = format!("Bearer {}", token_of(Uuid::now_v7(), &["client"], -10));
    let mut forged = token(&["client"]);
    forged.replace_range(forged.len() - 4.., "AAAA");
    for bad in [
        "Bearer rubbish",
        "Bearer ",
        "Basic YTpi",
        "nothing",
        &expired,
        &format!("Bearer {forged}"),
    ] {
        assert_eq!(ask("/api/media/files/1", bad).await, 401, "{bad}");
    }
    assert_eq!(echo.requests(), before);
    // This route does not look at tokens: somebody with a dead one can still sign in.
    assert_eq!(ask("/api/media/open/1", "Bearer rubbish").await, 200);
    let good = format!("Bearer {}", token(&["client"]));
    assert_eq!(ask("/api/media/files/1", &good).await, 200);
    // Without a token the service says whether it needs one.
    assert_eq!(
        client()
            .get(at(&gateway, "/api/media/files/1"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

/// The same service, beside the gateway and behind it, answers the same.
#[tokio::test(flavor = "multi_thread")]
async fn here_and_elsewhere_are_the_same() {
    let service = start(&[orders::service()], &[]).await;
    let elsewhere = gateway_to("orders", service.address).await;
    let here = start(&[parlour_gateway::service(), orders::service()], &[]).await;
    let account = Uuid::now_v7();
    let token = token_of(account, &["client"], 600);
    for gateway in [&elsewhere, &here] {
        let ask = async |method: &str, path: &str, authorization: &str, body: &'static str| {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = client()
                .request(method, at(gateway, path))
                .header("content-type", "application/json");
            if !authorization.is_empty() {
                request = request.header("authorization", authorization);
            }
            let answer = request
                .header("x-forwarded-for", "198.51.100.7")
                .body(body)
                .send()
                .await
                .unwrap();
            assert!(answer.headers().contains_key("x-request-id"));
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let bearer = format!("Bearer {token}");
        until("the document", async || {
            ask("GET", "/api/services", "Bearer x", "").await.0 == 401
        })
        .await;
        let (status, body) = ask("GET", "/api/orders", &bearer, "").await;
        assert_eq!((status, &body["data"]["id"]), (200, &account.to_string().into()));
        assert_eq!(body["data"]["address"], "198.51.100.7");
        assert_eq!(ask("GET", "/api/orders", "", "").await.0, 401);
        assert_eq!(ask("GET", "/api/services", "", "").await.0, 200);
        assert_eq!(ask("GET", "/api/astro/open", "Bearer x", "").await.0, 200);
        assert_eq!(
            ask("POST", "/api/orders", &bearer, "{\"notes\":\"x\"}").await.0,
            201
        );
        assert_eq!(
            ask("POST", "/api/orders", &bearer, "{\"notes\":1}").await.1["code"],
            "VALIDATION_ERROR"
        );
        let (status, body) = ask("DELETE", "/api/orders", &bearer, "").await;
        assert_eq!((status, &body["code"]), (405, &"METHOD_NOT_ALLOWED".into()));
        let (status, body) = ask("GET", "/api/orders/none/such", "", "").await;
        assert_eq!((status, &body["success"]), (404, &false.into()));
        // With and without the slash.
        for path in ["/chat/appointments/", "/chat/appointments"] {
            let (status, body) = ask("POST", path, &bearer, "{}").await;
            assert_eq!(
                (status, &body["code"]),
                (400, &"VALIDATION_ERROR".into()),
                "{path}"
            );
            assert!(body.get("success").is_none(), "SafeTalk's envelope");
        }
    }
}

/// What a browser sends by itself must not be enough to change something.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_reads_but_writes_only_from_our_own_pages() {
    let service = start(&[orders::service()], &[]).await;
    let elsewhere = gateway_to("orders", service.address).await;
    let here = start(&[parlour_gateway::service(), orders::service()], &[]).await;
    let cookie = format!("parlour_session={}", token(&["client"]));
    for gateway in [&elsewhere, &here] {
        let base = url(gateway.address);
        let read = client()
            .get(at(gateway, "/api/orders"))
            .header("cookie", &cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(read.status(), 200);
        let write = async |origin: &str| {
            let request = client()
                .post(at(gateway, "/chat/appointments/"))
                .header("cookie", &cookie);
            let request = request
                .header("origin", origin)
                .header("content-type", "application/json");
            request
                .body("{\"notes\":\"x\"}")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(write("https://evil.example").await, 403);
        assert_eq!(write(&base).await, 201);
        let dead = client()
            .get(at(gateway, "/api/services"))
            .header("cookie", "parlour_session=dead");
        assert_eq!(
            dead.send().await.unwrap().status(),
            200,
            "a dead cookie is no cookie"
        );
    }
}
