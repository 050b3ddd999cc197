//! The real clamd with a signature of our own.

use std::time::Duration;

use parlour_files::scan::clamd::{Address, Answer, Clamd};
use parlour_testkit::ClamAv;

const WAIT: Duration = Duration::from_mins(1);

fn client(address: &str, most: u64) -> Clamd {
    Clamd::new(address.parse().unwrap(), WAIT, most)
}

#[tokio::test]
async fn files_are_clean_infected_or_too_large_and_without_an_answer_they_are_neither() {
    let mut daemon = ClamAv::new();
    daemon.start().await;
    for address in [daemon.unix(), daemon.tcp()] {
        let clamd = client(&address, 2 << 20);
        assert_eq!(clamd.scan(&b"hello"[..]).await, Answer::Clean);
        assert_eq!(clamd.scan(&b""[..]).await, Answer::Clean);
        let infected = [
            b"some text ".as_slice(),
            ClamAv::MARKER.as_bytes(),
            &vec![b'x'; 200_000],
        ]
        .concat();
        let answer = clamd.scan(infected.as_slice()).await;
        let found =
            matches!(&answer, Answer::Infected { signature } if signature.starts_with("Ours.Test.Marker"));
        assert!(found, "{answer:?}");
        // Above clamd's own limit; then above ours, which is not even sent.
        let large = vec![b'x'; ClamAv::MAX_FILE + 500_000];
        assert_eq!(clamd.scan(large.as_slice()).await, Answer::TooLarge);
        assert_eq!(
            clamd.scan(vec![b'x'; 2_500_000].as_slice()).await,
            Answer::TooLarge
        );
    }
    // Above its StreamMaxLength, were ours set too high: never clean.
    let answer = client(&daemon.unix(), u64::MAX)
        .scan(vec![b'x'; 12_000_000].as_slice())
        .await;
    assert!(
        matches!(answer, Answer::TooLarge | Answer::Unreachable { .. }),
        "{answer:?}"
    );

    daemon.stop();
    let clamd = client(&daemon.unix(), 2 << 20);
    assert!(!clamd.ping().await);
    assert!(matches!(
        clamd.scan(&b"hello"[..]).await,
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
    assert_eq!(clamd.scan(&b"hello"[..]).await, late);
    assert!(!clamd.ping().await);
}
