//! One document of everything, and the page that shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::echo::Echo;
use crate::support::{gateway_to, get, orders, start, until, url};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_what_is_here_and_what_is_elsewhere() {
    let echo = Echo::start("one").await;
    let to = url(echo.address);
    let settings = [("gateway.upstreams.media", to.as_str())];
    let gateway = start(&[parlour_gateway::service(), orders::service()], &settings).await;
    let document = async || {
        get(&gateway, "/openapi.json")
            .await
            .json::<Value>()
            .await
            .unwrap()
    };
    until("the other's document", async || {
        document().await["paths"].get("/api/media/open/{id}").is_some()
    })
    .await;
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"][0]["url"], "/");
    for path in [
        "/health",
        "/health/",
        "/status/",
        "/metrics/",
        "/openapi.json",
        "/docs",
        "/api/orders",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    assert!(
        !document["paths"]["/metrics/"]["get"]["x-access"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let mut ids = BTreeSet::new();
    for operation in document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
    {
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{operation}"
        );
        assert!(
            operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .any(|status| status.starts_with('2'))
        );
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text
        .split("#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(
            document["components"]["schemas"].get(reference).is_some(),
            "{reference}"
        );
    }
}

/// What `endpoints.csv` and the generated tests read.
#[test]
fn every_operation_of_ours_is_described() {
    let service = parlour_gateway::service();
    let document = parlour_http::document("gateway", "1", &(service.routes)());
    let document = serde_json::to_value(document).unwrap();
    let mut operations = 0;
    for operation in document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
    {
        operations += 1;
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        assert!(operation["responses"]["200"]["content"].is_object());
        assert!(!operation["tags"].as_array().unwrap().is_empty());
    }
    assert_eq!(operations, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_nobody_else() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let page = get(&gateway, "/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    assert!(!page.contains("//"), "an address of somebody else");
    let linked: Vec<&str> = page
        .split(['"'])
        .filter(|part| part.starts_with("/docs/"))
        .collect();
    assert_eq!(linked.len(), 5);
    for path in linked {
        let asset = get(&gateway, path).await;
        assert_eq!(asset.status(), 200, "{path}");
        assert!(asset.bytes().await.unwrap().len() > 50);
    }
    assert_eq!(get(&gateway, "/docs/nothing.js").await.status(), 404);
}

/// Sockets have no document: they are not asked for one, and the others not more often.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_not_asked_for_a_document() {
    let (media, sockets) = (Echo::start("media").await, Echo::start("sockets").await);
    let (to_media, to_sockets) = (url(media.address), url(sockets.address));
    let settings = [
        ("gateway.upstreams.media", to_media.as_str()),
        ("gateway.upstreams.sockets", to_sockets.as_str()),
        ("gateway.probe.documents_seconds", "3600"),
    ];
    let gateway = start(&[parlour_gateway::service()], &settings).await;
    let paths = async || {
        get(&gateway, "/openapi.json")
            .await
            .json::<Value>()
            .await
            .unwrap()["paths"]
            .clone()
    };
    until("the document", async || {
        paths().await.get("/api/media/open/{id}").is_some()
    })
    .await;
    // Where one is missing all are asked again after two seconds.
    let rounds = media.probes() + 30;
    until("many more rounds", async || media.probes() >= rounds).await;
    assert_eq!((media.documents(), sockets.documents()), (1, 0));
    assert!(sockets.probes() > 1);
}
