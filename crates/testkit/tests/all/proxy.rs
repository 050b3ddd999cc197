use std::io::ErrorKind;
use std::time::{Duration, Instant};

use parlour_testkit::FaultProxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A server that sends back what it gets, and says at the end how much that was.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn said(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(word).await?;
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn data_pass_late_or_not_at_all() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(said(&mut stream, b"salam").await.unwrap(), b"salam");
    assert_eq!(proxy.connections(), 1);

    proxy.delay(Duration::from_millis(60));
    let start = Instant::now();
    said(&mut stream, b"late").await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(120), "there and back");

    proxy.black_hole();
    let unheard = timeout(Duration::from_millis(100), said(&mut stream, b"lost?")).await;
    assert!(unheard.is_err(), "nothing may come back");
    proxy.pass();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"lost?");
}

#[tokio::test]
async fn connections_are_cut_and_refused() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    said(&mut stream, b"one").await.unwrap();
    proxy.cut();
    let error = stream.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    said(&mut stream, b"two").await.unwrap();
    proxy.refuse();
    parlour_testkit::eventually_eq(Some(ErrorKind::ConnectionRefused), async || {
        let error = TcpStream::connect(proxy.address()).await.err()?;
        Some(error.kind())
    })
    .await;
    said(&mut stream, b"still here").await.unwrap();

    proxy.pass();
    let again = parlour_testkit::eventually(async || TcpStream::connect(proxy.address()).await).await;
    drop((again, stream));
    parlour_testkit::eventually_eq(0, async || proxy.connections()).await;
}

#[tokio::test]
async fn half_a_connection_stays_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::to(listener.local_addr().unwrap().to_string()).await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"before").await.unwrap();
    server.read_exact(&mut [0; 6]).await.unwrap();

    proxy.half_close();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "the client sees the end");
    client.write_all(b"after").await.unwrap();
    let mut heard = [0; 5];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"after");
}
