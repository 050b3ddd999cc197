//! The real clamd with a signature of our own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use parlour_files::scan::clamd::{Address, Answer, Clamd};
use parlour_testkit::ClamAv;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

const WAIT: Duration = Duration::from_mins(1);

/// A file that cannot be read.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }
}

fn client(address: &str, most: u64) -> Clamd {
    Clamd::new(address.parse().unwrap(), WAIT, most)
}

#[tokio::test]
async fn files_are_clean_infected_or_too_large_and_without_an_answer_they_are_neither() {
    let mut daemon = ClamAv::new();
    daemon.start().await;
    for address in [daemon.unix(), daemon.tcp()] {
        let clamd = client(&address, 2 << 20);
        assert_eq!(clamd.scan(&b"hello"[..]).await.unwrap(), Answer::Clean);
        assert_eq!(clamd.scan(&b""[..]).await.unwrap(), Answer::Clean);
        let infected = [
            b"some text ".as_slice(),
            ClamAv::MARKER.as_bytes(),
            &vec![b'x'; 200_000],
        ]
        .concat();
        let answer = clamd.scan(infected.as_slice()).await.unwrap();
        let found =
            matches!(&answer, Answer::Infected { signature } if signature.starts_with("Ours.Test.Marker"));
        assert!(found, "{answer:?}");
        // Above clamd's own limit; then above ours, which is not even sent.
        let large = vec![b'x'; ClamAv::MAX_FILE + 500_000];
        assert_eq!(clamd.scan(large.as_slice()).await.unwrap(), Answer::TooLarge);
        assert_eq!(
            clamd.scan(vec![b'x'; 2_500_000].as_slice()).await.unwrap(),
            Answer::TooLarge
        );
    }
    // Above its StreamMaxLength, were ours set too high: never clean.
    let answer = client(&daemon.unix(), u64::MAX)
        .scan(vec![b'x'; 12_000_000].as_slice())
        .await
        .unwrap();
    assert!(
        matches!(answer, Answer::TooLarge | Answer::Unreachable { .. }),
        "{answer:?}"
    );

    // A file that cannot be read is no answer of clamd's.
    let broken = b"hello".as_slice().chain(Broken);
    assert!(client(&daemon.unix(), 2 << 20).scan(broken).await.is_err());

    daemon.stop();
    let clamd = client(&daemon.unix(), 2 << 20);
    assert!(!clamd.ping().await);
    assert!(matches!(
        clamd.scan(&b"hello"[..]).await.unwrap(),
        Answer::Unreachable { .. }
    ));
}

#[tokio::test]
async fn a_clamd_that_never_answers_is_unreachable_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(silent.local_addr().unwrap().to_string());
    let clamd = Clamd::new(address, Duration::from_millis(50), 1 << 20);
    let late = Answer::Unreachable {
        why: "no answer in time".to_owned(),
    };
    assert_eq!(clamd.scan(&b"hello"[..]).await.unwrap(), late);
    assert!(!clamd.ping().await);
}
