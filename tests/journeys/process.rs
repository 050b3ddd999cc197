//! One process of the binary.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use parlour_testkit::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const START_TIME: Duration = Duration::from_secs(30);

/// One process. It is killed when it goes out of scope.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, which writes what it says to the file `log`, and waits until it answers
    /// well to `ready`.
    pub(crate) async fn start(mut command: Command, address: SocketAddr, log: PathBuf, ready: &str) -> Self {
        let mut file = std::fs::File::options();
        let file = file.create(true).append(true).open(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let process = Self {
            child: command.spawn().unwrap(),
            address,
            log,
        };
        process.wait_for(ready).await;
        process
    }

    /// A client of this process.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn terminate(mut self) {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).unwrap();
        let status = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            (status, std::fs::read_to_string(&self.log).unwrap())
        });
        let (status, log) = status.await.unwrap();
        assert!(status.success(), "{status}\n{log}");
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn wait_for(&self, path: &str) {
        let started = Instant::now();
        loop {
            let answer = self.client().get(path).send().await;
            if answer
                .as_ref()
                .is_ok_and(|a| a.status() == 200 && is_healthy(&a.json()))
            {
                return;
            }
            let log = || std::fs::read_to_string(&self.log).unwrap();
            assert!(
                started.elapsed() < START_TIME,
                "{path} does not answer\n{}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_healthy(report: &Value) -> bool {
    report["ready"] == true || report["status"] == "healthy"
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
