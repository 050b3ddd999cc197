//! The page under `/demo`: whole, without anybody else's address, and only where it was asked for.

use std::collections::BTreeSet;

use parlour_chassis::DEFAULTS;
use parlour_config::Layers;

use crate::support::{at, client, gateway, get};

/// What HTML and scripts of the page name of it.
fn named(text: &str) -> BTreeSet<String> {
    let quoted = text.split(['"', '\'']).filter_map(|part| {
        let name = part.strip_prefix("/demo/").or_else(|| part.strip_prefix("./"))?;
        Some(name.to_owned())
    });
    quoted.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_whole_and_needs_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("client.js");
    let gateway = gateway(&[("gateway.demo_client", script.to_str().unwrap())]).await;
    for path in ["/demo", "/demo/"] {
        let page = get(&gateway, path).await;
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    // Whatever a part names is there, and nothing is named that is at another address.
    let mut open = vec!["index.html".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name == "socket.io.js" || !seen.insert(name.clone()) {
            continue;
        }
        let part = get(&gateway, &format!("/demo/{name}")).await;
        assert_eq!(part.status(), 200, "{name}");
        assert!(part.headers().contains_key("content-security-policy"), "{name}");
        let text = part.text().await.unwrap();
        let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !elsewhere.contains("://"),
            "{name} names an address of somebody else"
        );
        open.extend(named(&text));
    }
    assert_eq!(seen.len(), 12, "{seen:?}");

    // The official client is installed beside, now or later.
    let missing = get(&gateway, "/demo/socket.io.js").await;
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("make demo"));
    std::fs::write(&script, "export const io = 1;").unwrap();
    let there = get(&gateway, "/demo/socket.io.js").await;
    assert_eq!(there.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(there.text().await.unwrap(), "export const io = 1;");
    std::fs::write(&script, vec![b' '; (1 << 20) + 1]).unwrap();
    assert_eq!(get(&gateway, "/demo/socket.io.js").await.status(), 404);

    for path in ["/demo/nothing.js", "/demonstration"] {
        assert_eq!(get(&gateway, path).await.status(), 404, "{path}");
    }
    let posted = client().post(at(&gateway, "/demo")).send().await.unwrap();
    assert_eq!(posted.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_it_who_did_not_ask_for_it() {
    let gateway = gateway(&[]).await;
    for path in ["/demo", "/demo/", "/demo/main.js", "/demo/socket.io.js"] {
        assert_eq!(get(&gateway, path).await.status(), 404, "{path}");
    }
}

#[test]
fn production_refuses_it() {
    let service = parlour_gateway::service();
    let problems = |client| {
        let given = [("environment", "production"), ("gateway.demo_client", client)];
        let layers = Layers::fixed(&[DEFAULTS, service.defaults], &given).unwrap();
        (service.check)(&layers).err().map(|error| error.to_string())
    };
    let refused = problems("client.js").unwrap();
    assert!(refused.contains("gateway.demo_client must be empty"), "{refused}");
    assert_eq!(problems(""), None);
}
