//! A clamd of a test's own, with one signature and small limits.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::address::free_address;

/// It reads its signatures first.
const PATIENCE: Duration = Duration::from_mins(1);

/// The real clamd, which has to be installed (`deploy/local/install --with-clamav`). It ends with the test.
#[derive(Debug)]
pub struct ClamAv {
    home: TempDir,
    port: u16,
    process: Option<Child>,
}

impl ClamAv {
    /// What it finds in a file, as `Ours.Test.Marker`; nothing else does.
    pub const MARKER: &str = "PARLOUR-MARKER-THAT-ONLY-CLAMD-KNOWS";
    /// A file above this is not scanned as a whole, which it says.
    pub const MAX_FILE: usize = 1 << 20;

    /// Prepares one; nothing answers before [`ClamAv::start`].
    pub fn new() -> Self {
        let home = TempDir::new().expect("there is a place for temporary files");
        let signatures = home.path().join("db");
        fs::create_dir(&signatures).expect("a folder for signatures");
        let hex = Self::MARKER
            .bytes()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let line = format!("Ours.Test.Marker:0:*:{hex}\n");
        fs::write(signatures.join("ours.ndb"), line).expect("a signature");
        let port = free_address().port();
        let dir = home.path().display();
        let config = format!(
            "Foreground yes\nDatabaseDirectory {dir}/db\nLocalSocket {dir}/clamd.ctl\nTemporaryDirectory {dir}\n\
             TCPSocket {port}\nTCPAddr 127.0.0.1\nStreamMaxLength 3M\nMaxFileSize 1M\nMaxScanSize 4M\n\
             AlertExceedsMax yes\nMaxThreads 2\nSelfCheck 0\nConcurrentDatabaseReload no\n"
        );
        fs::write(home.path().join("clamd.conf"), config).expect("a configuration");
        Self {
            home,
            port,
            process: None,
        }
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        let program = if Path::new("/usr/sbin/clamd").exists() {
            "/usr/sbin/clamd"
        } else {
            "clamd"
        };
        let process = Command::new(program)
            .arg("--config-file")
            .arg(self.home.path().join("clamd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("clamd is missing: deploy/local/install --with-clamav");
        self.process = Some(process);
        let answering = async {
            while !self.answers().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answering)
            .await
            .expect("clamd did not begin to answer");
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }

    /// Its socket, as `unix:/path`.
    pub fn unix(&self) -> String {
        format!("unix:{}/clamd.ctl", self.home.path().display())
    }

    /// Its port, as `tcp://host:port`.
    pub fn tcp(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    async fn answers(&self) -> bool {
        let asked = async {
            let mut stream = UnixStream::connect(self.home.path().join("clamd.ctl")).await?;
            stream.write_all(b"zPING\0").await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        asked.await.is_ok_and(|answer| answer == b"PONG\0")
    }
}

impl Default for ClamAv {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ClamAv {
    fn drop(&mut self) {
        self.stop();
    }
}
