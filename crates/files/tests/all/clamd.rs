//! The real clamd with signatures of our own. Where Debian's clamav-daemon is not installed these
//! tests fail and say so: `deploy/local/install --with-clamav`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parlour_files::scan::clamd::{Address, Answer, Clamd};
use tempfile::TempDir;

use crate::support::eicar;

struct Daemon {
    process: Child,
    home: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const WAIT: Duration = Duration::from_mins(1);

impl Daemon {
    async fn start(alert: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let signatures = home.path().join("db");
        fs::create_dir(&signatures).unwrap();
        let hex = eicar()
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        fs::write(signatures.join("ours.ndb"), format!("Ours.Test.File:0:*:{hex}\n")).unwrap();
        let dir = home.path().display();
        let config = format!(
            "Foreground yes\nDatabaseDirectory {dir}/db\nLocalSocket {dir}/clamd.ctl\nTemporaryDirectory {dir}\n\
             TCPSocket {port}\nTCPAddr 127.0.0.1\nStreamMaxLength 3M\nMaxFileSize 1M\nMaxScanSize 4M\n\
             AlertExceedsMax {alert}\nMaxThreads 2\nSelfCheck 0\nConcurrentDatabaseReload no\n",
            port = free_port(),
        );
        fs::write(home.path().join("clamd.conf"), config).unwrap();
        let process = Command::new(program())
            .arg("--config-file")
            .arg(home.path().join("clamd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("clamd is missing: deploy/local/install --with-clamav");
        let daemon = Self { process, home };
        let clamd = daemon.client();
        tokio::time::timeout(WAIT, async {
            while !clamd.ping().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("clamd did not begin to answer");
        daemon
    }

    fn socket(&self) -> Address {
        Address::Unix(self.home.path().join("clamd.ctl"))
    }

    fn tcp(&self) -> Address {
        let config = fs::read_to_string(self.home.path().join("clamd.conf")).unwrap();
        let port = config
            .lines()
            .find_map(|line| line.strip_prefix("TCPSocket "))
            .unwrap();
        format!("tcp://127.0.0.1:{port}").parse().unwrap()
    }

    fn client(&self) -> Clamd {
        Clamd::new(self.socket(), WAIT, 2 << 20)
    }
}

fn program() -> &'static str {
    if Path::new("/usr/sbin/clamd").exists() {
        "/usr/sbin/clamd"
    } else {
        "clamd"
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn files_are_clean_infected_or_too_large_and_without_an_answer_they_are_neither() {
    let mut daemon = Daemon::start("yes").await;
    for clamd in [daemon.client(), Clamd::new(daemon.tcp(), WAIT, 2 << 20)] {
        assert_eq!(clamd.scan(&b"hello"[..]).await, Answer::Clean);
        assert_eq!(clamd.scan(&b""[..]).await, Answer::Clean);
        let infected = [b"some text ".as_slice(), &eicar(), &vec![b'x'; 200_000]].concat();
        let answer = clamd.scan(infected.as_slice()).await;
        assert!(
            matches!(&answer, Answer::Infected { signature } if signature.starts_with("Ours.Test.File")),
            "{answer:?}"
        );
        // Above clamd's own MaxFileSize; then above ours, which is not even sent.
        assert_eq!(
            clamd.scan(vec![b'x'; 1_500_000].as_slice()).await,
            Answer::TooLarge
        );
        assert_eq!(
            clamd.scan(vec![b'x'; 2_500_000].as_slice()).await,
            Answer::TooLarge
        );
    }
    // Above its StreamMaxLength, were ours set too high: never clean.
    let careless = Clamd::new(daemon.socket(), WAIT, u64::MAX);
    let answer = careless.scan(vec![b'x'; 12_000_000].as_slice()).await;
    assert!(
        matches!(answer, Answer::TooLarge | Answer::Unreachable { .. }),
        "{answer:?}"
    );

    daemon.process.kill().unwrap();
    daemon.process.wait().unwrap();
    assert!(!daemon.client().ping().await);
    assert!(matches!(
        daemon.client().scan(&b"hello"[..]).await,
        Answer::Unreachable { .. }
    ));
}

#[tokio::test]
async fn a_clamd_that_never_answers_is_unreachable_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(silent.local_addr().unwrap().to_string());
    let clamd = Clamd::new(address, Duration::from_millis(50), 1 << 20);
    assert_eq!(
        clamd.scan(&b"hello"[..]).await,
        Answer::Unreachable {
            why: "no answer in time".to_owned()
        }
    );
    assert!(!clamd.ping().await);
}
