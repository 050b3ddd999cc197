//! Large bodies pass through without being held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::support::echo::Echo;
use crate::support::{at, client, gateway_to, resident};

const MIB: u64 = 1 << 20;
static PIECE: [u8; 65536] = [1; 65536];

/// The most memory that was used while `work` ran, beyond what was used before.
async fn growth<T>(work: impl Future<Output = T>) -> (T, u64) {
    let before = resident();
    let (most, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let watching = {
        let (most, done) = (most.clone(), done.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(resident(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let result = work.await;
    done.store(true, Ordering::Relaxed);
    watching.await.unwrap();
    (result, most.load(Ordering::Relaxed).saturating_sub(before))
}

/// One test, because memory is the whole process's: the client and the service are in it too.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_50_mib_and_a_download_of_256_mib_hold_a_few_buffers() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let upload = async |known: bool| {
        let pieces = (0..800).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&PIECE)));
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let mut request = client().post(at(&gateway, "/api/media/count"));
        if known {
            request = request.header("content-length", 50 * MIB);
        }
        request
            .body(body)
            .send()
            .await
            .unwrap()
            .json::<Value>()
            .await
            .unwrap()
    };
    upload(true).await;
    for known in [true, false] {
        let (answer, grown) = growth(upload(known)).await;
        assert_eq!(answer["bytes"], 50 * MIB);
        assert!(grown < 24 * MIB, "{} KiB", grown / 1024);
    }
    let download = async {
        let mut answer = client()
            .get(at(&gateway, "/api/media/large"))
            .send()
            .await
            .unwrap();
        let mut bytes = 0;
        while let Some(piece) = answer.chunk().await.unwrap() {
            bytes += piece.len() as u64;
        }
        bytes
    };
    let (bytes, grown) = growth(download).await;
    assert_eq!(bytes, 256 * MIB);
    assert!(grown < 24 * MIB, "{} KiB", grown / 1024);
}

/// A client that stops reading stops the service, not fills the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_waited_for() {
    let echo = Echo::start("one").await;
    let gateway = gateway_to("media", echo.address).await;
    let work = async {
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(
                client()
                    .get(at(&gateway, "/api/media/large"))
                    .send()
                    .await
                    .unwrap(),
            );
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        answers.len()
    };
    let (answers, grown) = growth(work).await;
    assert_eq!(answers, 4);
    assert!(grown < 48 * MIB, "{} KiB", grown / 1024);
}
