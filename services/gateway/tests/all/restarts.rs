//! Replicas come and go, and nobody notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::echo::Echo;
use crate::support::{at, client, gateway, get, until, url};

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_replicas_are_restarted_under_load() {
    let (one, two) = (Echo::start("one").await, Echo::start("two").await);
    let both = format!("{},{}", url(one.address), url(two.address));
    let gateway = gateway(&[("gateway.upstreams.media", &both)]).await;
    until("the document", async || {
        !get(&gateway, "/api/media/open/1")
            .await
            .headers()
            .contains_key("ratelimit")
    })
    .await;
    let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..16)
        .map(|turn| {
            let (done, count, client) = (done.clone(), count.clone(), client());
            let there = at(&gateway, "/api/media/open/1");
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let request = if turn % 2 == 0 {
                        client.get(&there)
                    } else {
                        client.post(&there).body("{\"a\":1}")
                    };
                    let answer = request.send().await.unwrap();
                    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
                    answer.bytes().await.unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
        })
        .collect();
    let mut replicas = [Some(one), Some(two)];
    for turn in 0..4 {
        let place = &mut replicas[turn % 2];
        let old = place.take().unwrap();
        let address = old.address;
        old.stop().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let fresh = Echo::start_at("again", address).await;
        until("the new one to be used", async || fresh.requests() > 20).await;
        *place = Some(fresh);
    }
    done.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(count.load(Ordering::Relaxed) > 1000);
}

/// Counts the requests it gets, and closes each without an answer.
async fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            if request[..read].starts_with(b"GET /-/") {
                let _ = stream
                    .write_all(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .await;
            } else if read > 0 {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (address, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_safe_is_sent_again() {
    let (bad, count) = silent().await;
    let echo = Echo::start("one").await;
    let both = format!("{},{}", url(bad), url(echo.address));
    let gateway = gateway(&[("gateway.upstreams.media", &both)]).await;
    for _ in 0..10 {
        assert_eq!(get(&gateway, "/api/media/open/1").await.status(), 200);
        let put = client()
            .put(at(&gateway, "/api/media/files/1"))
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(put.status(), 200);
    }
    assert!(count.load(Ordering::Relaxed) > 0);
    let before = (count.load(Ordering::Relaxed), echo.requests());
    let mut refused = 0;
    for _ in 0..10 {
        let post = client()
            .post(at(&gateway, "/api/media/open/1"))
            .body("x")
            .send()
            .await
            .unwrap();
        refused += usize::from(post.status() == 502);
    }
    let after = (count.load(Ordering::Relaxed), echo.requests());
    // Each went to exactly one of them.
    assert_eq!((after.0 - before.0, after.1 - before.1), (refused, 10 - refused));
    assert!(refused > 0);
}

/// A service that closes a connection at rest has not seen what was to be sent on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_at_rest_is_not_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let probe = request[..read].starts_with(b"GET /-/");
                let status = if probe { "404 No" } else { "200 OK" };
                // It says that it stays, and goes.
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    let gateway = gateway(&[("gateway.upstreams.media", &url(address))]).await;
    for _ in 0..20 {
        let post = client()
            .post(at(&gateway, "/api/media/x"))
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(post.status(), 200);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whoever is too busy to say how they are may still do what they are asked: it is tried when
/// nobody better is there, rather than refused.
#[tokio::test(flavor = "multi_thread")]
async fn who_answers_probes_too_late_is_asked_when_nobody_else_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let probes = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let probes = probes.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                if request[..read].starts_with(b"GET /-/") {
                    probes.fetch_add(1, Ordering::Relaxed);
                    // The gateway hangs up first.
                    let _ = stream.read(&mut request).await;
                    return;
                }
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    let late = [
        ("gateway.upstreams.media", url(address)),
        ("gateway.probe.timeout_ms", "50".to_owned()),
        ("gateway.probe.every_ms", "20".to_owned()),
    ];
    let gateway = gateway(&late.each_ref().map(|(key, value)| (*key, value.as_str()))).await;
    until("probes that came to nothing", async || {
        asked.load(Ordering::Relaxed) > 5
    })
    .await;
    for _ in 0..5 {
        let answer = client().get(at(&gateway, "/api/media/x")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}
